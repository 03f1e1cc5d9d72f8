using System.Buffers;

namespace Iris.Net.WebSockets;

/// <summary>One message's bytes in rented arrays, which are there only while a message is: up to 64 KiB in one array, what is more
/// in a chain, so that a large message is neither moved nor in need of a large array.</summary>
internal struct MessageBuffer
{
    // A head may promise a megabyte and send nothing: memory follows the bytes that came, not those that were announced.
    private const int FirstSize = 4096, LargestSize = 64 * 1024, Growth = 4;

    private byte[]? _block;     // the last
    private int _filled;        // of it
    private Link? _first;       // those before it, which are full
    private Link? _last;
    private long _before;       // in them

    /// <summary>How many bytes are written.</summary>
    public readonly long Length => _before + _filled;

    /// <summary>The bytes that are written; valid until <see cref="Release"/>.</summary>
    public readonly ReadOnlySequence<byte> Written
    {
        get
        {
            if (_first is null)
                return new ReadOnlySequence<byte>(_block ?? [], 0, _filled);
            Link end = _last!.Append(_block!, _filled);
            return new ReadOnlySequence<byte>(_first, 0, end, _filled);
        }
    }

    /// <summary>Appends room for <paramref name="count"/> bytes or fewer, which the caller fills.</summary>
    /// <param name="count">1 at least.</param>
    /// <param name="most">The most bytes that the message can come to.</param>
    public Span<byte> Append(int count, long most)
    {
        if (_block is null || _block.Length - _filled < count)
            Grow(count, most);

        Span<byte> room = _block.AsSpan(_filled);
        if (room.Length > count)
            room = room[..count];
        _filled += room.Length;
        return room;
    }

    /// <summary>Room for bytes whose number is not known yet: at least one, and no more than the message can still come to.
    /// Those that are filled are taken with <see cref="Append"/>.</summary>
    /// <param name="most">The most bytes that the message can come to; more than there are.</param>
    public Span<byte> Room(long most)
    {
        if (_block is null || _block.Length == _filled)
            Grow(1, most);
        return _block.AsSpan(_filled, (int)Math.Min(_block!.Length - _filled, most - Length));
    }

    /// <summary>Returns the arrays; the buffer is empty and can be used again.</summary>
    public void Release()
    {
        if (_block is not null)
            ArrayPool<byte>.Shared.Return(_block);
        for (Link? link = _first; link is not null && link.Block != _block; link = link.Following)
            ArrayPool<byte>.Shared.Return(link.Block);
        this = default;
    }

    private void Grow(int count, long most)
    {
        if (_first is null && (_block is null || _block.Length < LargestSize))
        {
            long size = Math.Max(_filled + count, _block is null ? FirstSize : Growth * _block.Length);
            byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Min(size, LargestSize), Math.Max(most, _filled + 1)));
            if (_block is not null)
            {
                _block.AsSpan(0, _filled).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_block);
            }

            _block = larger;
        }
        else if (_filled == _block!.Length)
        {
            _last = _last is null ? _first = new Link(_block, _filled) : _last.Append(_block, _filled);
            _before += _filled;
            _block = ArrayPool<byte>.Shared.Rent(LargestSize);
            _filled = 0;
        }
    }

    private sealed class Link : ReadOnlySequenceSegment<byte>
    {
        public Link(byte[] block, int length) => (Block, Memory) = (block, block.AsMemory(0, length));

        public byte[] Block { get; }

        public Link? Following => (Link?)Next;

        public Link Append(byte[] block, int length)
        {
            Link next = new(block, length) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
