using System.Diagnostics;
using Iris.Net.Transport;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>A request that became a WebSocket, with what outlives its exchange.</summary>
internal sealed record WebSocketUpgrade(WebSocketRoute Route, string? Principal, object? State)
{
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

        var upgrade = new WebSocketUpgrade(route!, exchange.Principal, exchange.State);
        Connection transport = exchange.Connection.Transport;
        exchange.Request.Headers.TryGet("sec-websocket-key"u8, out ReadOnlySpan<byte> key);
        Handshake.WriteResponse(transport.Output, key);
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
            HandshakeVerdict.WrongKey or HandshakeVerdict.NotAnUpgrade => 400,
            _ => throw new InvalidOperationException("Unknown verdict."),
        };
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
