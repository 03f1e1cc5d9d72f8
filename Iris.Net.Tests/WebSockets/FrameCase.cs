using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>What a client sends, and the one right answer as <see cref="ProtocolFeeder"/> writes it down.</summary>
internal sealed record FrameCase(string Name, string Answer, params byte[][] Frames)
{
    public MessageLimits Limits { get; init; } = new();

    public byte[] Input => [.. Frames.SelectMany(frame => frame)];

    /// <summary>Whether the last byte makes the answer: one byte less and it must not be there yet.</summary>
    public bool EndsAtLastByte { get; init; }

    public override string ToString() => Name;
}
