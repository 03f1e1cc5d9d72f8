using Iris.Net.Server;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>What goes out over one WebSocket: events with what extends them, and errors, of which few may wait.</summary>
internal class SocketOutput(ChannelWire wire, WebSocketConnection socket)
{
    /// <summary>What waits beside the socket's own buffer; more stays with the events, where deltas are joined, and a reader too far
    /// behind is cut.</summary>
    public const int MostUnsent = 64 * 1024;

    // Error replies that may wait for a peer that does not read them, before nothing more of it is read.
    private const int MostErrors = 16;

    private int _errors;    // error replies that may be unsent

    protected ChannelWire Wire => wire;

    protected WebSocketConnection Socket => socket;

    /// <summary>Whether a sender should wait until what is queued has left.</summary>
    public bool IsFull => socket.Unsent >= MostUnsent;

    /// <summary>Adds an event of a turn, with its id.</summary>
    public void Queue(ReadOnlySpan<byte> json, byte[]? reference, in EventCursor at)
    {
        Span<byte> id = stackalloc byte[EventCursor.MaxLength];
        Queue(json, reference, id[..at.Format(id)]);
    }

    /// <summary>Adds an event, with what is given of the message that caused it and of its id.</summary>
    public void Queue(ReadOnlySpan<byte> json, byte[]? reference, ReadOnlySpan<byte> id = default)
    {
        if (reference is null && id.IsEmpty)
        {
            socket.Queue(json);
            return;
        }

        RentedBuffer whole = new();
        WireJson.WriteExtended(whole, json, reference, id);
        socket.Queue(whole.Written.Span);
        whole.Clear();
    }

    /// <summary>Sends what was queued.</summary>
    public ValueTask FlushAsync(CancellationToken cancel = default) => socket.FlushAsync(cancel);

    /// <summary>Says why there is no turn.</summary>
    public ValueTask RefuseAsync(Admission admission, string? sessionId, byte[]? reference, CancellationToken cancel = default) =>
        SendErrorAsync(wire.ErrorEvent(wire.DetailsOf(admission, sessionId)), reference, cancel);

    /// <summary>Says what is wrong.</summary>
    public ValueTask RefuseAsync(RefusalCode code, string? message, byte[]? reference, CancellationToken cancel = default) =>
        SendErrorAsync(wire.ErrorEvent(code, message), reference, cancel);

    /// <summary>Sends an error. A peer that makes mistakes and reads nothing is not read any more.</summary>
    public async ValueTask SendErrorAsync(ReadOnlyMemory<byte> json, byte[]? reference, CancellationToken cancel = default)
    {
        Queue(json.Span, reference);
        _errors++;
        socket.BeginFlush();
        if (_errors >= MostErrors)
            await socket.FlushAsync(cancel).ConfigureAwait(false);
        if (socket.Unsent == 0)
            _errors = 0;
    }
}
