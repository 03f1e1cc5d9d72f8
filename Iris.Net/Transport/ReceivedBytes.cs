using System.Buffers;

namespace Iris.Net.Transport;

/// <summary>Bytes that were received and not consumed, in rented blocks that the socket itself fills; where nothing waits to
/// be consumed, none is held.</summary>
internal struct ReceivedBytes
{
    private const int Block = BlockPool.BlockSize, LargeBlock = 32 * 1024, LeastRoom = 512;

    private BufferSegment? _head;
    private BufferSegment? _tail;
    private int _consumed;      // of the head

    /// <summary>What there is.</summary>
    public readonly ReadOnlySequence<byte> Sequence => _tail is null
        ? ReadOnlySequence<byte>.Empty
        : new ReadOnlySequence<byte>(_head!, _consumed, _tail, _tail.End);

    /// <summary>Begins with a rented block that others filled.</summary>
    /// <param name="block">Is owned from now on.</param>
    /// <param name="filled">How much of it was received.</param>
    /// <param name="consumed">How much of that was consumed.</param>
    public void Own(byte[] block, int filled, int consumed)
    {
        Append().Own(block, filled);
        _consumed = consumed;
        if (consumed == filled)
            Clear();
    }

    /// <summary>Room for what is received next.</summary>
    /// <param name="much">Whether much is expected.</param>
    public Memory<byte> Room(bool much)
    {
        if (_tail is null || _tail.Free.Length < LeastRoom)
            Append().Rent(much ? LargeBlock : Block);
        return _tail!.Free;
    }

    /// <summary>Adds what was received into the room; nothing leaves no block behind.</summary>
    public void Fill(int count)
    {
        _tail!.Fill(count);
        if (_head == _tail && _tail.End == 0)
            Clear();
    }

    /// <summary>Gives back what was consumed; tells whether all there is was examined.</summary>
    public bool Consume(SequencePosition consumed, SequencePosition examined)
    {
        if (_tail is null)
            return true;
        long end = _tail.RunningIndex + _tail.End;
        bool examinedAll = IndexOf(examined) == end;
        if (IndexOf(consumed) == end)
        {
            Clear();
            return true;
        }

        while (_head != consumed.GetObject())
            Release();
        _consumed = consumed.GetInteger();
        return examinedAll;
    }

    public void Clear()
    {
        while (_head is not null)
            Release();
        _tail = null;
        _consumed = 0;
    }

    private static long IndexOf(SequencePosition at) => ((BufferSegment)at.GetObject()!).RunningIndex + at.GetInteger();

    private BufferSegment Append()
    {
        BufferSegment next = BufferSegment.Take();
        if (_tail is null)
            (_head, _consumed) = (next, 0);
        else
            _tail.Append(next);
        return _tail = next;
    }

    private void Release() => _head = _head!.Release();
}
