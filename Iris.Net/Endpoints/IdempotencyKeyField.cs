using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>The <c>Idempotency-Key</c> of a request: a bare or a quoted string (RFC 8941 section 3.3.3), one and the same key.</summary>
internal static class IdempotencyKeyField
{
    /// <summary>The most characters that a key has.</summary>
    public const int MaxLength = 255;

    /// <summary>False where there are several, or one that is no key.</summary>
    public static bool TryRead(HttpRequest request, out string? key)
    {
        key = null;
        switch (request.Headers.CountOf("idempotency-key"u8))
        {
            case 0:
                return true;
            case 1 when request.Headers.TryGet("idempotency-key"u8, out ReadOnlySpan<byte> value):
                return TryParse(value, out key);
            default:
                return false;
        }
    }

    /// <summary>Reads a field value; false where it is no key.</summary>
    public static bool TryParse(ReadOnlySpan<byte> value, out string? key)
    {
        key = null;
        if (value.IndexOfAnyExceptInRange((byte)'!', (byte)'~') >= 0)
            return false;
        StringBuilder text = new(value.Length);
        bool isQuoted = value.StartsWith("\""u8);
        if (isQuoted && (value.Length < 2 || !value.EndsWith("\""u8)))
            return false;
        ReadOnlySpan<byte> inner = isQuoted ? value[1..^1] : value;
        for (int i = 0; i < inner.Length; i++)
        {
            if (isQuoted && inner[i] == '"')
                return false;
            if (isQuoted && inner[i] == '\\' && (++i == inner.Length || inner[i] is not ((byte)'"' or (byte)'\\')))
                return false;
            text.Append((char)inner[i]);
        }

        if (text.Length is 0 or > MaxLength)
            return false;
        key = text.ToString();
        return true;
    }
}
