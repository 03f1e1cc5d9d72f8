using System.Buffers;

namespace Iris.Net.Http;

/// <summary>The character sets of RFC 9110, RFC 9112 and RFC 3986, under the names they have there.</summary>
internal static class Grammar
{
    private const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const string Unreserved = Alphanumeric + "-._~";
    private const string SubDelims = "!$&'()*+,;=";

    /// <summary>RFC 9110 section 5.6.2.</summary>
    public static readonly SearchValues<byte> TokenCharacters = Set(Alphanumeric + "!#$%&'*+-.^_`|~");

    /// <summary>All but HTAB, SP, VCHAR and obs-text, RFC 9110 section 5.5.</summary>
    public static readonly SearchValues<byte> ControlCharacters =
        SearchValues.Create([.. Enumerable.Range(0, 0x20).Where(b => b != '\t').Select(b => (byte)b), 0x7F]);

    /// <summary>RFC 3986: what stands in a path or a query without an escape.</summary>
    public static readonly SearchValues<byte> PlainTargetCharacters = Set(Unreserved + SubDelims + ":@/?");

    /// <summary>The same with the escape, the brackets of an address, and what browsers leave as it is in a path or a query
    /// though RFC 3986 has no place for it. None of it ends or divides a target.</summary>
    public static readonly SearchValues<byte> TargetCharacters = Set(Unreserved + SubDelims + ":@/?%[]{}|^`");

    /// <summary>RFC 3986 section 3.2.2 without the comma, which would let a list of hosts pass for one.</summary>
    public static readonly SearchValues<byte> RegNameCharacters = Set(Unreserved + SubDelims.Replace(",", "") + "%");

    /// <summary>RFC 3986 section 3.2.2, after the dot of an IPvFuture.</summary>
    public static readonly SearchValues<byte> FutureAddressCharacters = Set(Unreserved + SubDelims.Replace(",", "") + ":");

    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenCharacters);

    /// <summary>True for SP and HTAB, the white space of RFC 9110 section 5.6.3.</summary>
    public static bool IsWhiteSpace(byte value) => value is (byte)' ' or (byte)'\t';

    /// <summary>The value of a hexadecimal digit, -1 for any other byte.</summary>
    public static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };

    /// <summary>Whether every <c>%</c> starts a pct-encoded of RFC 3986 section 2.1.</summary>
    public static bool HasOnlyWholeEscapes(ReadOnlySpan<byte> text)
    {
        for (int at; (at = text.IndexOf((byte)'%')) >= 0; text = text[(at + 3)..])
            if (text.Length < at + 3 || HexValue(text[at + 1]) < 0 || HexValue(text[at + 2]) < 0)
                return false;
        return true;
    }

    private static SearchValues<byte> Set(string characters) => SearchValues.Create([.. characters.Select(c => (byte)c)]);
}
