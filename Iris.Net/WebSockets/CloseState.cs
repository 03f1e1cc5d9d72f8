namespace Iris.Net.WebSockets;

/// <summary>How far a connection's closing handshake is (RFC 6455 section 7).</summary>
internal enum CloseState
{
    /// <summary>Neither side has closed.</summary>
    Active,

    /// <summary>Our close frame is written, the peer's is awaited; its data is skipped.</summary>
    ClosedByUs,

    /// <summary>The peer's close frame was read, ours is due.</summary>
    ClosedByPeer,

    /// <summary>Both close frames are exchanged.</summary>
    CloseAcknowledged,

    /// <summary>The peer broke the protocol or a limit: nothing that it sends is read any more.</summary>
    Terminated,
}
