using System.Text;

namespace Iris.Net.Http;

/// <summary><c>Accept = [ ( media-range [ weight ] ) *( OWS "," OWS ( media-range [ weight ] ) ) ]</c>, RFC 9110 section 12.5.1.</summary>
internal static class MediaRanges
{
    /// <summary>Whether a list names a media type, whatever its parameters, with a weight that is not zero. A range with an
    /// asterisk names none: it says that anything will do, not that this is understood.</summary>
    public static bool Name(ReadOnlySpan<byte> accept, ReadOnlySpan<byte> mediaType)
    {
        foreach (ReadOnlySpan<byte> element in new ListElements(accept))
        {
            int end = EndOfParameter(element, 0);
            if (Ascii.EqualsIgnoreCase(element[..end].Trim(" \t"u8), mediaType) && WeighsSomething(element[end..]))
                return true;
        }

        return false;
    }

    // parameters = *( OWS ";" OWS [ parameter ] ), RFC 9110 section 5.6.6; the weight is the one called q.
    private static bool WeighsSomething(ReadOnlySpan<byte> parameters)
    {
        while (!parameters.IsEmpty)
        {
            int end = EndOfParameter(parameters, 1);
            ReadOnlySpan<byte> parameter = parameters[1..end].Trim(" \t"u8);
            if (parameter.Length > 1 && parameter[0] is (byte)'q' or (byte)'Q' && parameter[1] == '=')
                return IsWeight(parameter[2..]) && parameter[2..].ContainsAnyInRange((byte)'1', (byte)'9');
            parameters = parameters[end..];
        }

        return true;
    }

    // qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), RFC 9110 section 12.4.2
    private static bool IsWeight(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.Length > 5 || value[0] is not ((byte)'0' or (byte)'1') || (value.Length > 1 && value[1] != '.'))
            return false;
        ReadOnlySpan<byte> fraction = value.Length > 1 ? value[2..] : default;
        return value[0] == '0' ? !fraction.ContainsAnyExceptInRange((byte)'0', (byte)'9') : !fraction.ContainsAnyExcept((byte)'0');
    }

    // A semicolon in a quoted string separates nothing.
    private static int EndOfParameter(ReadOnlySpan<byte> text, int at)
    {
        bool isQuoted = false;
        for (; at < text.Length; at++)
        {
            if (text[at] == '"')
                isQuoted = !isQuoted;
            else if (isQuoted && text[at] == '\\')
                at++;
            else if (!isQuoted && text[at] == ';')
                return at;
        }

        return text.Length;
    }
}
