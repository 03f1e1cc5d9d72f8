using System.Buffers;

namespace Iris.Net.Stores.Files;

/// <summary>Takes a frame while a segment is read; its bytes are valid until it returns.</summary>
/// <returns>What is wrong with it; null where nothing is.</returns>
internal delegate string? FrameVisitor(in RecordFrame frame, ReadOnlyMemory<byte> whole);

/// <summary>How the reading of a segment ended.</summary>
internal enum SegmentEnd : byte
{
    /// <summary>The last frame ends where the segment does.</summary>
    Whole,

    /// <summary>The file ends inside a frame, or is zeros from some sector on.</summary>
    Torn,

    /// <summary>A frame is not as it was written.</summary>
    Damaged,
}

/// <summary>Reads the frames of one segment in order, in large blocks.</summary>
internal sealed class SegmentReader
{
    private const int BlockSize = 1 << 20;
    private const int Sector = 512;   // a disk writes no less at once

    private readonly IStoreFile _file;
    private readonly SegmentHeader _header;
    private readonly long _limit;
    private byte[] _block = new byte[BlockSize];
    private int _start, _count;

    /// <param name="file">The segment's file.</param>
    /// <param name="header">Its header.</param>
    /// <param name="limit">Where in the file it ends.</param>
    public SegmentReader(IStoreFile file, SegmentHeader header, long limit) => (_file, _header, _limit) = (file, header, limit);

    /// <summary>The LSN behind the last frame that is as it was written.</summary>
    public long Lsn { get; private set; }

    /// <summary>What is wrong there.</summary>
    public string What { get; private set; } = "";

    private long Offset => Lsn - _header.Base + SegmentHeader.Size;

    /// <summary>Reads to the end, or to the first frame that is not as it was written.</summary>
    public SegmentEnd Read(FrameVisitor visit)
    {
        Lsn = _header.Base;
        while (Offset < _limit)
        {
            OperationStatus status = RecordFrame.TryRead(_block.AsSpan(_start, _count), out RecordFrame frame);
            int needed = frame.Length == 0 ? RecordFrame.HeaderSize : frame.Length;   // its length is told once its header is whole
            if (status == OperationStatus.NeedMoreData)
            {
                if (Offset + needed <= _limit && Fill(needed))
                    continue;
                What = "the file ends inside a frame";
                return SegmentEnd.Torn;
            }

            if (status != OperationStatus.Done)
            {
                What = _block.AsSpan(_start, _count).StartsWith(Segment.GoesOnMark) ? "the file in which the log goes on is missing"
                    : frame.Length == 0 ? "a frame's header is not as it was written" : "a frame's records are not as they were written";
                return IsZeroBefore(Offset + needed) ? SegmentEnd.Torn : SegmentEnd.Damaged;
            }

            if (frame.Lsn != Lsn)
            {
                What = "a frame stands where another one was written";
                return SegmentEnd.Damaged;
            }

            if (visit(frame, _block.AsMemory(_start, frame.Length)) is { } wrong)
            {
                What = wrong;
                return SegmentEnd.Damaged;
            }

            _start += frame.Length;
            _count -= frame.Length;
            Lsn += frame.Length;
        }

        return SegmentEnd.Whole;
    }

    private bool Fill(int needed)
    {
        byte[] from = _block;
        if (needed > _block.Length)
            _block = new byte[needed];
        from.AsSpan(_start, _count).CopyTo(_block);
        _start = 0;
        while (_count < needed)
        {
            long at = Offset + _count;
            int room = (int)Math.Min(_block.Length - _count, _limit - at);
            int read = room <= 0 ? 0 : _file.Read(_block.AsSpan(_count, room), at);
            if (read == 0)
                return false;
            _count += read;
        }

        return true;
    }

    // A crash leaves zeros where a file grew and its content was not written: from this frame's start, or from a sector's that
    // begins inside the frame, to the file's end.
    private bool IsZeroBefore(long end)
    {
        long zeros = _limit;
        byte[] block = new byte[BlockSize / 16];
        while (zeros > Offset)
        {
            int length = (int)Math.Min(block.Length, zeros - Offset);
            int read = _file.Read(block.AsSpan(0, length), zeros - length);
            int last = block.AsSpan(0, read).LastIndexOfAnyExcept((byte)0);
            zeros -= length - 1 - last;
            if (last >= 0)
                break;
        }

        long from = zeros <= Offset ? Offset : (zeros + Sector - 1) / Sector * Sector;
        return from < _limit && from < end;
    }
}
