using System.Globalization;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>Buffered answers of turns: how one ended, that it runs, or why there is none.</summary>
internal sealed class TurnReplies(ChannelWire wire)
{
    /// <summary>The session that a request is for; null where it was refused, because there can be none.</summary>
    public async ValueTask<SessionId?> SessionOfAsync(HttpExchange exchange, CancellationToken cancel = default)
    {
        if (!exchange.Route.TryDecode(SessionRoutes.SessionIdValue, out string sessionId))
            await wire.RefuseAsync(exchange, RefusalCode.MalformedPath, cancel: cancel).ConfigureAwait(false);
        else if (sessionId.Length > SessionId.MaxLength)
            await RefusedAsync(exchange, Refusal.UnknownSession, sessionId, cancel).ConfigureAwait(false);
        else
            return new SessionId(sessionId);
        return null;
    }

    /// <summary>How an attempt ended.</summary>
    public ValueTask EndAsync(
        HttpExchange exchange, SessionId id, long number, TurnEnd end, CancellationToken cancel = default)
    {
        if (end.IsError)
            return FailureAsync(exchange, end, cancel);
        HttpResponse response = exchange.Response;
        ChannelWire.AddJsonHeaders(response);
        if (!wire.IsSeedExact)
            AddHeaders(response.Headers, number, end);
        RentedBuffer json = new();
        WireJson.WriteReply(json, id.Value, end, isExtended: !wire.IsSeedExact);
        ValueTask sending = response.SendAsync(json.Written.Span, cancel);   // which copies it
        json.Clear();
        return sending;
    }

    /// <summary>That it runs.</summary>
    public ValueTask RunningAsync(HttpExchange exchange, RunningTurn turn, CancellationToken cancel = default)
    {
        exchange.Response.Headers.Add("Iris-Turn"u8, turn.Number.ToString(CultureInfo.InvariantCulture));
        return ChannelWire.SendJsonAsync(
            exchange.Response, 202, WireJson.Running(turn.SessionId.Value, turn.PresentedToken.Span, turn.Number), cancel);
    }

    /// <summary>That there is none, and why.</summary>
    public ValueTask RefusedAsync(HttpExchange exchange, Admission admission, string sessionId, CancellationToken cancel = default)
    {
        RefusalDetails why = wire.DetailsOf(admission, sessionId);
        return wire.RefuseAsync(
            exchange, why.Code, why.Error, echoesPath: sessionId.Length <= SessionId.MaxLength, recover: why.Recover, reason: why.Reason,
            cancel: cancel);
    }

    /// <summary>An attempt that ended in an error.</summary>
    public ValueTask FailureAsync(HttpExchange exchange, TurnEnd end, CancellationToken cancel = default) => end.Status switch
    {
        TurnStatus.Overloaded => wire.RefuseAsync(exchange, RefusalCode.Overloaded, cancel: cancel),
        TurnStatus.StoreUnavailable => wire.RefuseAsync(exchange, RefusalCode.StoreUnavailable, cancel: cancel),
        _ => wire.RefuseAsync(exchange, RefusalCode.TurnFailed, wire.FailureText(end.Error!), end.ErrorId, cancel: cancel),
    };

    private static void AddHeaders(ResponseHeaders headers, long number, TurnEnd end)
    {
        Span<byte> digits = stackalloc byte[20];
        System.Buffers.Text.Utf8Formatter.TryFormat(number, digits, out int length);
        headers.Add("Iris-Turn"u8, digits[..length]);
        if (end.Status is TurnStatus.Contended or TurnStatus.Aborted)
            headers.Add("Iris-Outcome"u8, end.Status == TurnStatus.Contended ? "contended"u8 : "aborted"u8);
        if (end.ExpiresAt is { } at)
            headers.Add("Iris-Expires-At"u8, WireJson.Timestamp(at));
    }
}
