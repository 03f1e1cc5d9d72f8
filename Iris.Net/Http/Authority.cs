using System.Text;

namespace Iris.Net.Http;

/// <summary><c>uri-host [ ":" port ]</c>, RFC 9110 section 7.2. No user information, no list, and never empty.</summary>
internal readonly ref struct Authority
{
    private Authority(ReadOnlySpan<byte> host, int port)
    {
        Host = host;
        Port = port;
    }

    public ReadOnlySpan<byte> Host { get; }

    /// <summary>0 to 65535, or -1 where none is given.</summary>
    public int Port { get; }

    public static bool TryParse(ReadOnlySpan<byte> text, out Authority authority)
    {
        authority = default;
        int end = text is [(byte)'[', ..] ? text.IndexOf((byte)']') + 1 : text.IndexOf((byte)':');
        if (end < 0)
            end = text.Length;
        if (end == 0 || !TryParsePort(text[end..], out int port))
            return false;
        ReadOnlySpan<byte> host = text[..end];
        authority = new Authority(host, port);
        return host[0] == '[' ? IsIPLiteral(host[1..^1]) : IsRegName(host);
    }

    /// <summary>Whether both name the same host and port; a port that is not given is the scheme's.</summary>
    public bool IsSameAs(in Authority other, int defaultPort) =>
        Ascii.EqualsIgnoreCase(Host, other.Host)
        && (Port < 0 ? defaultPort : Port) == (other.Port < 0 ? defaultPort : other.Port);

    private static bool TryParsePort(ReadOnlySpan<byte> text, out int port)
    {
        port = -1;
        if (text.IsEmpty)
            return true;
        if (text[0] != ':')
            return false;
        foreach (byte digit in text[1..])
        {
            if (!char.IsAsciiDigit((char)digit))
                return false;
            port = Math.Max(port, 0) * 10 + digit - '0';
            if (port > ushort.MaxValue)
                return false;
        }
        return true;
    }

    // An IPv4address is a reg-name too, RFC 3986 section 3.2.2.
    private static bool IsRegName(ReadOnlySpan<byte> text) =>
        !text.ContainsAnyExcept(Grammar.RegNameCharacters) && Grammar.HasOnlyWholeEscapes(text);

    private static bool IsIPLiteral(ReadOnlySpan<byte> text) =>
        text is [(byte)'v' or (byte)'V', ..] ? IsFutureAddress(text[1..]) : IsIPv6Address(text);

    private static bool IsFutureAddress(ReadOnlySpan<byte> text)
    {
        int dot = text.IndexOf((byte)'.');
        if (dot < 1 || dot == text.Length - 1)
            return false;
        foreach (byte digit in text[..dot])
            if (Grammar.HexValue(digit) < 0)
                return false;
        return !text[(dot + 1)..].ContainsAnyExcept(Grammar.FutureAddressCharacters);
    }

    private static bool IsIPv6Address(ReadOnlySpan<byte> text)
    {
        int groups = 0;
        bool elided = text.StartsWith("::"u8);
        if (elided)
            text = text[2..];
        while (!text.IsEmpty)
        {
            int digits = 0;
            while (digits < text.Length && Grammar.HexValue(text[digits]) >= 0)
                digits++;
            if (digits < text.Length && text[digits] == '.')
            {
                groups += 2;
                return IsIPv4Address(text) && HasAllGroups(groups, elided);
            }
            if (digits is 0 or > 4)
                return false;
            groups++;
            text = text[digits..];
            if (text.IsEmpty)
                break;
            if (text[0] != ':' || text.Length == 1)
                return false;
            text = text[1..];
            if (text[0] != ':')
                continue;
            if (elided)
                return false;
            elided = true;
            text = text[1..];
        }
        return HasAllGroups(groups, elided);
    }

    private static bool HasAllGroups(int groups, bool elided) => elided ? groups < 8 : groups == 8;

    private static bool IsIPv4Address(ReadOnlySpan<byte> text)
    {
        int octets = 0;
        foreach (Range range in text.Split((byte)'.'))
        {
            ReadOnlySpan<byte> octet = text[range];
            if (++octets > 4 || octet.Length is 0 or > 3 || (octet.Length > 1 && octet[0] == '0'))
                return false;
            int value = 0;
            foreach (byte digit in octet)
            {
                if (!char.IsAsciiDigit((char)digit))
                    return false;
                value = value * 10 + digit - '0';
            }
            if (value > byte.MaxValue)
                return false;
        }
        return octets == 4;
    }
}
