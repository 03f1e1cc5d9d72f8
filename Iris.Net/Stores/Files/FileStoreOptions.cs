namespace Iris.Net;

/// <summary>Settings of a <see cref="FileStateStore"/>.</summary>
public sealed record FileStoreOptions
{
    /// <summary>The store's clock; the system's by default.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Gets a line where the disk fails, where it is well again, and while a long start goes on. By default nobody does.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>A segment takes no more, in bytes: large enough that few files are open, small enough that compaction gives
    /// room back soon.</summary>
    internal long SegmentSize { get; init; } = 64L << 20;

    /// <summary>So many bytes may lie unsynced where nobody waits for them.</summary>
    internal int UnsyncedSize { get; init; } = 64 << 10;

    /// <summary>So many bytes may wait for the disk before appends wait with them.</summary>
    internal int WaitingSize { get; init; } = 16 << 20;

    /// <summary>Sessions whose head stays in memory, beside those that somebody holds.</summary>
    internal int HotSessions { get; init; } = 10_000;

    /// <summary>How long a deleted session is known as deleted.</summary>
    internal TimeSpan TombstonesFor { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How often the store looks whether the log is worth compacting.</summary>
    internal TimeSpan CompactEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long records that nobody waits for stay in memory before they are written.</summary>
    internal TimeSpan WriteAfter { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Hands out a line; what comes of it is not the store's.</summary>
    internal void Tell(string line)
    {
        try
        {
            Log?.Invoke(line);
        }
#pragma warning disable CA1031 // the writer goes on
        catch (Exception)
#pragma warning restore CA1031
        {
        }
    }
}
