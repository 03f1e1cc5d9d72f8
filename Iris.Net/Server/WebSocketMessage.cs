using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>What <see cref="WebSocketConnection.ReceiveAsync"/> brings.</summary>
public enum WebSocketMessageKind
{
    /// <summary>Valid UTF-8.</summary>
    Text,

    /// <summary>Any bytes.</summary>
    Binary,

    /// <summary>The last: nothing more will come.</summary>
    Closed,
}

/// <summary>One whole message, or the end.</summary>
public readonly struct WebSocketMessage
{
    internal WebSocketMessage(WebSocketMessageKind kind, ReadOnlyMemory<byte> payload) => (Kind, Payload) = (kind, payload);

    internal WebSocketMessage(WebSocketCloseCode code) => (Kind, CloseCode) = (WebSocketMessageKind.Closed, code);

    /// <summary>What it is.</summary>
    public WebSocketMessageKind Kind { get; }

    /// <summary>The message, valid until the next receive; empty at the end.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>At the end: the code of the close, ours where the peer broke a rule, 1006 where there was none.</summary>
    public WebSocketCloseCode CloseCode { get; }
}
