using System.Buffers;
using System.Runtime.InteropServices;

namespace Iris.Net.Transport;

/// <summary>One block of a connection's bytes: rented, or lent by a writer for the time of a flush.</summary>
internal sealed class BufferSegment : ReadOnlySequenceSegment<byte>
{
    [ThreadStatic]
    private static BufferSegment? _spare;

    private byte[]? _block;

    /// <summary>How much of the block is filled.</summary>
    public int End { get; private set; }

    /// <summary>The room behind what is filled; none in a lent block.</summary>
    public Memory<byte> Free => _block.AsMemory(_block is null ? 0 : End);

    public BufferSegment? Following => (BufferSegment?)Next;

    /// <summary>An empty segment: the last one that this thread released, or a new one.</summary>
    public static BufferSegment Take()
    {
        BufferSegment segment = _spare ?? new BufferSegment();
        _spare = null;
        return segment;
    }

    public void Rent(int size)
    {
        _block = BlockPool.Rent(size);
        End = 0;
        Memory = default;
    }

    /// <summary>Takes over a rented block that is filled to some part.</summary>
    public void Own(byte[] block, int filled)
    {
        _block = block;
        End = 0;
        Fill(filled);
    }

    public void Lend(ReadOnlyMemory<byte> bytes)
    {
        Memory = bytes;
        End = bytes.Length;
    }

    public void Fill(int count)
    {
        End += count;
        Memory = _block.AsMemory(0, End);
    }

    public void Append(BufferSegment next)
    {
        next.RunningIndex = RunningIndex + Memory.Length;
        Next = next;
    }

    /// <summary>Whether the bytes lie in an array, which sending several blocks at once demands.</summary>
    public bool TryGetArray(int start, out ArraySegment<byte> array) => MemoryMarshal.TryGetArray(Memory[start..], out array);

    /// <summary>Gives the block and the segment back; tells which one follows.</summary>
    public BufferSegment? Release()
    {
        if (_block is not null)
            BlockPool.Return(_block);
        BufferSegment? next = Following;
        _block = null;
        Memory = default;
        End = 0;
        Next = null;
        RunningIndex = 0;
        _spare = this;
        return next;
    }
}
