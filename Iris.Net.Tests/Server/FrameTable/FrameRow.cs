namespace Iris.Net.Tests.Server.FrameTable;

/// <summary>What a client sends after the handshake to a server that echoes, and all that it gets back, to the byte.</summary>
internal sealed record FrameRow(string Name, byte[] Sent, byte[] Answered)
{
    /// <summary>Whether the client broke a rule; the other rows end with its close, and the answer to it.</summary>
    public bool IsMistake { get; init; }

    public override string ToString() => Name;
}
