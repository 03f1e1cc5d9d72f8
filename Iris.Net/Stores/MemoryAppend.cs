using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>What an append makes of a session in memory. An open request keeps every record, and so does a wake; of what is over only
/// the public ones stay, and of these the newest.</summary>
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
        {
            // Beside a client's open request a wake turn commits: what is the client's stays.
            (RecordLog open, RecordLog over) = commit.TailSeq > 0 ? Split(state.Open, commit.TailSeq) : (default, state.Open);
            return state with
            {
                LastUsed = now,
                NextSeq = nextSeq,
                Head = commit,
                Owner = null,
                Pending = PendingWork.None,
                Closed = Trim(state.Closed.AppendPublic(over, entries)),
                Open = open,
            };
        }

        state = state with { LastUsed = now, NextSeq = nextSeq, Pending = state.Pending.After(entries) };
        int closing = LastClosing(entries);
        if (closing < 0)
            return state with { Open = state.Open.Append(entries) };
        // The record that closes stays, and says that a request was here; a signal is no request's, and a wake is one of its own.
        RecordLog whole = state.Open.Copy().Append(entries[..closing]);
        (RecordLog requests, RecordLog others) = Split(whole, from: long.MaxValue);
        return state with
        {
            Closed = Trim(state.Closed.AppendPublic(requests, [])),
            Open = others.Append(entries[closing..]),
        };
    }

    /// <summary>Parts what is a client's, from a seq on, from what is a wake's.</summary>
    private static (RecordLog Kept, RecordLog Over) Split(RecordLog log, long from)
    {
        RecordLog kept = default, over = default;
        bool keepsWakes = from == long.MaxValue, isWake = false;
        for (int at = 0; log.TryRead(ref at, out JournalEntry entry);)
        {
            isWake = entry.Kind switch
            {
                RecordKind.WakeStarted or RecordKind.WakeClosed => true,
                RecordKind.TurnStarted or RecordKind.RequestClosed or RecordKind.RequestAccepted or RecordKind.RequestDeferred => false,
                _ => isWake,
            };
            bool isOfWake = isWake || entry.Kind == RecordKind.Signal;
            if (keepsWakes ? !isOfWake : !isOfWake && entry.Seq >= from)
                kept = kept.Append([entry]);
            else
                over = over.Append([entry]);
        }

        return (kept, over);
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
