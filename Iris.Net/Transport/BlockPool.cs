using System.Buffers;

namespace Iris.Net.Transport;

/// <summary>Blocks for bytes that come and go. The base library's pool keeps some dozen of a size: where thousands of connections
/// hold one each, all others would be garbage that has grown old. Here as many stay as were in use within the last minutes.</summary>
internal static class BlockPool
{
    /// <summary>Bytes of a block that this pool keeps; others come from the base library's.</summary>
    public const int BlockSize = 4096;

    private const int Most = 8192;   // 32 MiB

    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(2);
    private static readonly Lock Gate = new();
    private static readonly byte[]?[] Blocks = new byte[]?[Most];

    [ThreadStatic]
    private static byte[]? _own;

    private static int _count, _least;
    private static long _leastSince = TimeProvider.System.GetTimestamp();

    /// <summary>A block of this size at least, with whatever it held before.</summary>
    public static byte[] Rent(int size)
    {
        if (size != BlockSize)
            return ArrayPool<byte>.Shared.Rent(size);
        if (_own is not { } block)
            return TryPop() ?? new byte[BlockSize];
        _own = null;
        return block;
    }

    /// <summary>Takes a block back.</summary>
    public static void Return(byte[] block)
    {
        if (block.Length != BlockSize)
            ArrayPool<byte>.Shared.Return(block);
        else if (_own is null)
            _own = block;
        else
            Push(block);
    }

    private static byte[]? TryPop()
    {
        lock (Gate)
        {
            if (_count == 0)
                return null;
            byte[] block = Blocks[--_count]!;
            Blocks[_count] = null;
            _least = Math.Min(_least, _count);
            return block;
        }
    }

    private static void Push(byte[] block)
    {
        lock (Gate)
        {
            if (_count < Most)
                Blocks[_count++] = block;
            if (TimeProvider.System.GetElapsedTime(_leastSince) > KeptFor)
                Trim();
        }
    }

    // What nobody needed for so long goes.
    private static void Trim()
    {
        Array.Clear(Blocks, _count -= _least, _least);
        (_least, _leastSince) = (_count, TimeProvider.System.GetTimestamp());
    }
}
