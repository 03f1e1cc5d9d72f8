using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>Who may come in: the Host that a request names, the Origin that a browser puts on it, and who it is that asks, judged
/// in this order and before any work. Health and readiness are answered whoever asks.</summary>
/// <param name="wire">How to refuse.</param>
/// <param name="hosts">The server's names.</param>
/// <param name="cross">What pages of which origins may do.</param>
/// <param name="authorize">Finds out who asks; null where nobody is asked.</param>
/// <param name="failed">Is told what it threw, with the id that the client gets.</param>
internal sealed class Access(
    ChannelWire wire, HostNames hosts, CrossOrigin cross, Authorizer? authorize, Action<string, Exception> failed)
{
    /// <summary>Runs before every handler and handshake.</summary>
    public ValueTask CheckAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        HttpRequest request = exchange.Request;
        bool asksNobody = exchange.Route.Template is SessionRoutes.Health or SessionRoutes.Ready && request.Method is "GET" or "HEAD";
        if (!asksNobody && !hosts.Serves(exchange))
            return wire.RefuseAsync(exchange, RefusalCode.HostDenied, cancel: disconnected);
        OriginVerdict origin = cross.Judge(request);
        cross.AddHeaders(request, exchange.Response, origin);
        if (asksNobody)
            return default;
        if (origin == OriginVerdict.Denied)
            return wire.RefuseAsync(exchange, RefusalCode.OriginDenied, cancel: disconnected);
        if (origin == OriginVerdict.Allowed && CrossOrigin.IsPreflight(request))
            return CrossOrigin.AnswerPreflightAsync(exchange, disconnected);
        return TakesTicket(exchange) || authorize is null ? default : AuthorizeAsync(authorize, exchange, disconnected);
    }

    /// <summary>Lets the page of an allowed origin read what the server itself refuses.</summary>
    public void AddHeaders(HttpRequest? request, HttpResponse response)
    {
        if (request is not null)
            cross.AddHeaders(request, response, cross.Judge(request));
    }

    // A ticket is its own authority, on the two routes that take one: it is handed on and judged there, and lets nobody do
    // anything else.
    private bool TakesTicket(HttpExchange exchange)
    {
        HttpRequest request = exchange.Request;
        bool isTaken = !request.Query.IsEmpty && !wire.IsSeedExact && exchange.Route.Template switch
        {
            SessionRoutes.Stream => request.Method == "GET" && !request.IsWebSocketUpgrade,
            SessionRoutes.Sockets => request.IsWebSocketUpgrade,
            _ => false,
        };
        if (!isTaken || TicketParameter.Read(request) is not { } ticket)
            return false;
        exchange.State = ticket;
        return true;
    }

    private async ValueTask AuthorizeAsync(Authorizer ask, HttpExchange exchange, CancellationToken disconnected)
    {
        AuthorizeResult result;
        try
        {
            result = await ask(exchange, disconnected).ConfigureAwait(false);
        }
        catch (Exception e) when (!disconnected.IsCancellationRequested)
        {
            string errorId = wire.Sessions.Minting.ShortName();
            failed(errorId, e);
            await wire.RefuseAsync(
                exchange, RefusalCode.TurnFailed, wire.FailureText(e) ?? "internal error", errorId, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        if (result.Principal is { } principal)
        {
            exchange.Principal = principal;
            return;
        }

        exchange.Response.Headers.Add("WWW-Authenticate"u8, result.Challenge);
        await wire.RefuseAsync(exchange, RefusalCode.Unauthorized, cancel: disconnected).ConfigureAwait(false);
    }
}
