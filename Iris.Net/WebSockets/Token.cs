using System.Buffers;

namespace Iris.Net.WebSockets;

/// <summary>A token (RFC 9110 section 5.6.2), of which the lists of the handshake are made.</summary>
internal static class Token
{
    private static readonly SearchValues<byte> Characters = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <summary>Whether all of the text is one token.</summary>
    public static bool Is(ReadOnlySpan<byte> text) => !text.IsEmpty && LengthOf(text) == text.Length;

    /// <summary>How long the token is with which the text begins; 0 for none.</summary>
    public static int LengthOf(ReadOnlySpan<byte> text)
    {
        var length = text.IndexOfAnyExcept(Characters);
        return length < 0 ? text.Length : length;
    }
}
