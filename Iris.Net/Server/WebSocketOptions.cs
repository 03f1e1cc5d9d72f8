namespace Iris.Net.Server;

/// <summary>How a WebSocket route's connections behave.</summary>
public sealed record WebSocketOptions
{
    /// <summary>False: a binary message closes with 1003. Default true.</summary>
    public bool AcceptBinary { get; init; } = true;

    /// <summary>Bytes of one message, judged from the frame's header. Default 1,048,576; more closes with 1009.</summary>
    public long MaxMessageSize { get; init; } = 1024 * 1024;

    /// <summary>Default 1,024; more closes with 1008.</summary>
    public int MaxFragmentsPerMessage { get; init; } = 1024;

    /// <summary>The subprotocols that the route speaks, the preferred one first; each a token. The first that the client offers
    /// is <see cref="WebSocketConnection.Subprotocol"/>. Default none.</summary>
    public IReadOnlyList<string> Subprotocols
    {
        get;
        init
        {
            if (value.FirstOrDefault(name => !WebSockets.Subprotocols.IsName(name)) is { } wrong)
                throw new ArgumentException($"'{wrong}' is not a token.", nameof(value));
            field = value;
        }
    } = [];

    /// <summary>Compresses messages for clients that offer it; null, the default, for none. <see cref="MaxMessageSize"/> then
    /// also bounds what a message inflates to, while it inflates.</summary>
    public WebSocketCompression? Compression { get; init; }
    /// <summary>Pings and pongs within 10 s. Default 100; more closes with 1008.</summary>
    public int MaxControlFrames { get; init; } = 100;

    /// <summary>Bytes that are read away, for <see cref="CloseTimeout"/> at most, behind a mistake or the end of the closing
    /// handshake, so that a peer that goes on sending still gets the close. Default 16,777,216.</summary>
    public long MaxCloseDrain { get; init; } = 16 * 1024 * 1024;

    /// <summary>How often an idle peer is pinged. Default 20 s.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the pong may take. Default 20 s; later closes with 1011.</summary>
    public TimeSpan PongTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long the peer's answer to a close may take. Default 5 s; then the connection ends without it.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
