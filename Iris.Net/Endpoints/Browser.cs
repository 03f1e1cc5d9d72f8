using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>What tells a browser from other clients: it adds <c>Origin</c> or <c>Sec-Fetch-Site</c>, and may be made to send
/// a form or text across sites without asking, but not JSON.</summary>
internal static class Browser
{
    /// <summary>Whether a browser sent something else than JSON.</summary>
    public static bool SentOther(HttpRequest request) =>
        (request.Headers.CountOf("origin"u8) > 0 || request.Headers.CountOf("sec-fetch-site"u8) > 0)
        && !(request.Headers.TryGet("content-type"u8, out ReadOnlySpan<byte> type) && IsJson(type));

    // RFC 9110 section 8.3.1: parameters follow a semicolon, case does not matter.
    private static bool IsJson(ReadOnlySpan<byte> type)
    {
        int end = type.IndexOf((byte)';');
        return Ascii.EqualsIgnoreCase((end < 0 ? type : type[..end]).Trim(" \t"u8), "application/json"u8);
    }
}
