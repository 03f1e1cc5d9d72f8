using System.Buffers;

namespace Iris.Net.WebSockets;

/// <summary>One message's bytes in a rented array, which is there only while a message is.</summary>
internal struct MessageBuffer
{
    // A head may promise a megabyte and send nothing: memory follows the bytes that came, not those that were announced.
    private const int FirstSize = 4096;
    private const int Growth = 4;

    private byte[]? _bytes;

    /// <summary>How many bytes are written.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes that are written; valid until <see cref="Release"/>.</summary>
    public readonly ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>Appends room for <paramref name="count"/> bytes, which the caller fills.</summary>
    /// <param name="count">1 at least.</param>
    /// <param name="most">The most bytes that the message can come to.</param>
    public Span<byte> Append(int count, long most)
    {
        var needed = Length + count;
        if (_bytes is null || _bytes.Length < needed)
            Grow(needed, most);

        var room = _bytes.AsSpan(Length, count);
        Length = needed;
        return room;
    }

    /// <summary>Room for bytes whose number is not known yet: at least one, and no more than the message can still come to.
    /// Those that are filled are taken with <see cref="Append"/>.</summary>
    /// <param name="most">The most bytes that the message can come to; more than there are.</param>
    public Span<byte> Room(long most)
    {
        if (_bytes is null || _bytes.Length == Length)
            Grow(Length + 1, most);
        return _bytes.AsSpan(Length, (int)Math.Min(_bytes!.Length, most) - Length);
    }

    /// <summary>Returns the array; the buffer is empty and can be used again.</summary>
    public void Release()
    {
        if (_bytes is not null)
            ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = null;
        Length = 0;
    }

    private void Grow(int needed, long most)
    {
        var size = _bytes is null ? FirstSize : (long)Growth * _bytes.Length;
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(needed, Math.Min(size, most)));
        if (_bytes is not null)
        {
            _bytes.AsSpan(0, Length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
        }

        _bytes = larger;
    }
}
