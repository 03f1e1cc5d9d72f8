using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;

namespace Iris.Net.Sessions;

/// <summary>What an event of a turn is.</summary>
internal enum EventKind : byte
{
    Record,
    Delta,
}

/// <summary>Encodes the events of a turn once, for all readers: the JSON of one event on one line, <c>"type"</c> first.</summary>
internal static class ChannelEvent
{
    private static ReadOnlySpan<byte> DeltaStart => "{\"type\":\"delta\",\"text\":\""u8;

    private static ReadOnlySpan<byte> DeltaEnd => "\"}"u8;

    /// <summary><c>{"type":"record","record":…}</c></summary>
    public static byte[] Record(ReadOnlySpan<byte> record) => [.. "{\"type\":\"record\",\"record\":"u8, .. record, (byte)'}'];

    /// <summary><c>{"type":"delta","text":…}</c>; a lone surrogate becomes U+FFFD.</summary>
    public static byte[] Delta(string text)
    {
        byte[] utf8 = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        int length = Encoding.UTF8.GetBytes(text, utf8);
        ReadOnlySpan<byte> plain = utf8.AsSpan(0, length);
        byte[]? escaped = null;
        if (JavaScriptEncoder.UnsafeRelaxedJsonEscaping.FindFirstCharacterToEncodeUtf8(plain) >= 0)
        {
            escaped = ArrayPool<byte>.Shared.Rent(length * 6);   // \u0000 is the longest escape of one byte
            JavaScriptEncoder.UnsafeRelaxedJsonEscaping.EncodeUtf8(plain, escaped, out _, out int written);
            plain = escaped.AsSpan(0, written);
        }

        byte[] json = [.. DeltaStart, .. plain, .. DeltaEnd];
        ArrayPool<byte>.Shared.Return(utf8);
        if (escaped is not null)
            ArrayPool<byte>.Shared.Return(escaped);
        return json;
    }

    /// <summary>The text of an encoded delta, as it stands there.</summary>
    public static ReadOnlySpan<byte> TextOf(ReadOnlySpan<byte> delta) => delta[DeltaStart.Length..^DeltaEnd.Length];

    /// <summary>Appends to the text of an encoded delta; the buffer grows where it must.</summary>
    /// <param name="delta">Holds the delta.</param>
    /// <param name="length">Its length.</param>
    /// <param name="text">As <see cref="TextOf"/> gives it.</param>
    public static void Join(ref byte[] delta, ref int length, ReadOnlySpan<byte> text)
    {
        if (delta.Length < length + text.Length)
            Array.Resize(ref delta, 2 * (length + text.Length));
        text.CopyTo(delta.AsSpan(length - DeltaEnd.Length));
        length += text.Length;
        DeltaEnd.CopyTo(delta.AsSpan(length - DeltaEnd.Length));
    }
}
