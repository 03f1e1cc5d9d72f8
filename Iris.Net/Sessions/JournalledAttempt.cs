using Iris.Net.Journal;

namespace Iris.Net.Sessions;

/// <summary>One attempt as a session's journal has it, with the events that are remembered of it.</summary>
internal sealed class JournalledAttempt(string name, long startSeq, bool isNewRequest)
{
    private readonly List<long> _records = [];   // where its name is gone

    public string Name { get; private set; } = name;

    /// <summary>The seq of its <c>turn_started</c>, or of the record before its first where that is gone.</summary>
    public long StartSeq { get; private set; } = startSeq;

    /// <summary>The seq of its last record.</summary>
    public long LastSeq { get; private set; } = startSeq;

    public long Turn { get; private set; }

    /// <summary>Whether the requests before it were closed.</summary>
    public bool IsNewRequest { get; private set; } = isNewRequest;

    public bool IsCommitted { get; private set; }

    public string? EndReason { get; private set; }

    /// <summary>Its events; null where they are not remembered.</summary>
    public TurnEvents? Events { get; private set; }

    /// <summary>Whether it runs.</summary>
    public bool IsLive { get; private set; }

    /// <summary>Whether it began and ended while a feed waited for it, which tells it like one that runs.</summary>
    public bool IsAwaited { get; private set; }

    public EventCursor Start => At(new(StartSeq, 0));

    /// <summary>Where its end is told.</summary>
    public EventPlace EndPlace => Events is { End: not null } events && events.EndPlace() is var end && end.Seq >= LastSeq ? end
        : IsCommitted || EndReason is not null ? new(LastSeq, 1)
        : new(LastSeq, EventCursor.End);

    public EventCursor At(EventPlace place) => new(Turn, place.Seq, place.Delta, Name);

    /// <summary>Whether it has the place that an id names. The marker is known by its seq alone: its attempt is the one that
    /// committed.</summary>
    public bool Has(in EventCursor cursor) =>
        cursor.Turn == Turn && cursor.Seq >= StartSeq && cursor.Seq <= LastSeq
        && (cursor.Attempt == Name || (Name == EventCursor.NoName && IsCommitted && cursor.Seq == LastSeq))
        && (Events is null || cursor.Place <= EndPlace);

    /// <summary>The attempts of a session's journal, oldest first.</summary>
    /// <param name="records">Records from the start of a request on.</param>
    /// <param name="until">The seq where they end.</param>
    /// <param name="head">The session's head, no older and no newer than they are.</param>
    public static async ValueTask<List<JournalledAttempt>> ReadAsync(
        IAsyncEnumerable<JournalEntry> records, long until, SessionHead head)
    {
        List<JournalledAttempt> attempts = [];
        JournalledAttempt? at = null;
        bool isClosed = false;
        await foreach (JournalEntry record in records.ConfigureAwait(false))
        {
            if (record.Seq >= until)
                break;
            if (record.Kind is RecordKind.Commit or RecordKind.RequestClosed)
            {
                isClosed = record.Kind == RecordKind.RequestClosed;
                // A cancel closes the latest attempt, whose end may stand behind it.
                if (!isClosed || CancelledRequest.Read(record) is not { } cancelled)
                {
                    at = null;
                    continue;
                }

                if (at is null or { IsCommitted: true })
                {
                    // What stands between its own records and the cancel was a wake's.
                    long after = attempts.Count > 0 ? attempts[^1].LastSeq : 0;
                    attempts.Add(at = new(EventCursor.NoName, Math.Max(cancelled.FirstSeq, after), isNewRequest: true));
                }

                (at.LastSeq, at.EndReason) = (record.Seq, AbortReasonText.Of(AbortReason.Cancelled));
                continue;
            }

            // A store may drop what is private once the turn has committed.
            if (record.Kind is RecordKind.TurnStarted or RecordKind.WakeStarted || (record.IsPublic && at is null or { IsCommitted: true }))
            {
                at = !record.IsPublic
                    ? new(record.ReadName(), record.Seq, isClosed) : new(EventCursor.NoName, record.Seq - 1, isClosed);
                attempts.Add(at);
                isClosed = false;
            }

            at?.Add(record);
        }

        // Each marker ends a turn, and the head knows how many there were.
        long turn = head.Turn + 1;
        for (int i = attempts.Count - 1; i >= 0; i--)
        {
            if (attempts[i].IsCommitted)
                turn--;
            attempts[i].Turn = turn;
        }

        return attempts;
    }

