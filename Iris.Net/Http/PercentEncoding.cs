using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Iris.Net.Http;

/// <summary>Percent-encoded UTF-8, RFC 3986 section 2.1, decoded strictly.</summary>
internal static class PercentEncoding
{
    private const int SmallSize = 256;

    /// <summary>Decodes one segment of a path or one part of a query. A plus sign is a plus sign.</summary>
    /// <returns>False for <c>%ZZ</c>, a cut escape, and bytes that are not UTF-8 (overlong, surrogate, stray).</returns>
    public static bool TryDecode(ReadOnlySpan<byte> segment, out string text)
    {
        if (!segment.Contains((byte)'%'))
            return TryRead(segment, out text);
        byte[]? rented = segment.Length > SmallSize ? ArrayPool<byte>.Shared.Rent(segment.Length) : null;
        Span<byte> bytes = rented ?? stackalloc byte[SmallSize];
        text = "";
        bool done = TryUnescape(segment, bytes, out int length) && TryRead(bytes[..length], out text);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return done;
    }

    private static bool TryUnescape(ReadOnlySpan<byte> segment, Span<byte> bytes, out int length)
    {
        length = 0;
        if (!Grammar.HasOnlyWholeEscapes(segment))
            return false;
        for (int at = 0; at < segment.Length; at++)
        {
            byte value = segment[at];
            if (value == '%')
                value = (byte)(Grammar.HexValue(segment[++at]) << 4 | Grammar.HexValue(segment[++at]));
            bytes[length++] = value;
        }
        return true;
    }

    private static bool TryRead(ReadOnlySpan<byte> utf8, out string text)
    {
        bool valid = Utf8.IsValid(utf8);
        text = valid ? Encoding.UTF8.GetString(utf8) : "";
        return valid;
    }
}
