using System.Runtime.CompilerServices;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>Sees to it that a request is answered: by its route's handler, by the server where a handler left something undone,
/// or with a refusal.</summary>
internal static class Responder
{
    /// <summary>Serves the request whose head was read; gives the WebSocket that it became, if it did.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<WebSocketUpgrade?> ServeAsync(HttpConnection connection)
    {
        HttpExchange exchange = connection.Exchange;
        RequestHead head = exchange.Head;
        connection.IsPersistent = KeepAlive.IsPersistent(head);
        RejectionReason why = BodyFraming.TryDetermine(head, out BodyFraming framing);
        bool awaitsContinue = false;
        if (why == RejectionReason.None)
            why = Expectation.TryDetermine(head, out awaitsContinue);
        exchange.Begin(why == RejectionReason.None ? framing : BodyFraming.None, awaitsContinue);
        RequestMeasure measure = RequestMeasure.Begin(exchange);
        WebSocketUpgrade? upgrade = null;
        try
        {
            if (why != RejectionReason.None)
                await exchange.Response.RejectAsync(why, exchange.Request).ConfigureAwait(false);
            else
            {
                HttpHandler? handler = Route(exchange, out WebSocketRoute? route);
                if (connection.Server.Options.Before is { } before)
                    await CallAsync(before, exchange).ConfigureAwait(false);
                bool isOpen = !exchange.Response.HasStarted && exchange.Content.Rejection == RejectionReason.None;
                if (isOpen && handler is null)
                    upgrade = await WebSocketUpgrade.TryAcceptAsync(exchange, route).ConfigureAwait(false);
                else if (isOpen)
                    await CallAsync(handler!, exchange).ConfigureAwait(false);
                if (upgrade is null)
                    await CompleteAsync(exchange).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            measure.Failed(e);
            await FailAsync(exchange, e).ConfigureAwait(false);
        }
        finally
        {
            measure.End(exchange, upgrade);
            exchange.End();
        }

        return upgrade;
    }

    /// <summary>Refuses a request whose head was not read, or a whole connection.</summary>
    public static async ValueTask RefuseAsync(HttpExchange exchange, RejectionReason why)
    {
        exchange.Head.Clear();
        exchange.Begin(BodyFraming.None, awaitsContinue: false);
        try
        {
            await exchange.Response.RejectAsync(why, request: null).ConfigureAwait(false);
        }
        finally
        {
            exchange.End();
        }
    }

    private static HttpHandler? Route(HttpExchange exchange, out WebSocketRoute? route)
    {
        Router router = exchange.Connection.Server.Router;
        bool isUpgrade = exchange.Request.IsWebSocketUpgrade;
        route = isUpgrade ? router.FindWebSocket(exchange.Head, exchange.Route) : null;
        if (route is not null)
            return null;
        HttpHandler handler = router.Find(exchange.Head, exchange.Route);
        return isUpgrade && exchange.Route.Template is null ? null : handler;   // RFC 9110 section 7.8: Upgrade may be ignored
    }

    private static ValueTask CallAsync(HttpHandler handler, HttpExchange exchange)
    {
        using (exchange.Connection.Transport.Enter())
            return handler(exchange, exchange.Connection.Disconnected);
    }

    // A handler may have left to the server what is always the same.
    private static ValueTask CompleteAsync(HttpExchange exchange)
    {
        if (exchange.Connection.Transport.IsSending || exchange.Content.IsReading)
            throw new InvalidOperationException("A handler returned before its read or its send ended.");
        return exchange.Response is { HasStarted: true, Streaming: null } && exchange.Content.IsAtEnd
            ? default
            : CompleteSlowlyAsync(exchange.Connection, exchange.Response, exchange.Content);
    }

    private static async ValueTask CompleteSlowlyAsync(HttpConnection connection, HttpResponse response, RequestBodyReader content)
    {
        if (!response.HasStarted && content.Rejection != RejectionReason.None)
            await response.RejectAsync(content.Rejection, connection.Exchange.Request).ConfigureAwait(false);
        else if (!response.HasStarted)
            await response.SendAsync(default(ReadOnlySpan<byte>)).ConfigureAwait(false);
        else if (response.Streaming is { } body)
            await body.CompleteAsync().ConfigureAwait(false);
        if (connection.IsPersistent)
            connection.IsPersistent = await content.DrainAsync().ConfigureAwait(false);
    }

    // Where the answer has begun, only the connection's end can tell the client that it failed.
    private static async ValueTask FailAsync(HttpExchange exchange, Exception e)
    {
        HttpConnection connection = exchange.Connection;
        connection.IsPersistent = false;
        bool isGone = connection.Transport.IsAborted;
        if (!isGone)
            connection.Server.ReportHandler(e);
        if (isGone || exchange.Response.HasStarted || exchange.Content.IsReading)
            connection.Abort();
        else
            await exchange.Response.RejectAsync(RejectionReason.InternalError, exchange.Request).ConfigureAwait(false);
    }
}
