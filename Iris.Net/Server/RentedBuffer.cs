using System.Buffers;

namespace Iris.Net.Server;

/// <summary>Bytes that are collected in one rented array, which is there only while there are bytes.</summary>
internal sealed class RentedBuffer : IBufferWriter<byte>
{
    private const int FirstSize = 512;
    private byte[] _bytes = [];
    private int _start;
    private int _end;

    public int Length => _end - _start;

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(_start, Length);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - _end);
        _end += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        int needed = Math.Max(sizeHint, 1);
        if (_bytes.Length - _end < needed)
            Grow(needed);
        return _bytes.AsMemory(_end);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Takes bytes off the front.</summary>
    public void Consume(int count)
    {
        _start += count;
        if (_start == _end)
            _start = _end = 0;
    }

    /// <summary>Gives the array back.</summary>
    public void Clear()
    {
        if (_bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _start = _end = 0;
    }

    private void Grow(int needed)
    {
        int length = Length;
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstSize, checked(length + Math.Max(length, needed))));
        Written.CopyTo(larger);
        if (_bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _start, _end) = (larger, 0, length);
    }
}
