using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>Who may come in: the Host that a request names and the Origin that a browser puts on it, both judged before any
/// work. A request without Origin passes: it is no browser's, or the browser vouches for it.</summary>
internal sealed class Access(ChannelWire wire, HostNames hosts, AllowedOrigins origins)
{
    private static ReadOnlySpan<byte> ExposedFields =>
        "Iris-Refusal, Iris-Session-Id, Iris-Turn, Iris-Start-Token, Iris-Outcome, Iris-Expires-At, Idempotency-Replayed, Retry-After, Location, Preference-Applied, ETag"u8;

    /// <summary>Runs before every handler and handshake.</summary>
    public async ValueTask CheckAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (exchange.Route.Template == SessionRoutes.Health)
            return;
        if (!hosts.Serves(exchange))
        {
            await wire.RefuseAsync(exchange.Response, RefusalCode.HostDenied, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        switch (Judge(exchange.Request))
        {
            case OriginVerdict.Denied:
                await wire.RefuseAsync(exchange.Response, RefusalCode.OriginDenied, cancel: disconnected).ConfigureAwait(false);
                return;
            case OriginVerdict.Allowed:
                AddCors(exchange);
                if (IsPreflight(exchange.Request))
                    await AnswerPreflightAsync(exchange, disconnected).ConfigureAwait(false);
                return;
            default:
                return;
        }
    }

    private enum OriginVerdict
    {
        Absent,
        Own,
        Allowed,
        Denied,
    }

    private OriginVerdict Judge(HttpRequest request)
    {
        int count = request.Headers.CountOf("origin"u8);
        if (count == 0)
            return OriginVerdict.Absent;
        if (count > 1 || !request.Headers.TryGet("origin"u8, out ReadOnlySpan<byte> origin))
            return OriginVerdict.Denied;
        if (origins.Contains(origin))
            return OriginVerdict.Allowed;
        return request.Headers.TryGet("host"u8, out ReadOnlySpan<byte> host) && AuthorityOf(origin) is { IsEmpty: false } authority
            && Ascii.EqualsIgnoreCase(authority, host) && hosts.Vouches(host)
            ? OriginVerdict.Own
            : OriginVerdict.Denied;
    }

    // RFC 6454 section 6.2: scheme "://" host [ ":" port ]
    private static ReadOnlySpan<byte> AuthorityOf(ReadOnlySpan<byte> origin)
    {
        int at = origin.IndexOf("://"u8);
        return at < 0 ? default : origin[(at + 3)..];
    }

    private static void AddCors(HttpExchange exchange)
    {
        exchange.Request.Headers.TryGet("origin"u8, out ReadOnlySpan<byte> origin);
        ResponseHeaders headers = exchange.Response.Headers;
        headers.Add("Access-Control-Allow-Origin"u8, origin);
        headers.Add("Vary"u8, "Origin"u8);
        headers.Add("Access-Control-Expose-Headers"u8, ExposedFields);
    }

    private static bool IsPreflight(HttpRequest request) =>
        request.Method == "OPTIONS" && request.Headers.CountOf("access-control-request-method"u8) > 0;

    private static ValueTask AnswerPreflightAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        ResponseHeaders headers = exchange.Response.Headers;
        headers.Add("Access-Control-Allow-Methods"u8, "GET, POST, DELETE"u8);
        if (exchange.Request.Headers.TryGet("access-control-request-headers"u8, out ReadOnlySpan<byte> asked))
            headers.Add("Access-Control-Allow-Headers"u8, asked);
        headers.Add("Access-Control-Max-Age"u8, "600"u8);
        exchange.Response.Status = 204;
        return exchange.Response.SendAsync(ReadOnlyMemory<byte>.Empty, disconnected);
    }
}
