using System.Net;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>An open WebSocket (RFC 6455). One caller receives; any number send. Pings, pongs and closes are answered here.</summary>
public sealed class WebSocketConnection
{
    internal WebSocketConnection() { }

    /// <summary>Who asked, as <see cref="HttpServerOptions.Before"/> found out.</summary>
    public string? Principal => throw new NotSupportedException();

    /// <summary>What <see cref="HttpServerOptions.Before"/> handed on.</summary>
    public object? State => throw new NotSupportedException();

    /// <summary>The peer's address; null on a Unix socket.</summary>
    public EndPoint? RemoteEndPoint => throw new NotSupportedException();

    /// <summary>Bytes queued and not yet handed to the system.</summary>
    public long Unsent => throw new NotSupportedException();

    /// <summary>Waits for the next whole message. After the end it brings the end again.</summary>
    public ValueTask<WebSocketMessage> ReceiveAsync(CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Adds one text message to what the next flush sends; waits for nothing. From any thread. After the close or the
    /// peer's end it does nothing.</summary>
    /// <param name="text">Valid UTF-8.</param>
    public void Queue(ReadOnlySpan<byte> text) => throw new NotSupportedException();

    /// <summary>Sends all that was queued in one send, and waits until the system took it. Several callers wait for one send.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Queues one text message and flushes.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="cancel">Ends the wait; the message stays queued.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask SendTextAsync(ReadOnlySpan<byte> text, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Queues one binary message and flushes.</summary>
    /// <param name="payload">Any bytes.</param>
    /// <param name="cancel">Ends the wait; the message stays queued.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask SendBinaryAsync(ReadOnlySpan<byte> payload, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Sends what was queued and a close frame. Whoever receives goes on until the peer's close came, 5 s at most.</summary>
    /// <param name="code">1000 to 1003, 1007 to 1014, or 3000 to 4999.</param>
    /// <param name="reason">At most 123 bytes of UTF-8.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="ArgumentException">The code or the reason may not be sent.</exception>
    public ValueTask CloseAsync(WebSocketCloseCode code, string reason = "", CancellationToken cancel = default) =>
        throw new NotSupportedException();
}
