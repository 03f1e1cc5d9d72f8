using System.Buffers;
using System.Buffers.Text;

namespace Iris.Net.Http;

/// <summary>
/// <c>status-line *( field-line CRLF ) CRLF</c>, RFC 9112 section 2.1: the caller's fields, Date, Connection where the
/// connection ends, and the one field that frames the body.
/// </summary>
internal static class ResponseHeadWriter
{
    // Date 37, Connection 19, framing at most 37, the empty line 2.
    private const int MaxOwnFields = 96;

    /// <summary>The whole interim response that asks for the body, RFC 9110 section 15.2.1.</summary>
    public static ReadOnlySpan<byte> Continue => "HTTP/1.1 100 Continue\r\n\r\n"u8;

    public static void Write(IBufferWriter<byte> output, in ResponseHead head)
    {
        Span<byte> destination = output.GetSpan(StatusLine.MaxLength + head.FieldLines.Length + MaxOwnFields);
        int at = StatusLine.Format(destination, head.Status);
        Append(destination, ref at, head.FieldLines);
        if (!head.Date.IsEmpty)
        {
            Append(destination, ref at, "Date: "u8);
            Append(destination, ref at, head.Date);
            Append(destination, ref at, "\r\n"u8);
        }
        if (head.Close)
            Append(destination, ref at, "Connection: close\r\n"u8);
        if (StatusLine.AllowsContent(head.Status))
            AppendFraming(destination, ref at, head.Framing);
        Append(destination, ref at, "\r\n"u8);
        output.Advance(at);
    }

    private static void AppendFraming(Span<byte> destination, ref int at, in BodyFraming framing)
    {
        switch (framing.Kind)
        {
            case BodyFramingKind.Length:
                Append(destination, ref at, "Content-Length: "u8);
                Utf8Formatter.TryFormat(framing.Length, destination[at..], out int digits);
                at += digits;
                Append(destination, ref at, "\r\n"u8);
                break;
            case BodyFramingKind.Chunked:
                Append(destination, ref at, "Transfer-Encoding: chunked\r\n"u8);
                break;
            case BodyFramingKind.None:
                break;
        }
    }

    private static void Append(Span<byte> destination, ref int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(destination[at..]);
        at += bytes.Length;
    }
}
