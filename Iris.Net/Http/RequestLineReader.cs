using System.Buffers;

namespace Iris.Net.Http;

/// <summary><c>request-line = method SP request-target SP HTTP-version CRLF</c>, RFC 9112 section 3.</summary>
internal static class RequestLineReader
{
    /// <summary>
    /// Judges byte by byte from the left: the first byte that cannot stand where it stands decides, whether or not the
    /// line has ended.
    /// </summary>
    /// <param name="bytes">Starts with the request line.</param>
    /// <param name="limit">The most bytes of the line, without its CRLF.</param>
    /// <param name="line">Where its parts stand.</param>
    /// <param name="why">The reason for invalid data.</param>
    public static OperationStatus TryRead(ReadOnlySpan<byte> bytes, int limit, out RequestLine line, out RejectionReason why)
    {
        line = default;
        ReadOnlySpan<byte> text = bytes.Length > limit ? bytes[..limit] : bytes;

        int methodLength = text.IndexOfAnyExcept(Grammar.TokenCharacters);
        if (methodLength < 0)
            return Cut(bytes, limit, RejectionReason.MethodTooLong, out why);
        if (methodLength == 0 || text[methodLength] != ' ')
            return Refuse(text[methodLength], RejectionReason.MalformedRequestLine, out why);

        int targetStart = methodLength + 1;
        int targetLength = text[targetStart..].IndexOfAnyExcept(Grammar.TargetCharacters);
        if (targetLength < 0)
            return Cut(bytes, limit, RejectionReason.RequestLineTooLong, out why);
        int targetEnd = targetStart + targetLength;
        if (text[targetEnd] != ' ')
            return Refuse(text[targetEnd], RejectionReason.InvalidRequestTarget, out why);
        if (targetLength == 0)
            return Refuse(text[targetEnd], RejectionReason.MalformedRequestLine, out why);

        OperationStatus status = TryReadVersion(bytes, targetEnd + 1, limit, out ProtocolVersion version, out why);
        if (status != OperationStatus.Done)
            return status;
        ReadOnlySpan<byte> target = bytes.Slice(targetStart, targetLength);
        if (!RequestTarget.TryParse(bytes[..methodLength], target, out RequestTarget parts))
            return Refuse(RejectionReason.InvalidRequestTarget, out why);
        line = new RequestLine(methodLength, targetStart, targetLength, parts, version, targetEnd + 1 + VersionLength + 2);
        return OperationStatus.Done;
    }

    private const int VersionLength = 8;

    // HTTP-version = "HTTP" "/" DIGIT "." DIGIT, in capitals, RFC 9112 section 2.3; then CRLF.
    private static OperationStatus TryReadVersion(
        ReadOnlySpan<byte> bytes, int start, int limit, out ProtocolVersion version, out RejectionReason why)
    {
        version = ProtocolVersion.Http11;
        why = RejectionReason.None;
        if (start + VersionLength <= limit && bytes[start..].StartsWith("HTTP/1.1\r\n"u8))
            return OperationStatus.Done;

        for (int at = 0; at < VersionLength; at++)
        {
            if (start + at == limit)
                return Refuse(RejectionReason.RequestLineTooLong, out why);
            if (start + at == bytes.Length)
                return OperationStatus.NeedMoreData;
            byte value = bytes[start + at];
            if (at is 5 or 7 ? !char.IsAsciiDigit((char)value) : value != "HTTP/_._"u8[at])
                return Refuse(value, RejectionReason.MalformedVersion, out why);
        }
        ReadOnlySpan<byte> end = bytes[(start + VersionLength)..];
        if (!end.IsEmpty && end[0] != '\r')
            return Refuse(end[0], RejectionReason.MalformedVersion, out why);
        if (end.Length < 2)
            return OperationStatus.NeedMoreData;
        if (end[1] != '\n')
            return Refuse(RejectionReason.BareCarriageReturn, out why);
        if (bytes[start + 5] != '1' || bytes[start + 7] > '1')
            return Refuse(RejectionReason.UnsupportedVersion, out why);
        if (bytes[start + 7] == '0')
            version = ProtocolVersion.Http10;
        return OperationStatus.Done;
    }

    private static OperationStatus Cut(ReadOnlySpan<byte> bytes, int limit, RejectionReason overrun, out RejectionReason why)
    {
        why = bytes.Length >= limit ? overrun : RejectionReason.None;
        return why == RejectionReason.None ? OperationStatus.NeedMoreData : OperationStatus.InvalidData;
    }

    private static OperationStatus Refuse(byte offender, RejectionReason reason, out RejectionReason why) =>
        Refuse(offender == '\n' ? RejectionReason.BareLineFeed : reason, out why);

    private static OperationStatus Refuse(RejectionReason reason, out RejectionReason why)
    {
        why = reason;
        return OperationStatus.InvalidData;
    }
}
