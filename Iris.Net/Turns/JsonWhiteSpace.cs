using System.Buffers;

namespace Iris.Net;

/// <summary>Removes the white space between the tokens of valid JSON (RFC 8259 section 2); strings keep theirs.</summary>
internal static class JsonWhiteSpace
{
    private static readonly SearchValues<byte> Stops = SearchValues.Create(" \t\r\n\""u8);

    public static byte[] Remove(ReadOnlySpan<byte> json)
    {
        byte[] kept = new byte[json.Length];
        return kept.AsSpan(0, Remove(json, kept)).ToArray();
    }

    /// <summary>Writes what is kept to <paramref name="to"/>, which is as long as the input; returns how much that is.</summary>
    public static int Remove(ReadOnlySpan<byte> json, Span<byte> to)
    {
        int length = 0;
        while (!json.IsEmpty)
        {
            int run = json.IndexOfAny(Stops);
            if (run >= 0 && json[run] == '"')
                run += StringLength(json[run..]);
            if (run < 0)
                run = json.Length;
            json[..run].CopyTo(to[length..]);
            length += run;
            json = json[run..];
            json = json.TrimStart(" \t\r\n"u8);
        }

        return length;
    }

    // From quote to quote; a backslash takes the next byte with it.
    private static int StringLength(ReadOnlySpan<byte> json)
    {
        int at = 1;
        while (true)
        {
            at += json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (json[at] == '"')
                return at + 1;
            at += 2;
        }
    }
}
