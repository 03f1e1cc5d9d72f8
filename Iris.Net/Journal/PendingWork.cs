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
                RecordKind.RequestAccepted => pending | PendingWork.Request,
                RecordKind.TurnEnded or RecordKind.RequestDeferred or RecordKind.RequestClosed => pending & ~PendingWork.Request,
                RecordKind.Commit => PendingWork.None,
                _ => pending,
            };
        return pending;
    }
}
