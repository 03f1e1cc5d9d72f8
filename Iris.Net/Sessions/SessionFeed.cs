using System.Runtime.CompilerServices;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The events of a session behind a place: from the journal and from what is remembered, and then as they come. What is
/// missing is said.</summary>
/// <param name="host">The sessions.</param>
/// <param name="id">Whose events.</param>
/// <param name="follows">Whether later turns are followed too.</param>
internal sealed partial class SessionFeed(SessionHost host, SessionId id, bool follows)
{
    private List<JournalledAttempt> _attempts = [];
    private SessionHead _head = null!;
    private EventCursor _at;   // what was told last
    private AwaitedTurn? _awaited;

    /// <summary>Whether a turn runs. Once the feed has begun, like <see cref="Turn"/>.</summary>
    public bool Runs => _attempts is [.., { IsLive: true }];

    /// <summary>The number of the running, else the last, turn.</summary>
    public long Turn => Runs ? _attempts[^1].Turn : _head.Turn;

    /// <summary>Whether the feed ended because the reader fell too far behind.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Whether it ended because the session is there no more.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Whether a turn began since the feed came to rest: it is told next. What began before was told, or cannot be.</summary>
    public bool IsCalled => _awaited is { Begun.Task.IsCompleted: true };

    /// <summary>The events behind a cursor; without one from the start of the running, else the last, turn. None at all where there
    /// is nothing to tell and nothing to wait for.</summary>
    /// <exception cref="IOException">The reader fell too far behind, or the store cannot be reached.</exception>
    public async IAsyncEnumerable<FeedEvent> ReadAsync(
        EventCursor? cursor, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        AwaitedTurn next = host.Running.Await(id);
        try
        {
            next = await LookAsync(next, cursor, cancel).ConfigureAwait(false);
            if (IsGone)
                yield break;
            (int first, FeedEvent? gap) = Place(cursor);
            bool isTraceless = first == _attempts.Count && !Runs
                && (gap is not null ? _at.Turn > _head.Turn : cursor is null && _head.Turn == 0);
            if (!follows && !Runs && gap is null && !isTraceless && !HasMore(first))
                yield break;
            yield return FeedEvent.Start(gap?.From ?? _at);
            if (gap is { } missing)
                yield return missing;
            if (isTraceless)   // an attempt that left no record
                yield return Ended(new(_at.Seq, EventCursor.End), host.Receipts.Uncommitted(id, _head, new JournalTail()).End);
            while (true)
            {
                for (int i = first; i < _attempts.Count; i++)
                {
                    if (i > first && Enter(_attempts[i]) is { } again)
                        yield return again;
                    await foreach (FeedEvent told in TellAsync(_attempts[i], i == _attempts.Count - 1, cancel).ConfigureAwait(false))
                        yield return told;
                }

                if (!follows)
                    yield break;
                _awaited = next;
                if (!IsCalled)
                    yield return new FeedEvent(FeedKind.Rest, _at);
                await next.Begun.Task.WaitAsync(cancel).ConfigureAwait(false);
                next = await LookAsync(next, _at, cancel, isLater: true).ConfigureAwait(false);
                if (IsGone)
                    yield break;
                if (_attempts.Count > 0 && Enter(_attempts[0]) is { } anew)
                    yield return anew;
                first = 0;
            }
        }
        finally
        {
            host.Running.GiveUp(id, next);
        }
    }

    /// <summary>The id of the last event that there is; null where the session is gone.</summary>
    public async ValueTask<EventCursor?> LastAsync(CancellationToken cancel = default)
    {
        AwaitedTurn next = host.Running.Await(id);
        try
        {
            next = await LookAsync(next, cursor: null, cancel).ConfigureAwait(false);
            if (IsGone)
                return null;
            Place(null);
            return _attempts is not [.., var last] ? _at with { Delta = EventCursor.End }
                : last.At(last.IsLive ? last.Events!.LastPlace() : last.EndPlace);
        }
        finally
        {
            host.Running.GiveUp(id, next);
        }
    }

    /// <summary>Finds where to begin, and what to say where the cursor's own place is gone.</summary>
    private (int First, FeedEvent? Gap) Place(EventCursor? cursor)
    {
        int found = cursor is { } has ? _attempts.FindIndex(attempt => attempt.Has(has)) : -1;
        if (found >= 0)
        {
            _at = cursor!.Value;
            return (found, null);
        }

        if (cursor is not { } lost)
        {
            int start = Math.Max(0, _attempts.FindLastIndex(attempt => attempt.IsNewRequest));
            _at = start < _attempts.Count ? _attempts[start].Start : new(_head.Turn + 1, _head.NextSeq, 0, EventCursor.NoName);
            return (start, null);
        }

        int again = _attempts.FindLastIndex(attempt => attempt.Turn == lost.Turn && attempt.IsNewRequest);
        if (again < 0)
            again = _attempts.FindIndex(attempt => attempt.Turn == lost.Turn);
        bool isTrimmed = again < 0 && lost.Turn <= _head.Turn;
        if (isTrimmed)
            again = _attempts.FindIndex(attempt => attempt.Turn > lost.Turn);
        if (again < 0)
            again = _attempts.Count;
        _at = again < _attempts.Count ? _attempts[again].Start : new(Math.Max(lost.Turn, _head.Turn), _head.NextSeq, 0, EventCursor.NoName);
        // Nobody has more of it than was told with this very id.
        bool isTold = again == _attempts.Count && lost is { Attempt: EventCursor.NoName, Delta: EventCursor.End };
        return (again, isTold ? null : FeedEvent.Gap(lost, _at, _at, isTrimmed ? Loss.Record : Loss.Attempt));
    }

