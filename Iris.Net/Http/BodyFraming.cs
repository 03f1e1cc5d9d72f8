using System.Text;

namespace Iris.Net.Http;

/// <summary>How the end of a message body is told, RFC 9112 section 6.</summary>
internal enum BodyFramingKind
{
    /// <summary>A request has no body; a response has none, or it ends when the connection does.</summary>
    None,

    /// <summary>Content-Length.</summary>
    Length,

    /// <summary>Transfer-Encoding: chunked.</summary>
    Chunked,
}

/// <summary>The framing of one message body.</summary>
internal readonly record struct BodyFraming(BodyFramingKind Kind, long Length)
{
    public static readonly BodyFraming None = new(BodyFramingKind.None, 0);
    public static readonly BodyFraming Chunked = new(BodyFramingKind.Chunked, 0);

    public static BodyFraming OfLength(long length) => new(BodyFramingKind.Length, length);

    /// <summary>Judges the fields that frame a request body. Whatever two readers could read in two ways is refused.</summary>
    public static RejectionReason TryDetermine(RequestHead head, out BodyFraming framing)
    {
        framing = None;
        bool hasLength = head.Headers.TryGet("content-length"u8, out ReadOnlySpan<byte> length);
        bool hasCoding = head.Headers.TryGet("transfer-encoding"u8, out _);
        if (hasCoding)
        {
            if (hasLength)
                return RejectionReason.ContentLengthWithTransferEncoding;
            framing = Chunked;
            return head.Version == ProtocolVersion.Http10
                ? RejectionReason.TransferEncodingInHttp10
                : JudgeTransferEncoding(head.Headers);
        }
        if (!hasLength)
            return RejectionReason.None;
        if (head.Headers.CountOf("content-length"u8) > 1)
            return RejectionReason.SeveralContentLengths;
        if (!TryParseLength(length, out long value))
            return RejectionReason.InvalidContentLength;
        framing = OfLength(value);
        return RejectionReason.None;
    }

    private static bool TryParseLength(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        if (text.IsEmpty || (text[0] == '0' && text.Length > 1))
            return false;
        foreach (byte digit in text)
        {
            if (!char.IsAsciiDigit((char)digit))
                return false;
            int number = digit - '0';
            if (value > (long.MaxValue - number) / 10)
                return false;
            value = value * 10 + number;
        }
        return true;
    }

    // RFC 9112 section 6.1. A malformed list is 400 before an unknown coding is 501.
    private static RejectionReason JudgeTransferEncoding(HeaderList headers)
    {
        bool isChunked = false;
        bool hasUnknown = false;
        foreach (ReadOnlySpan<byte> value in headers.ValuesOf("transfer-encoding"u8))
            foreach (ReadOnlySpan<byte> coding in new ListElements(value))
            {
                if (isChunked || !TryGetCodingName(coding, out ReadOnlySpan<byte> name))
                    return RejectionReason.MalformedTransferEncoding;
                if (!Ascii.EqualsIgnoreCase(name, "chunked"u8))
                    hasUnknown = true;
                else if (name.Length == coding.Length)
                    isChunked = true;
                else
                    return RejectionReason.MalformedTransferEncoding;
            }
        return hasUnknown ? RejectionReason.UnknownTransferEncoding : RejectionReason.None;
    }

    // transfer-coding = token *( OWS ";" OWS transfer-parameter )
    private static bool TryGetCodingName(ReadOnlySpan<byte> coding, out ReadOnlySpan<byte> name)
    {
        int length = coding.IndexOfAnyExcept(Grammar.TokenCharacters);
        name = length < 0 ? coding : coding[..length];
        return !name.IsEmpty && (length < 0 || coding[length..].TrimStart(" \t"u8) is [(byte)';', ..]);
    }
}
