using System.Buffers;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>What <see cref="WebSocketConnection.ReceiveAsync"/> and <see cref="WebSocketConnection.ReceivePartAsync"/>
/// bring.</summary>
public enum WebSocketMessageKind
{
    /// <summary>Valid UTF-8.</summary>
    Text,

    /// <summary>Any bytes.</summary>
    Binary,

    /// <summary>The last: nothing more will come.</summary>
    Closed,
}

/// <summary>One whole message, a part of one, or the end.</summary>
public readonly struct WebSocketMessage
{
    internal WebSocketMessage(WebSocketMessageKind kind, in ReadOnlySequence<byte> payload, bool isLast) =>
        (Kind, Payload, IsLast) = (kind, payload, isLast);

    internal WebSocketMessage(WebSocketCloseCode code) => (Kind, CloseCode, IsLast) = (WebSocketMessageKind.Closed, code, true);

    /// <summary>What it is.</summary>
    public WebSocketMessageKind Kind { get; }

    /// <summary>The message, or the part, valid until the next receive; empty at the end.</summary>
    public ReadOnlySequence<byte> Payload { get; }

    /// <summary>False: further parts of the same message follow.</summary>
    public bool IsLast { get; }

    /// <summary>At the end: the code of the close, ours where the peer broke a rule, 1006 where there was none.</summary>
    public WebSocketCloseCode CloseCode { get; }
}
