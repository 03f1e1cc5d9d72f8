using System.Diagnostics;
using Iris.Net.Http;
using Iris.Net.Transport;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>A request that became a WebSocket, with what outlives its exchange.</summary>
internal sealed record WebSocketUpgrade(WebSocketRoute Route, string? Principal, object? State)
{
    /// <summary>The subprotocol that was chosen; null for none.</summary>
    public string? Subprotocol { get; init; }

    /// <summary>How messages are compressed; null where they are not.</summary>
    public DeflateOffer? Deflate { get; init; }

    /// <summary>The request's span, which goes on as long as the WebSocket.</summary>
    public Activity? Span { get; set; }

    /// <summary>Answers an upgrade request: 101, or null and a refusal with an empty body.</summary>
    public static async ValueTask<WebSocketUpgrade?> TryAcceptAsync(HttpExchange exchange, WebSocketRoute? route)
    {
        int refusal = Judge(exchange, route);
        if (refusal != 0)
        {
            await RefuseAsync(exchange, refusal).ConfigureAwait(false);
            return null;
        }

        HeaderList headers = exchange.Request.Headers;
        var upgrade = new WebSocketUpgrade(route!, exchange.Principal, exchange.State)
        {
            Subprotocol = route!.Options.Subprotocols.FirstOrDefault(name => Offers(headers, name)),
            Deflate = route.Options.Compression is { } compression ? Choose(headers, compression) : null,
        };
        Connection transport = exchange.Connection.Transport;
        headers.TryGet("sec-websocket-key"u8, out ReadOnlySpan<byte> key);
        Handshake.WriteResponse(transport.Output, key, upgrade.Subprotocol, upgrade.Deflate);
        await transport.Output.FlushAsync().ConfigureAwait(false);
        return upgrade;
    }

    private static int Judge(HttpExchange exchange, WebSocketRoute? route)
    {
        if (route is null)
            return 404;
        if (!exchange.Content.IsAtEnd)
            return 400;
        if (exchange.Connection.Server.IsStopping)
            return 503;
        return exchange.Request.Handshake switch
        {
            HandshakeVerdict.Accepted => exchange.Connection.Server.TryAddWebSocket(exchange.Connection) ? 0 : 503,
            HandshakeVerdict.WrongVersion => 426,
            HandshakeVerdict.WrongKey or HandshakeVerdict.WrongOffer or HandshakeVerdict.NotAnUpgrade => 400,
            _ => throw new InvalidOperationException("Unknown verdict."),
        };
    }

    private static bool Offers(HeaderList headers, string subprotocol)
    {
        foreach (ReadOnlySpan<byte> field in headers.ValuesOf(Subprotocols.Field))
            if (Subprotocols.Has(field, subprotocol))
                return true;
        return false;
    }

    // Whoever does not want to keep a context may say so, whatever the other wants (RFC 7692 section 7.1.1).
    private static DeflateOffer? Choose(HeaderList headers, WebSocketCompression compression)
    {
        foreach (ReadOnlySpan<byte> field in headers.ValuesOf(DeflateOffer.Field))
        {
            if (DeflateOffer.TryChoose(field, out DeflateOffer offer))
            {
                return offer with
                {
                    ServerForgets = offer.ServerForgets || !compression.ContextTakeover,
                    ClientForgets = offer.ClientForgets || !compression.ContextTakeover,
                };
            }
        }

        return null;
    }

    private static ValueTask RefuseAsync(HttpExchange exchange, int status)
    {
        HttpResponse response = exchange.Response;
        response.Status = status;
        if (status == 426)
        {
            response.Headers.Add("Upgrade"u8, "websocket"u8);
            response.Headers.Add("Connection"u8, "Upgrade"u8);
            response.Headers.Add("Sec-WebSocket-Version"u8, Handshake.Version);
        }

        exchange.Connection.Server.Options.OnUpgradeRefused?.Invoke(exchange.Request, response);
        return response.SendAsync(default(ReadOnlySpan<byte>));
    }
}
