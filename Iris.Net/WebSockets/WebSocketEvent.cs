namespace Iris.Net.WebSockets;

/// <summary>What a <see cref="WebSocketProtocol"/> read.</summary>
internal enum WebSocketEvent
{
    /// <summary>Nothing yet: more input is needed.</summary>
    None,

    /// <summary>A whole text message, valid UTF-8: <see cref="WebSocketProtocol.Message"/>.</summary>
    TextMessage,

    /// <summary>A whole binary message: <see cref="WebSocketProtocol.Message"/>.</summary>
    BinaryMessage,

    /// <summary>A part of a text message, and not its last, which is a <see cref="TextMessage"/>. It may end within a
    /// character.</summary>
    TextPart,

    /// <summary>A part of a binary message, and not its last, which is a <see cref="BinaryMessage"/>.</summary>
    BinaryPart,

    /// <summary>A ping; its pong stands in the replies unless we have closed.</summary>
    Ping,

    /// <summary>A pong, asked for or not.</summary>
    Pong,

    /// <summary>
    /// The peer's close: <see cref="WebSocketProtocol.CloseCode"/> and <see cref="WebSocketProtocol.CloseReason"/>.
    /// Ours is due where <see cref="WebSocketProtocol.IsCloseWritten"/> is false.
    /// </summary>
    Close,

    /// <summary>
    /// The peer broke the protocol or a limit, and <see cref="WebSocketProtocol.CloseCode"/> is what it is told.
    /// Our close is due where <see cref="WebSocketProtocol.IsCloseWritten"/> is false.
    /// </summary>
    Failed,
}
