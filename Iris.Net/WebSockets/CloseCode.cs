namespace Iris.Net.WebSockets;

/// <summary>
/// Why a WebSocket closed (RFC 6455 section 7.4.1 and the registry of close codes); 3000 to 4999 are free for libraries and
/// applications.
/// </summary>
public enum WebSocketCloseCode : ushort
{
    /// <summary>The purpose of the connection is fulfilled.</summary>
    NormalClosure = 1000,

    /// <summary>The endpoint goes away: a server that shuts down, a page that is left.</summary>
    GoingAway = 1001,

    /// <summary>The peer broke the framing rules.</summary>
    ProtocolError = 1002,

    /// <summary>The peer sent a type of data that is not accepted here.</summary>
    UnsupportedData = 1003,

    /// <summary>The close frame carried no code. Never sent.</summary>
    NoStatusReceived = 1005,

    /// <summary>The connection ended without a close frame. Never sent.</summary>
    AbnormalClosure = 1006,

    /// <summary>A message's content does not fit its type: text that is not UTF-8.</summary>
    InvalidPayload = 1007,

    /// <summary>The peer broke a rule that has no code of its own.</summary>
    PolicyViolation = 1008,

    /// <summary>The message is larger than this endpoint takes.</summary>
    MessageTooBig = 1009,

    /// <summary>The client expected an extension that the server did not negotiate.</summary>
    MandatoryExtension = 1010,

    /// <summary>The endpoint met a condition that it did not expect.</summary>
    InternalError = 1011,

    /// <summary>The service restarts.</summary>
    ServiceRestart = 1012,

    /// <summary>The service is overloaded, or the peer reads too slowly: come back later.</summary>
    TryAgainLater = 1013,

    /// <summary>A gateway got an invalid answer from the server behind it.</summary>
    BadGateway = 1014,

    /// <summary>The TLS handshake failed. Never sent.</summary>
    TlsHandshake = 1015,
}
