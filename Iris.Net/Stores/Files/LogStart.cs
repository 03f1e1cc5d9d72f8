using System.Buffers;

namespace Iris.Net.Stores.Files;

/// <summary>Opens a log: finds its segments, holds them against one another, reads every frame, and cuts what a crash left
/// unfinished at the end. Anything else that is not as it was written is refused.</summary>
internal sealed class LogStart(IStoreDirectory directory, FileStoreOptions options)
{
    private const int CopySize = 1 << 20;

    private readonly Segments _segments = new();
    private long _synced, _started, _told, _frames;

    /// <summary>The log's first LSN.</summary>
    public long Begin => _segments.Start;

    /// <summary>Opens it for writing; a log that is not there is begun.</summary>
    /// <exception cref="DamagedStoreException">It does not hold what was written.</exception>
    public Segments Open(FrameVisitor visit)
    {
        _started = _told = options.Time.GetTimestamp();
        foreach (string unfinished in directory.Names().Where(name => name.EndsWith(Segments.UnfinishedSuffix, StringComparison.Ordinal)))
            directory.Delete(unfinished);
        try
        {
            List<Segment> found = Find(directory, writable: true, out string? headless);
            if (headless is not null)
                SetAside(headless, 0);
            if (found.Count == 0)
                found.Add(Segment.Create(directory, new SegmentHeader(Number: 1, Base: 0), []));
            found.ForEach(_segments.Add);
            for (int i = 0; i < found.Count; i++)
                Read(found[i], i + 1 < found.Count ? found[i + 1] : null, visit);
            Secure(found[^1]);
            return _segments;
        }
        catch
        {
            _segments.Close();
            throw;
        }
    }

    /// <summary>The segments, oldest first, as far as their headers tell.</summary>
    /// <param name="directory">The log's directory.</param>
    /// <param name="writable">Whether the last one is to be written.</param>
    /// <param name="headless">A newest file that ends inside its header; null where there is none.</param>
    public static List<Segment> Find(IStoreDirectory directory, bool writable, out string? headless)
    {
        headless = null;
        string[] names = [.. directory.Names().Where(name => Segment.NumberOf(name) is not null).Order(StringComparer.Ordinal)];
        List<Segment> found = [];
        byte[] start = new byte[SegmentHeader.Size];
        foreach (string name in names)
        {
            string path = Path.Combine(directory.Path, name);
            IStoreFile file = directory.Open(name, writable && name == names[^1]);
            int read = file.Read(start, 0);
            OperationStatus status = SegmentHeader.TryRead(start.AsSpan(0, read), out SegmentHeader header);
            if (name == names[^1] && (status == OperationStatus.NeedMoreData || !start.AsSpan(0, read).ContainsAnyExcept((byte)0)))
            {
                file.Dispose();
                headless = name;
                break;
            }

            if (status != OperationStatus.Done || header.Number != Segment.NumberOf(name))
                throw new DamagedStoreException(path, 0, "the segment's header is not as it was written");
            Segment segment = new(directory, name, header, file, file.Length);
            if (found.Count > 0 && (header.Base < found[^1].Base || header.Base > found[^1].End))
                throw new DamagedStoreException(path, 0, "the segment does not begin where the one before it ends");
            found.Add(segment);
        }

        return found;
    }

    private void Read(Segment segment, Segment? next, FrameVisitor visit)
    {
        if (next is not null)
            segment.EndAt(next.Base);   // what is behind was never acknowledged there
        SegmentReader reader = new(segment.File, new SegmentHeader(segment.Number, segment.Base), segment.Length);
        SegmentEnd end = reader.Read((in RecordFrame frame, ReadOnlyMemory<byte> whole) =>
        {
            _synced = Math.Max(_synced, frame.Synced);
            if ((++_frames & 0xFFFF) == 0)
                Tell(frame.Lsn);
            return visit(frame, whole);
        });
        if (end == SegmentEnd.Whole)
            return;
        if (end == SegmentEnd.Damaged || next is not null)
            throw segment.Damaged(reader.Lsn, reader.What);
        SetAside(segment.Name, segment.OffsetOf(reader.Lsn), segment.File);
        segment.EndAt(reader.Lsn);
    }

    // Cuts a file, and keeps what was cut.
    private void SetAside(string name, long offset, IStoreFile? opened = null)
    {
        IStoreFile file = opened ?? directory.Open(name, writable: true);
        using (IStoreFile aside = directory.Create($"{name}.torn-{offset}"))
        {
            Copy(file, offset, file.Length, aside, -offset);
            aside.Sync();
        }

        directory.Sync();
        options.Tell($"'{name}' ends inside a record: cut at offset {offset}; what was cut is in '{name}.torn-{offset}'.");
        if (opened is not null)
        {
            file.Truncate(offset);
            file.Sync();
            return;
        }

        file.Dispose();
        directory.Delete(name);
        directory.Sync();
    }

    // What another process left may be in memory only, or be there although its sync failed: it is written once more before
    // anything is answered from it.
    private void Secure(Segment last)
    {
        long from = last.OffsetOf(Math.Max(_synced, last.Base));
        Copy(last.File, from, last.Length, last.File, 0);
        last.File.Sync();
        directory.Sync();
    }

    private static void Copy(IStoreFile from, long start, long end, IStoreFile to, long shift)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(CopySize);
        while (start < end && from.Read(block.AsSpan(0, (int)Math.Min(block.Length, end - start)), start) is int read and > 0)
        {
            to.Write(block.AsSpan(0, read), start + shift);
            start += read;
        }

        ArrayPool<byte>.Shared.Return(block);
    }

    private void Tell(long lsn)
    {
        long now = options.Time.GetTimestamp();
        if (options.Time.GetElapsedTime(_told, now) < TimeSpan.FromSeconds(1))
            return;
        _told = now;
        long size = _segments.Last.End - _segments.Start;
        options.Tell(
            $"Reading '{directory.Path}': {(lsn - _segments.Start) >> 20} of {size >> 20} MiB after {options.Time.GetElapsedTime(_started, now).TotalSeconds:F0} s.");
    }
}