    /// <summary>Adds what is remembered of an attempt; one that runs may have no record yet.</summary>
    public static void Merge(List<JournalledAttempt> attempts, AttemptEvents known, bool isLive, bool isAwaited = false)
    {
        // Where the name is gone, the attempt that wrote the marker is the one that committed, its end told or not yet; another is
        // known by its place.
        JournalledAttempt? found = attempts.FindLast(attempt => attempt.Name == known.Name
            || (attempt.Name == EventCursor.NoName && attempt.Turn == known.Turn && (attempt.IsCommitted
                ? known.Events is { EndsUncommitted: false, End: null or { IsCommitted: true } }
                : known.StartSeq >= attempt.StartSeq && known.StartSeq <= attempt.LastSeq
                    && !attempt.GoesOnBehind(known.Events))));
        if (found is null)
        {
            // One that was awaited may have left no record; the next one then begins at the same seq.
            int later = attempts.FindIndex(attempt => isAwaited
                ? !attempt.IsAwaited && attempt.StartSeq >= known.StartSeq
                : attempt.Name == EventCursor.NoName && attempt.Turn == known.Turn && attempt.LastSeq > known.StartSeq);
            if (!isLive && !isAwaited && later < 0)
                return;
            if (!isLive && later >= 0 && attempts[later].PartBefore(known.StartSeq) is { } part)
                attempts.Insert(later++, part);
            found = new(known.Name, known.StartSeq, isNewRequest: false) { Turn = known.Turn };
            attempts.Insert(isLive || later < 0 ? attempts.Count : later, found);
            if (!isLive)
                found.LastSeq = Math.Max(known.StartSeq, known.Events.PublishedSeq);
            if (!isLive && later >= 0)
                attempts[later + 1].StartSeq = Math.Max(found.LastSeq, attempts[later + 1].StartSeq);
        }

        if (found.Name == EventCursor.NoName)
        {
            if (found.PartBefore(known.StartSeq) is { } before)
                attempts.Insert(attempts.IndexOf(found), before);
            (found.Name, found.StartSeq) = (known.Name, known.StartSeq);
        }

        (found.Events, found.IsLive, found.IsAwaited) = (known.Events, isLive, isAwaited);
    }

    // Where names are gone, attempts that failed cannot be told from the one that committed, until its place is known.
    private JournalledAttempt? PartBefore(long seq)
    {
        long last = _records.FindLast(record => record < seq);
        if (last <= StartSeq)
            return null;
        JournalledAttempt before = new(EventCursor.NoName, StartSeq, IsNewRequest) { Turn = Turn, LastSeq = last };
        IsNewRequest = false;
        before._records.AddRange(_records.Where(record => record < seq));
        return before;
    }

    // Others that failed may stand behind it, where it is remembered late.
    private bool GoesOnBehind(TurnEvents events) => _records is [.., var last] && last > events.PublishedSeq;

    private void Add(in JournalEntry record)
    {
        LastSeq = record.Seq;
        if (Name == EventCursor.NoName)
            _records.Add(record.Seq);
        IsCommitted |= record.Kind == RecordKind.Marker;
        if (record.Kind == RecordKind.TurnEnded)
            EndReason = record.ReadPayload().GetProperty("reason"u8).GetString();
    }
}
