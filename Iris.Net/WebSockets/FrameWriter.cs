using System.Buffers;

namespace Iris.Net.WebSockets;

/// <summary>Writes a server's frames, which are never masked (RFC 6455 section 5.1).</summary>
internal static class FrameWriter
{
    /// <summary>Writes one frame; a message in one frame where it is final.</summary>
    public static void Write(
        IBufferWriter<byte> output, Opcode opcode, ReadOnlySpan<byte> payload, bool isFinal = true, bool isCompressed = false)
    {
        FrameHeader.Write(output, new FrameHeader(isFinal, opcode, payload.Length, IsCompressed: isCompressed));
        output.Write(payload);
    }

    /// <summary>Writes one frame; a message in one frame where it is final.</summary>
    public static void Write(IBufferWriter<byte> output, Opcode opcode, in ReadOnlySequence<byte> payload, bool isFinal = true)
    {
        FrameHeader.Write(output, new FrameHeader(isFinal, opcode, payload.Length));
        foreach (var segment in payload)
            output.Write(segment.Span);
    }
}
