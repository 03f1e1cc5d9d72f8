namespace Iris.Net.Journal;

/// <summary>What a session's journal holds behind its last commit.</summary>
internal sealed class JournalTail
{
    /// <summary>The request that is open; null where none is.</summary>
    public OpenRequest? Open { get; private set; }

    /// <summary>Whether a client's request was admitted since the last commit, closed by now or not.</summary>
    public bool WasAdmitted { get; private set; }

    /// <summary>The latest request, where a cancel closed it; null otherwise.</summary>
    public CancelledRequest? Cancelled { get; private set; }

    public static async ValueTask<JournalTail> ReadAsync(IAsyncEnumerable<JournalEntry> records)
    {
        JournalTail tail = new();
        await foreach (JournalEntry record in records.ConfigureAwait(false))
            tail.Add(record);
        return tail;
    }

    private void Add(in JournalEntry record)
    {
        WasAdmitted |= record.Kind is RecordKind.TurnStarted or RecordKind.RequestClosed;
        if (record.Kind is RecordKind.Commit or RecordKind.TurnStarted)
            Cancelled = null;
        if (record.Kind == RecordKind.Commit)
            (Open, WasAdmitted) = (null, false);
        else if (record.Kind == RecordKind.RequestClosed)
            (Open, Cancelled) = (null, CancelledRequest.Read(record));
        else if (Open is not null || record.Kind == RecordKind.TurnStarted)
            Open = OpenRequest.Add(Open, record);
    }
}
