using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>The channel's routes, and what answers where there is none.</summary>
internal sealed class SessionRoutes(ChannelWire wire, Access access, bool servesSockets)
{
    private readonly PostTurn _post = new(wire);

    public const string SessionIdValue = "sessionId";
    public const string Health = "/v1/health";

    /// <summary>Adds the routes.</summary>
    public void MapTo(Router router, WebSocketOptions sockets)
    {
        router.Map("POST", "/v1/session", _post.StartAsync);
        router.Map("POST", $"/v1/session/{{{SessionIdValue}}}/message", _post.ContinueAsync);
        router.MapWebSocket("/v1/ws", (socket, disconnected) => new SocketSession(wire, socket).RunAsync(disconnected), sockets);
        if (!wire.IsSeedExact)
            router.Map("GET", Health, HealthAsync);
        router.NotFound = RefuseAsync;
        router.MethodNotAllowed = RefuseAsync;
    }

    /// <summary>Runs before every handler and handshake.</summary>
    public async ValueTask CheckAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        await access.CheckAsync(exchange, disconnected).ConfigureAwait(false);
        HttpResponse response = exchange.Response;
        if (response.HasStarted || servesSockets || !exchange.Request.IsWebSocketUpgrade)
            return;
        response.Status = RefusalText.StatusOf(RefusalCode.UpgradeRequired);
        response.Headers.Add("Upgrade"u8, "websocket"u8);
        response.Headers.Add("Connection"u8, "Upgrade"u8);
        wire.AddRefusalHeaders(response, RefusalCode.UpgradeRequired);
        await response.SendAsync(ReadOnlyMemory<byte>.Empty, disconnected).ConfigureAwait(false);
    }

    private static ValueTask HealthAsync(HttpExchange exchange, CancellationToken disconnected) =>
        ChannelWire.SendJsonAsync(exchange.Response, 200, "{\"status\":\"ok\"}"u8.ToArray(), disconnected);

    private async ValueTask RefuseAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        HttpResponse response = exchange.Response;
        if (exchange.Request.Method == "POST")
        {
            // A body is judged before the route.
            if (await _post.ReadBodyAsync(exchange, disconnected).ConfigureAwait(false) is null)
                return;
            string path = Encoding.UTF8.GetString(exchange.Request.Path);
            await wire.RefuseAsync(response, RefusalCode.NoRoute, $"no route for {path}", cancel: disconnected).ConfigureAwait(false);
            return;
        }

        response.Headers.Add("Allow"u8, exchange.Route.Allow.Length > 0 ? exchange.Route.Allow : "POST");
        await wire.RefuseAsync(
            response, RefusalCode.MethodNotAllowed, $"method {exchange.Request.Method} not allowed", cancel: disconnected).ConfigureAwait(false);
    }
}
