using System.Buffers;

namespace Iris.Net.Stores.Files;

/// <summary>Learns what became of frames that somebody waits for; called on the writer's thread.</summary>
internal interface ISyncWaiter
{
    /// <summary>The frame is on disk. May come after <see cref="Failed"/>, once the disk is well again.</summary>
    void Synced();

    /// <summary>What will become of the frame is not known yet.</summary>
    void Failed(IOException why);
}

/// <summary>Frames that are written at once.</summary>
internal sealed class FrameBatch
{
    private const int KeptCapacity = 1 << 20;

    private ArrayBufferWriter<byte> _bytes = new(1 << 14);

    /// <summary>The LSN of the first byte.</summary>
    public long Base { get; private set; }

    public long End => Base + _bytes.WrittenCount;

    public int Length => _bytes.WrittenCount;

    public IBufferWriter<byte> Output => _bytes;

    public ReadOnlyMemory<byte> Bytes => _bytes.WrittenMemory;

    public List<ISyncWaiter> Waiters { get; } = [];

    public FrameBatch StartAt(long lsn)
    {
        if (_bytes.Capacity > KeptCapacity)
            _bytes = new ArrayBufferWriter<byte>(1 << 14);
        _bytes.ResetWrittenCount();
        Waiters.Clear();
        Base = lsn;
        return this;
    }

    /// <summary>A copy of the frame at an LSN.</summary>
    public FrameBytes Read(long lsn)
    {
        ReadOnlyMemory<byte> from = Bytes[(int)(lsn - Base)..];
        if (RecordFrame.TryReadHeader(from.Span, out RecordFrame frame) != OperationStatus.Done)
            throw new ArgumentOutOfRangeException(nameof(lsn), lsn, "No frame begins there.");
        return new FrameBytes(frame, from[..frame.Length].ToArray());
    }
}
