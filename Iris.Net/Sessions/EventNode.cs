namespace Iris.Net.Sessions;

/// <summary>One event; a reader's place is the last one that it took. Open ones are deltas that no reader has come to yet:
/// further ones are joined to them.</summary>
internal sealed class EventNode(EventKind kind, byte[] json, long deltas, EventPlace place, bool isOpen = false)
{
    /// <summary>What an event costs beside its bytes.</summary>
    public const int Overhead = 32;

    private const int LongestJoined = 16 * 1024;

    private EventNode? _next;
    private byte[] _json = json;
    private int _length = json.Length;
    private volatile bool _isOpen = isOpen;

    public EventKind Kind => kind;

    /// <summary>Where it stands; of joined text the last one's.</summary>
    public EventPlace Place { get; private set; } = place;

    /// <summary>What it counts in memory.</summary>
    public int Size { get; private set; } = json.Length + Overhead;

    /// <summary>Bytes of deltas up to here: the distance of two nodes is a backlog.</summary>
    public long Deltas { get; private set; } = deltas;

    /// <summary>The event, which does not change any more.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        if (_isOpen)
        {
            lock (this)
                _isOpen = false;
        }

        return _json.AsMemory(0, _length);
    }

    /// <summary>Joins a delta to this one; false where a reader may have it already.</summary>
    public bool TryJoin(ReadOnlySpan<byte> delta)
    {
        if (!_isOpen)
            return false;
        lock (this)
        {
            ReadOnlySpan<byte> text = ChannelEvent.TextOf(delta);
            if (!_isOpen || _length + text.Length > LongestJoined)
                return _isOpen = false;
            ChannelEvent.Join(ref _json, ref _length, text);
            Deltas += text.Length;
            Size += delta.Length + Overhead;
            Place = Place.Next;
            return true;
        }
    }

    public EventNode? Next
    {
        get => Volatile.Read(ref _next);
        set => Volatile.Write(ref _next, value);
    }
}
