using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>What an append makes of a session in memory. An open request keeps every record; of what is over only the public
/// ones stay, and of these the newest.</summary>
internal static class MemoryAppend
{
    private const int KeptRecords = 256;
    private const int KeptBytes = 1 << 20;
    private const int Slack = 64;   // trimmed in batches, so that not every commit copies the log

    /// <summary>Whether records rise beyond a journal's last, and one another.</summary>
    public static bool Follows(long nextSeq, ReadOnlySpan<JournalEntry> entries)
    {
        foreach (ref readonly JournalEntry entry in entries)
        {
            if (entry.Seq < nextSeq)
                return false;
            nextSeq = entry.Seq + 1;
        }

        return true;
    }

    public static SessionCell.State Apply(SessionCell.State state, ReadOnlySpan<JournalEntry> entries, SessionHead? commit, long now)
    {
        long nextSeq = commit?.NextSeq ?? (entries.IsEmpty ? state.NextSeq : entries[^1].Seq + 1);
        if (commit is not null)
            return state with
            {
                LastUsed = now,
                NextSeq = nextSeq,
                Head = commit,
                Owner = null,
                Pending = PendingWork.None,
                Closed = Trim(state.Closed.AppendPublic(state.Open, entries)),
                Open = default,
            };
        state = state with { LastUsed = now, NextSeq = nextSeq, Pending = state.Pending.After(entries) };
        int closing = LastClosing(entries);
        if (closing < 0)
            return state with { Open = state.Open.Append(entries) };
        // The record that closes stays, and says that a request was here; a signal is no request's.
        return state with
        {
            Closed = Trim(state.Closed.AppendPublic(state.Open, entries[..closing])),
            Open = state.Open.Only(RecordKind.Signal).Append(entries[closing..]),
        };
    }

    private static int LastClosing(ReadOnlySpan<JournalEntry> entries)
    {
        int last = entries.Length - 1;
        while (last >= 0 && !entries[last].ClosesRequest)
            last--;
        return last;
    }

    private static RecordLog Trim(RecordLog log) =>
        log.Count > KeptRecords + Slack || log.Length > KeptBytes ? log.Newest(KeptRecords, KeptBytes) : log;
}
