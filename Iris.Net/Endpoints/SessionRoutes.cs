using System.Text;
using Iris.Net.Http;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>The channel's routes, and what answers where there is none.</summary>
internal sealed class SessionRoutes(
    ChannelWire wire, Access access, Discovery discovery, bool servesSockets, Authorizer? admin = null)
{
    private readonly PostTurn _post = new(wire, new TurnReplies(wire));
    private readonly TurnReceipt _receipt = new(wire, new TurnReplies(wire));
    private readonly SessionStream _stream = new(wire, new TurnReplies(wire));
    private readonly SessionReading _reading = new(wire, new TurnReplies(wire));

    public const string SessionIdValue = "sessionId";
    public const string SignalNameValue = "name";
    public const string Signal = $"/v1/session/{{{SessionIdValue}}}/signal/{{{SignalNameValue}}}";
    public const string Health = "/v1/health";
    public const string Ready = "/v1/ready";
    public const string Stream = $"/v1/session/{{{SessionIdValue}}}/stream";
    public const string Sockets = "/v1/ws";
    private const string Sessions = "/v1/sessions";   // to whom it is not granted there is none

    /// <summary>Where a turn's receipt is.</summary>
    public static string ReceiptOf(string sessionId) => $"/v1/session/{Uri.EscapeDataString(sessionId)}/turn";

    /// <summary>Adds the routes.</summary>
    public void MapTo(Router router, WebSocketOptions sockets)
    {
        router.Map("POST", "/v1/session", _post.StartAsync);
        router.Map("POST", $"/v1/session/{{{SessionIdValue}}}/message", _post.ContinueAsync);
        router.MapWebSocket(Sockets, (socket, disconnected) => new SocketSession(wire, socket).RunAsync(disconnected), sockets);
        if (!wire.IsSeedExact)
        {
            router.Map("GET", "/v1", discovery.AboutAsync);
            router.Map("GET", $"/v1/session/{{{SessionIdValue}}}/turn", _receipt.GetAsync);
            router.Map("GET", Stream, _stream.GetAsync);
            SessionEnds ends = new(wire, _post, new TurnReplies(wire));
            router.Map("POST", $"/v1/session/{{{SessionIdValue}}}/cancel", ends.CancelAsync);
            router.Map("POST", Signal, new SignalPost(wire, new TurnReplies(wire)).PostAsync);
            router.Map("POST", $"/v1/session/{{{SessionIdValue}}}/ticket", new SessionTicket(wire, _post, new TurnReplies(wire)).PostAsync);
            router.Map("DELETE", $"/v1/session/{{{SessionIdValue}}}", ends.DeleteAsync);
            router.Map("GET", $"/v1/session/{{{SessionIdValue}}}", _reading.GetAsync);
            router.Map("GET", $"/v1/session/{{{SessionIdValue}}}/timeline", _reading.TimelineAsync);
            if (admin is not null)
                router.Map("GET", Sessions, new SessionList(wire, _reading, admin, RefuseAsync).GetAsync);
            router.Map("GET", Health, discovery.HealthAsync);
            router.Map("GET", Ready, discovery.ReadyAsync);
            router.Map("GET", "/v1/openapi.json", discovery.OpenApiAsync);
        }

        router.NotFound = RefuseAsync;
        router.MethodNotAllowed = RefuseAsync;
    }

    /// <summary>Runs before every handler and handshake.</summary>
    public ValueTask CheckAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        ValueTask checking = access.CheckAsync(exchange, disconnected);
        return !exchange.Request.IsWebSocketUpgrade || (servesSockets && exchange.Route.Template == Sockets)
            ? checking
            : RefuseUpgradeAsync(checking, exchange, disconnected);
    }

    /// <summary>What the server itself refuses, as <see cref="HttpServerOptions.OnRejected"/> wants it.</summary>
    public ReadOnlyMemory<byte> Reject(HttpRequest? request, HttpResponse response, RejectionReason reason)
    {
        access.AddHeaders(request, response);
        return wire.WriteRefusal(request, response, RefusalText.CodeOf(response.Status));
    }

    /// <summary>What a refused handshake says, as <see cref="HttpServerOptions.OnUpgradeRefused"/> wants it.</summary>
    public void RejectUpgrade(HttpRequest request, HttpResponse response) => wire.AddRefusalHeaders(
        response, response.Status == 503 && wire.Sessions.Running.IsDraining ? RefusalCode.Draining : RefusalText.CodeOf(response.Status));

    private async ValueTask RefuseUpgradeAsync(ValueTask checking, HttpExchange exchange, CancellationToken disconnected)
    {
        await checking.ConfigureAwait(false);
        HttpResponse response = exchange.Response;
        if (response.HasStarted)
            return;
        if (!servesSockets)
        {
            response.Headers.Add("Upgrade"u8, "websocket"u8);
            response.Headers.Add("Connection"u8, "Upgrade"u8);
        }

        await wire.RefuseAsync(
            exchange, servesSockets ? RefusalCode.NoRoute : RefusalCode.UpgradeRequired, cancel: disconnected).ConfigureAwait(false);
    }

    private async ValueTask RefuseAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        HttpRequest request = exchange.Request;
        if (request.Method == "POST")
        {
            // A body is judged before the route.
            if (await _post.ReadBodyAsync(exchange, disconnected).ConfigureAwait(false) is null)
                return;
            string path = Encoding.UTF8.GetString(request.Path);
            await wire.RefuseAsync(exchange, RefusalCode.NoRoute, $"no route for {path}", cancel: disconnected).ConfigureAwait(false);
            return;
        }

        exchange.Response.Headers.Add("Allow"u8, exchange.Route.Allow.Length > 0 && exchange.Route.Template != Sessions ? exchange.Route.Allow : "POST");
        await wire.RefuseAsync(
            exchange, RefusalCode.MethodNotAllowed, $"method {request.Method} not allowed", cancel: disconnected).ConfigureAwait(false);
    }
}
