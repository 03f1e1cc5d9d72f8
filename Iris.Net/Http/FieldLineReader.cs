using System.Buffers;

namespace Iris.Net.Http;

/// <summary><c>*( field-name ":" OWS field-value OWS CRLF ) CRLF</c>, RFC 9112 section 5.</summary>
internal static class FieldLineReader
{
    /// <summary>Reads all field lines and the empty line after them, and judges byte by byte from the left.</summary>
    /// <param name="bytes">Starts with the request line; the positions in <paramref name="into"/> count from here.</param>
    /// <param name="start">Where the first field line starts.</param>
    /// <param name="limits">How much is taken.</param>
    /// <param name="into">Takes the fields.</param>
    /// <param name="end">The position behind the empty line.</param>
    /// <param name="why">The reason for invalid data.</param>
    public static OperationStatus TryReadAll(
        ReadOnlySpan<byte> bytes, int start, RequestHeadLimits limits, HeaderList into, out int end, out RejectionReason why)
    {
        end = 0;
        why = RejectionReason.None;
        int last = start + limits.HeadersTotal;
        ReadOnlySpan<byte> text = bytes.Length > last ? bytes[..last] : bytes;
        int at = start;
        while (true)
        {
            if (at == bytes.Length)
                return OperationStatus.NeedMoreData;
            if (bytes[at] == '\r')
                return TryReadEmptyLine(bytes, at, out end, out why);
            if (into.Count == limits.HeaderCount)
                return Refuse(RejectionReason.TooManyHeaders, out why);

            int nameLength = text[at..].IndexOfAnyExcept(Grammar.TokenCharacters);
            if (nameLength < 0)
                return Cut(bytes, last, out why);
            byte stop = text[at + nameLength];
            if (stop != ':' || nameLength == 0)
                return Refuse(ReasonOfBadName(stop, nameLength), out why);

            int valueStart = at + nameLength + 1;
            int valueLength = text[valueStart..].IndexOfAny(Grammar.ControlCharacters);
            if (valueLength < 0)
                return Cut(bytes, last, out why);
            int valueEnd = valueStart + valueLength;
            if (text[valueEnd] != '\r')
                return Refuse(ReasonOfBadValue(text[valueEnd]), out why);
            if (valueEnd + 1 == text.Length)
                return Cut(bytes, last, out why);
            if (text[valueEnd + 1] != '\n')
                return Refuse(RejectionReason.BareCarriageReturn, out why);

            int lineEnd = valueEnd + 2;
            while (valueStart < valueEnd && Grammar.IsWhiteSpace(text[valueStart]))
                valueStart++;
            while (valueStart < valueEnd && Grammar.IsWhiteSpace(text[valueEnd - 1]))
                valueEnd--;
            into.Add(at, nameLength, valueStart, valueEnd - valueStart);
            at = lineEnd;
        }
    }

    private static OperationStatus TryReadEmptyLine(ReadOnlySpan<byte> bytes, int at, out int end, out RejectionReason why)
    {
        end = at + 2;
        why = RejectionReason.None;
        if (bytes.Length < end)
            return OperationStatus.NeedMoreData;
        return bytes[at + 1] == '\n' ? OperationStatus.Done : Refuse(RejectionReason.BareCarriageReturn, out why);
    }

    private static RejectionReason ReasonOfBadName(byte stop, int length) => stop switch
    {
        (byte)'\n' => RejectionReason.BareLineFeed,
        (byte)' ' or (byte)'\t' when length == 0 => RejectionReason.FoldedFieldLine,
        _ => RejectionReason.InvalidFieldName,
    };

    private static RejectionReason ReasonOfBadValue(byte stop) =>
        stop == '\n' ? RejectionReason.BareLineFeed : RejectionReason.InvalidFieldValue;

    private static OperationStatus Cut(ReadOnlySpan<byte> bytes, int last, out RejectionReason why)
    {
        why = bytes.Length >= last ? RejectionReason.HeadersTooLarge : RejectionReason.None;
        return why == RejectionReason.None ? OperationStatus.NeedMoreData : OperationStatus.InvalidData;
    }

    private static OperationStatus Refuse(RejectionReason reason, out RejectionReason why)
    {
        why = reason;
        return OperationStatus.InvalidData;
    }
}
