using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Iris.Net.WebSockets;

/// <summary>The payload of a close frame: nothing, or a code and a reason (RFC 6455 section 5.5.1).</summary>
internal static class CloseFrame
{
    /// <summary>The longest reason in bytes of UTF-8: what a control frame holds beside the code.</summary>
    public const int MaxReasonLength = FrameHeader.MaxControlLength - CodeLength;

    private const int CodeLength = 2;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether the code may stand in a close frame (RFC 6455 section 7.4 and the registry).</summary>
    public static bool IsSendable(WebSocketCloseCode code) =>
        (ushort)code is >= 1000 and <= 1003 or >= 1007 and <= 1014 or >= 3000 and <= 4999;

    /// <summary>
    /// Takes an unmasked payload apart. The answer is null where it is valid, otherwise the code to fail the connection with.
    /// No payload is <see cref="WebSocketCloseCode.NoStatusReceived"/>.
    /// </summary>
    public static WebSocketCloseCode? Judge(ReadOnlySpan<byte> payload, out WebSocketCloseCode code, out string reason)
    {
        code = WebSocketCloseCode.NoStatusReceived;
        reason = "";
        if (payload.IsEmpty)
            return null;
        if (payload.Length < CodeLength)
            return WebSocketCloseCode.ProtocolError;

        var sent = (WebSocketCloseCode)BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (!IsSendable(sent))
            return WebSocketCloseCode.ProtocolError;
        if (!Utf8.IsValid(payload[CodeLength..]))
            return WebSocketCloseCode.InvalidPayload;

        code = sent;
        reason = Strict.GetString(payload[CodeLength..]);
        return null;
    }

    /// <summary>Writes a close frame; <see cref="WebSocketCloseCode.NoStatusReceived"/> writes one without payload.</summary>
    /// <exception cref="ArgumentException">
    /// The code may not be sent, or the reason is not text, is longer than <see cref="MaxReasonLength"/> or comes without a
    /// code.
    /// </exception>
    public static void Write(IBufferWriter<byte> output, WebSocketCloseCode code, ReadOnlySpan<char> reason = default)
    {
        Span<byte> payload = stackalloc byte[FrameHeader.MaxControlLength];
        FrameWriter.Write(output, Opcode.Close, payload[..Compose(payload, code, reason)]);
    }

    private static int Compose(Span<byte> payload, WebSocketCloseCode code, ReadOnlySpan<char> reason)
    {
        if (code == WebSocketCloseCode.NoStatusReceived && reason.IsEmpty)
            return 0;
        if (!IsSendable(code))
            throw new ArgumentException($"The close code {(ushort)code} may not be sent.", nameof(code));
        if (Strict.GetByteCount(reason) > MaxReasonLength)
            throw new ArgumentException($"A close reason has at most {MaxReasonLength} bytes of UTF-8.", nameof(reason));

        BinaryPrimitives.WriteUInt16BigEndian(payload, (ushort)code);
        return CodeLength + Strict.GetBytes(reason, payload[CodeLength..]);
    }
}
