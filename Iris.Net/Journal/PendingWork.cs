namespace Iris.Net.Journal;

/// <summary>What waits in a session's journal for whoever serves it, beside its timer.</summary>
[Flags]
internal enum PendingWork : byte
{
    None = 0,

    /// <summary>A signal that no commit has consumed.</summary>
    Signal = 1,

    /// <summary>An open request that was answered with 202.</summary>
    Request = 2,

    /// <summary>The wake was cancelled: neither signal nor timer starts a turn.</summary>
    WakeClosed = 4,
}

/// <summary>Follows pending work from record to record, without looking into them.</summary>
internal static class PendingWorkRule
{
    public static PendingWork After(this PendingWork pending, ReadOnlySpan<JournalEntry> entries)
    {
        foreach (ref readonly JournalEntry entry in entries)
            pending = entry.Kind switch
            {
                RecordKind.Signal => pending | PendingWork.Signal,
                RecordKind.WakeClosed => pending | PendingWork.WakeClosed,
                RecordKind.RequestAccepted => pending | PendingWork.Request,
                RecordKind.TurnEnded or RecordKind.RequestDeferred or RecordKind.RequestClosed => pending & ~PendingWork.Request,
                RecordKind.Commit => PendingWork.None,
                _ => pending,
            };
        return pending;
    }

    /// <summary>Whether there is something to do at once.</summary>
    public static bool IsDue(this PendingWork pending) =>
        pending.HasFlag(PendingWork.Request) || (pending & (PendingWork.Signal | PendingWork.WakeClosed)) == PendingWork.Signal;

    /// <summary>Whether the session is kept for it, however long nobody uses it.</summary>
    public static bool KeepsSession(this PendingWork pending) => (pending & (PendingWork.Signal | PendingWork.Request)) != 0;

    /// <summary>When the timer of a wait wakes the session, in UTC ticks; never where the wake was cancelled.</summary>
    public static long WakesAt(this PendingWork pending, long timer) => pending.HasFlag(PendingWork.WakeClosed) ? long.MaxValue : timer;
}
