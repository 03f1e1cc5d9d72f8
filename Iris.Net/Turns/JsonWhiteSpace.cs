namespace Iris.Net;

/// <summary>Removes the white space between the tokens of valid JSON (RFC 8259 section 2); strings keep theirs.</summary>
internal static class JsonWhiteSpace
{
    public static byte[] Remove(ReadOnlySpan<byte> json)
    {
        byte[] kept = new byte[json.Length];
        return kept.AsSpan(0, Remove(json, kept)).ToArray();
    }

    /// <summary>Writes what is kept to <paramref name="to"/>, which is as long as the input; returns how much that is.</summary>
    public static int Remove(ReadOnlySpan<byte> json, Span<byte> to)
    {
        int length = 0;
        bool inString = false, escaped = false;
        foreach (byte b in json)
        {
            if (inString)
            {
                inString = escaped || b != '"';
                escaped = !escaped && b == '\\';
            }
            else if (b is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r')
                continue;
            else
                inString = b == '"';
            to[length++] = b;
        }

        return length;
    }
}
