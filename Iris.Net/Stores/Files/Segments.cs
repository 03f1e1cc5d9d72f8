using System.Buffers;

namespace Iris.Net.Stores.Files;

/// <summary>The log's files, oldest first. Readers see an array that is replaced whole.</summary>
internal sealed class Segments
{
    /// <summary>What the name of a segment ends with before it is one.</summary>
    public const string UnfinishedSuffix = ".new";

    private const int FirstRead = 4096;   // most frames are smaller: one read

    private readonly Lock _gate = new();
    private Segment[] _all = [];

    public IReadOnlyList<Segment> All => Volatile.Read(ref _all);

    public Segment Last => Volatile.Read(ref _all)[^1];

    /// <summary>The log's first LSN: what was before it was compacted away.</summary>
    public long Start => Volatile.Read(ref _all)[0].Base;

    public void Add(Segment segment)
    {
        lock (_gate)
            Volatile.Write(ref _all, [.. _all, segment]);
    }

    public void Remove(Segment segment)
    {
        lock (_gate)
            Volatile.Write(ref _all, [.. _all.Where(other => other != segment)]);
    }

    /// <summary>The segment that has an LSN; null where it was compacted away.</summary>
    public Segment? Find(long lsn)
    {
        Segment[] all = Volatile.Read(ref _all);
        int low = 0, high = all.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (all[middle].Base <= lsn)
                low = middle + 1;
            else
                high = middle;
        }

        return low == 0 ? null : all[low - 1];
    }

    /// <summary>Reads a frame that is in a file; null where it was compacted away.</summary>
    /// <exception cref="DamagedStoreException">It is not as it was written.</exception>
    public FrameBytes? Read(long lsn)
    {
        if (Find(lsn) is not { } segment)
            return null;
        byte[] first = ArrayPool<byte>.Shared.Rent(FirstRead);
        try
        {
            long offset = segment.OffsetOf(lsn);
            int read = segment.File.Read(first.AsSpan(0, FirstRead), offset);
            if (RecordFrame.TryReadHeader(first.AsSpan(0, read), out RecordFrame frame) != OperationStatus.Done || frame.Lsn != lsn)
                throw segment.Damaged(lsn, "a frame's header is not as it was written");
            byte[] whole = new byte[frame.Length];
            int known = Math.Min(read, whole.Length);
            first.AsSpan(0, known).CopyTo(whole);
            known += segment.File.Read(whole.AsSpan(known), offset + known);
            if (known < whole.Length || RecordFrame.TryRead(whole, out frame) != OperationStatus.Done)
                throw segment.Damaged(lsn, "a frame is not as it was written");
            return new FrameBytes(frame, whole);
        }
        catch (ObjectDisposedException) when (Find(lsn) != segment)
        {
            return null;   // compacted away meanwhile
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(first);
        }
    }

    public void Close()
    {
        foreach (Segment segment in _all)
            segment.File.Dispose();
    }
}
