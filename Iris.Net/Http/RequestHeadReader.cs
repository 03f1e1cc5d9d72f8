using System.Buffers;

namespace Iris.Net.Http;

/// <summary>Reads the head of a request: empty lines, request line, field lines, empty line; then judges Host.</summary>
internal static class RequestHeadReader
{
    private const int LineEnd = 2;

    /// <summary>
    /// Consumes nothing unless done. The first byte that is not allowed decides, in the order of the bytes, so that the
    /// verdict is the same however they were split on their way.
    /// </summary>
    public static OperationStatus TryRead(
        ref SequenceReader<byte> input, RequestHeadLimits limits, RequestHead into, out RejectionReason why)
    {
        into.Clear();
        ReadOnlySpan<byte> bytes = input.UnreadSpan;
        byte[]? joined = null;
        OperationStatus status = Parse(bytes, limits, into, out Parts parts, out why);
        if (status == OperationStatus.NeedMoreData && input.Remaining > bytes.Length)
        {
            joined = Join(input.UnreadSequence, limits, out int length);
            bytes = joined.AsSpan(0, length);
            into.Headers.Clear();
            status = Parse(bytes, limits, into, out parts, out why);
        }
        if (status == OperationStatus.Done)
        {
            byte[] head = joined ?? ArrayPool<byte>.Shared.Rent(parts.HeadLength);
            bytes.Slice(parts.EmptyLines, parts.HeadLength).CopyTo(head);
            into.Own(head, parts.Line);
            why = HostField.Judge(into);
            if (why == RejectionReason.None)
            {
                input.Advance(parts.EmptyLines + parts.HeadLength);
                return OperationStatus.Done;
            }
            status = OperationStatus.InvalidData;
        }
        else if (joined is not null)
        {
            ArrayPool<byte>.Shared.Return(joined);
        }
        into.Clear();
        if (status == OperationStatus.NeedMoreData)
        {
            into.Examined = input.Remaining;
            into.DecidesAt = parts.DecidesAt;
        }
        return status;
    }

    /// <summary>Reads the head of a request that comes by and by, always shown from its first byte on; the rest as
    /// <see cref="TryRead"/>. What trickles in is read again only where it can lead to a verdict.</summary>
    /// <param name="buffered">All of what came.</param>
    /// <param name="isEnded">Whether nothing more comes.</param>
    /// <param name="limits">The limits.</param>
    /// <param name="into">The same for all reads of a head; at the first it is clear.</param>
    /// <param name="consumed">How many bytes of it were the head's, once it is done.</param>
    /// <param name="why">Why it is refused.</param>
    public static OperationStatus TryContinue(
        in ReadOnlySequence<byte> buffered, bool isEnded, RequestHeadLimits limits, RequestHead into, out long consumed,
        out RejectionReason why)
    {
        (consumed, why) = (0, RejectionReason.None);
        if (!isEnded && !CanDecide(buffered, into))
            return OperationStatus.NeedMoreData;
        var reader = new SequenceReader<byte>(buffered);
        OperationStatus status = TryRead(ref reader, limits, into, out why);
        consumed = reader.Consumed;
        return status;
    }

    /// <summary>
    /// Whether a read that asked for more can come to a verdict now: a line has ended since, or a limit is reached. It
    /// saves reading the same bytes again for each byte that trickles in.
    /// </summary>
    public static bool CanDecide(in ReadOnlySequence<byte> buffered, RequestHead head) =>
        buffered.Length >= head.DecidesAt || buffered.Slice(head.Examined).PositionOf((byte)'\n') is not null;

    private static OperationStatus Parse(
        ReadOnlySpan<byte> bytes, RequestHeadLimits limits, RequestHead into, out Parts parts, out RejectionReason why)
    {
        parts = new Parts { DecidesAt = bytes.Length + 1L };
        OperationStatus status = SkipEmptyLines(bytes, limits.LeadingEmptyLines, out parts.EmptyLines, out why);
        if (status != OperationStatus.Done)
            return status;
        bytes = bytes[parts.EmptyLines..];
        parts.DecidesAt = parts.EmptyLines + limits.RequestLine;
        status = RequestLineReader.TryRead(bytes, limits.RequestLine, out parts.Line, out why);
        if (status != OperationStatus.Done)
            return status;
        parts.DecidesAt = parts.EmptyLines + parts.Line.Length + limits.HeadersTotal;
        return FieldLineReader.TryReadAll(bytes, parts.Line.Length, limits, into.Headers, out parts.HeadLength, out why);
    }

    // RFC 9112 section 2.2: empty lines before the request line are skipped.
    private static OperationStatus SkipEmptyLines(
        ReadOnlySpan<byte> bytes, int limit, out int skipped, out RejectionReason why)
    {
        why = RejectionReason.None;
        for (skipped = 0; skipped < bytes.Length; skipped += LineEnd)
        {
            if (bytes[skipped] != '\r')
                return OperationStatus.Done;
            if (skipped + 1 == bytes.Length)
                return OperationStatus.NeedMoreData;
            if (bytes[skipped + 1] != '\n')
                why = RejectionReason.BareCarriageReturn;
            else if (skipped == limit * LineEnd)
                why = RejectionReason.TooManyLeadingEmptyLines;
            if (why != RejectionReason.None)
                return OperationStatus.InvalidData;
        }
        return OperationStatus.NeedMoreData;
    }

    // As many bytes as a head can have; with these the parser never asks for more.
    private static byte[] Join(in ReadOnlySequence<byte> bytes, RequestHeadLimits limits, out int length)
    {
        long longest = (limits.LeadingEmptyLines + 2L) * LineEnd + limits.RequestLine + limits.HeadersTotal;
        length = (int)Math.Min(longest, bytes.Length);
        byte[] joined = ArrayPool<byte>.Shared.Rent(length);
        bytes.Slice(0, length).CopyTo(joined);
        return joined;
    }

    private struct Parts
    {
        public int EmptyLines;
        public RequestLine Line;
        public int HeadLength;
        public long DecidesAt;
    }
}
