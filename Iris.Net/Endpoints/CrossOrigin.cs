using System.Buffers;
using System.Text;
using Iris.Net.Http;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>What a request's Origin comes to.</summary>
internal enum OriginVerdict : byte
{
    /// <summary>There is none: no browser's request, or one that the browser vouches for.</summary>
    Absent,
    Own,
    Allowed,
    Denied,
}

/// <summary>What pages of other origins may do: the part of the Fetch standard called CORS. Credentials of the browser's own,
/// such as cookies, are never asked for.</summary>
internal sealed class CrossOrigin(HostNames hosts, AllowedOrigins origins)
{
    private static readonly string[] FieldsToSend =
        ["accept", "authorization", "content-type", "idempotency-key", "last-event-id", "prefer", "x-continuation-token"];

    private static ReadOnlySpan<byte> FieldsToRead =>
        "Iris-Refusal, Iris-Session-Id, Iris-Turn, Iris-Start-Token, Iris-Outcome, Iris-Expires-At, Idempotency-Replayed, Retry-After, Location, Preference-Applied, ETag"u8;

    public OriginVerdict Judge(HttpRequest request)
    {
        if (!request.Headers.TryGet("origin"u8, out ReadOnlySpan<byte> origin))
            return OriginVerdict.Absent;
        if (request.Headers.CountOf("origin"u8) > 1)
            return OriginVerdict.Denied;
        if (origins.Contains(origin))
            return OriginVerdict.Allowed;
        return request.Headers.TryGet("host"u8, out ReadOnlySpan<byte> host) && AuthorityOf(origin) is { IsEmpty: false } authority
            && Ascii.EqualsIgnoreCase(authority, host) && hosts.Vouches(host)
            ? OriginVerdict.Own
            : OriginVerdict.Denied;
    }

    /// <summary>Adds what lets an allowed origin's page read the answer. Where there are such origins, every answer depends on
    /// Origin, and a refusal of one does in any case.</summary>
    public void AddHeaders(HttpRequest request, HttpResponse response, OriginVerdict verdict)
    {
        ResponseHeaders headers = response.Headers;
        if (verdict == OriginVerdict.Denied || !origins.IsEmpty)
            headers.Add("Vary"u8, IsPreflight(request) ? "Origin, Access-Control-Request-Headers"u8 : "Origin"u8);
        if (verdict != OriginVerdict.Allowed)
            return;
        request.Headers.TryGet("origin"u8, out ReadOnlySpan<byte> origin);
        headers.Add("Access-Control-Allow-Origin"u8, origin);
        if (!IsPreflight(request))
            headers.Add("Access-Control-Expose-Headers"u8, FieldsToRead);
    }

    public static bool IsPreflight(HttpRequest request) =>
        request.Method == "OPTIONS" && request.Headers.CountOf("access-control-request-method"u8) > 0;

    public static ValueTask AnswerPreflightAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        ResponseHeaders headers = exchange.Response.Headers;
        headers.Add("Access-Control-Allow-Methods"u8, "GET, HEAD, POST, DELETE"u8);
        ArrayBufferWriter<byte> granted = new(64);
        foreach (ReadOnlySpan<byte> asked in exchange.Request.Headers.ValuesOf("access-control-request-headers"u8))
            foreach (ReadOnlySpan<byte> field in new ListElements(asked))
                if (MaySend(field))
                {
                    granted.Write(granted.WrittenCount > 0 ? ", "u8 : default);
                    granted.Write(field);
                }

        if (granted.WrittenCount > 0)
            headers.Add("Access-Control-Allow-Headers"u8, granted.WrittenSpan);
        headers.Add("Access-Control-Max-Age"u8, "600"u8);
        exchange.Response.Status = 204;
        return exchange.Response.SendAsync(ReadOnlyMemory<byte>.Empty, disconnected);
    }

    private static bool MaySend(ReadOnlySpan<byte> field)
    {
        if (field.Length > 5 && Ascii.EqualsIgnoreCase(field[..5], "iris-"u8) && Grammar.IsToken(field))
            return true;
        foreach (string known in FieldsToSend)
            if (Ascii.EqualsIgnoreCase(field, known))
                return true;
        return false;
    }

    // RFC 6454 section 6.2: scheme "://" host [ ":" port ], of a page that HTTP brought.
    private static ReadOnlySpan<byte> AuthorityOf(ReadOnlySpan<byte> origin)
    {
        int at = origin.IndexOf("://"u8);
        return at >= 0 && (Ascii.EqualsIgnoreCase(origin[..at], "http"u8) || Ascii.EqualsIgnoreCase(origin[..at], "https"u8))
            ? origin[(at + 3)..]
            : default;
    }
}