    private bool HasMore(int first) =>
        first < _attempts.Count - 1 || (first < _attempts.Count && _at.Place < _attempts[first].EndPlace);

    /// <summary>Goes on to an attempt; says so where the turn began again.</summary>
    private FeedEvent? Enter(JournalledAttempt attempt)
    {
        EventCursor before = _at;
        _at = attempt.Start;
        return before.Turn == _at.Turn ? FeedEvent.Gap(before, _at, _at, Loss.Attempt) : null;
    }

    private async IAsyncEnumerable<FeedEvent> TellAsync(
        JournalledAttempt attempt, bool isLast, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (!attempt.IsLive && _at.Place >= attempt.EndPlace)
            yield break;
        TurnEnd? end = null;
        if (attempt.Events is { } events)
        {
            using EventReader reader = events.Attach(_at.Place, out EventPlace from, out bool lostText);
            using CancellationTokenRegistration stop = cancel.UnsafeRegister(static r => ((EventReader)r!).Nudge(), reader);
            if (from > _at.Place)
            {
                if (lostText && TextGap(attempt, from) is { } gap)
                    yield return gap;
                await foreach (FeedEvent record in RecordsAsync(attempt, from.Seq, cancel).ConfigureAwait(false))
                    yield return record;
                _at = attempt.At(from);
            }

            while (end is null)
            {
                while (reader.TryTake(out EventKind kind, out ReadOnlyMemory<byte> json))
                {
                    _at = attempt.At(reader.Place);
                    yield return new FeedEvent(kind == EventKind.Record ? FeedKind.Record : FeedKind.Delta, _at, json);
                }

                end = reader.End;
                IsCut = reader.IsCut;
                if (IsCut)
                    throw new IOException("The reader fell too far behind.");
                cancel.ThrowIfCancellationRequested();
                if (end is null)
                    await reader.WaitAsync().ConfigureAwait(false);
            }
        }
        else
        {
            // Whether there was text is not known any more.
            if ((!attempt.IsCommitted || _at.Seq < attempt.LastSeq) && TextGap(attempt, attempt.EndPlace) is { } gap)
                yield return gap;
            await foreach (FeedEvent record in RecordsAsync(attempt, attempt.LastSeq, cancel).ConfigureAwait(false))
                yield return record;
        }

        if (attempt.IsLive)
            yield return Ended(attempt.EndPlace, end!);
        else if (attempt.IsAwaited && !attempt.IsCommitted)
            yield return Ended(attempt.EndPlace, attempt.Turn > _head.Turn ? end! : end!.WithoutToken());
        else if (attempt.IsCommitted)
            yield return Ended(attempt.EndPlace, await CommittedAsync(attempt, cancel).ConfigureAwait(false));
        else if (isLast)
            yield return Ended(attempt.EndPlace, Uncommitted(attempt, end));
    }

    // What says that text is lost up to a place; null where it was said. Its id lies behind the cursor: who is cut here and resumes
    // is not told the same again.
    private FeedEvent? TextGap(JournalledAttempt attempt, EventPlace to)
    {
        if (_at.Delta == EventCursor.GapTold)
            return null;
        EventCursor before = _at;
        EventPlace told = to.Seq == before.Seq && to < attempt.EndPlace ? to : new(before.Seq, EventCursor.GapTold);
        _at = told < attempt.EndPlace ? attempt.At(told) : before;   // the end is still to be told
        return FeedEvent.Gap(before, attempt.At(to), _at, Loss.Delta);
    }

    private async IAsyncEnumerable<FeedEvent> RecordsAsync(
        JournalledAttempt attempt, long last, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (JournalEntry entry in host.Settings.Store.ReadAsync(id, _at.Seq + 1, cancel).ConfigureAwait(false))
        {
            if (entry.Seq > last)
                yield break;
            if (!entry.IsPublic)
                continue;
            _at = attempt.At(new(entry.Seq, 0));
            yield return new FeedEvent(FeedKind.Record, _at, ChannelEvent.Record(entry.Utf8.Span));
        }
    }

    // A replayed outcome carries a token only where that is the current one.
    private async ValueTask<TurnEnd> CommittedAsync(JournalledAttempt attempt, CancellationToken cancel)
    {
        if (attempt.Turn == _head.Turn)
            return host.Receipts.LastCommit(id, _head).End;
        if (attempt.Turn == _head.ClientTurn)
            return host.Receipts.Committed(id, _head).End;
        await foreach (JournalEntry entry in host.Settings.Store.ReadAsync(id, attempt.LastSeq, cancel).ConfigureAwait(false))
            if (entry.Kind == RecordKind.Marker)
                return TurnEnd.OfMarker(entry, attempt.Turn > _head.ClientTurn ? host.Tokens.CurrentOf(id, _head) : default);
        throw new IOException("A record of the session is gone.");
    }

    // Its request may have been cancelled since.
    private TurnEnd Uncommitted(JournalledAttempt attempt, TurnEnd? end) => TurnEnd.Aborted(
        attempt.EndReason is { } reason ? AbortReasonText.Parse(reason) : end?.Reason ?? AbortReason.Crashed,
        attempt.Turn > _head.Turn ? host.Tokens.CurrentOf(id, _head) : default);

    private FeedEvent Ended(EventPlace place, TurnEnd end)
    {
        _at = _at with { Seq = place.Seq, Delta = place.Delta };
        return new FeedEvent(FeedKind.End, _at, End: end);
    }
}
