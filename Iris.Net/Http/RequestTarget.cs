using System.Text;

namespace Iris.Net.Http;

/// <summary>Where the parts of a request target stand, counted from its first byte.</summary>
internal readonly record struct RequestTarget(
    TargetForm Form, int AuthorityStart, int AuthorityLength, int PathStart, int PathLength, int QueryStart, int QueryLength)
{
    /// <summary>Takes a target of RFC 9112 section 3.2 apart. Its bytes are <see cref="Grammar.TargetCharacters"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, out RequestTarget parts)
    {
        parts = default;
        if (method.SequenceEqual("CONNECT"u8))
            return TryParseAuthorityForm(target, out parts);
        if (target[0] == '/')
            return TryParsePath(target, 0, TargetForm.Origin, 0, 0, out parts);
        if (target is [(byte)'*'])
        {
            parts = new RequestTarget(TargetForm.Asterisk, 0, 0, 0, 0, 0, 0);
            return method.SequenceEqual("OPTIONS"u8);
        }
        return TryParseAbsoluteForm(method, target, out parts);
    }

    private static bool TryParseAuthorityForm(ReadOnlySpan<byte> target, out RequestTarget parts)
    {
        parts = new RequestTarget(TargetForm.Authority, 0, target.Length, 0, 0, 0, 0);
        return Authority.TryParse(target, out Authority authority) && authority.Port >= 0;
    }

    private static bool TryParseAbsoluteForm(ReadOnlySpan<byte> method, ReadOnlySpan<byte> target, out RequestTarget parts)
    {
        parts = default;
        int start = SchemeLength(target);
        if (start == 0)
            return false;
        int length = target[start..].IndexOfAny((byte)'/', (byte)'?');
        if (length < 0)
            length = target.Length - start;
        if (!Authority.TryParse(target.Slice(start, length), out _))
            return false;
        if (!TryParsePath(target, start + length, TargetForm.Absolute, start, length, out parts))
            return false;
        // RFC 9112 section 3.2.4: OPTIONS with neither path nor query means the server as a whole.
        if (start + length == target.Length && method.SequenceEqual("OPTIONS"u8))
            parts = parts with { Form = TargetForm.Asterisk };
        return true;
    }

    /// <summary>The length of <c>http://</c> or <c>https://</c> in front of a target, 0 if it has neither.</summary>
    public static int SchemeLength(ReadOnlySpan<byte> target)
    {
        if (target.Length >= 7 && Ascii.EqualsIgnoreCase(target[..7], "http://"u8))
            return 7;
        return target.Length >= 8 && Ascii.EqualsIgnoreCase(target[..8], "https://"u8) ? 8 : 0;
    }

    private static bool TryParsePath(
        ReadOnlySpan<byte> target, int start, TargetForm form, int authorityStart, int authorityLength, out RequestTarget parts)
    {
        ReadOnlySpan<byte> text = target[start..];
        int mark = text.IndexOf((byte)'?');
        int pathLength = mark < 0 ? text.Length : mark;
        int queryStart = mark < 0 ? target.Length : start + mark + 1;
        parts = new RequestTarget(
            form, authorityStart, authorityLength, start, pathLength, queryStart, target.Length - queryStart);
        return !text.ContainsAnyExcept(Grammar.PlainTargetCharacters) || HasOnlySafeEscapes(text);
    }

    // Whether an escape is whole is for whoever decodes it to judge; NUL, LF and CR end a line or a string in whatever reads
    // the target later.
    private static bool HasOnlySafeEscapes(ReadOnlySpan<byte> text)
    {
        for (int at; (at = text.IndexOf((byte)'%')) >= 0; text = text[(at + 1)..])
            if (text.Length >= at + 3
                && (Grammar.HexValue(text[at + 1]) << 4 | Grammar.HexValue(text[at + 2])) is 0x00 or 0x0A or 0x0D)
                return false;
        return true;
    }
}
