using Iris.Net.Server;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>Stops what a session runs, or the session itself.</summary>
internal sealed class SessionEnds(ChannelWire wire, PostTurn posts, TurnReplies replies)
{
    /// <summary><c>POST /v1/session/{sessionId}/cancel</c></summary>
    public async ValueTask CancelAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await posts.ReadBodyAsync(exchange, disconnected).ConfigureAwait(false) is null
            || await replies.SessionOfAsync(exchange, disconnected).ConfigureAwait(false) is not { } id)
            return;
        CancelAnswer answer = await wire.Sessions.Cancels.CancelAsync(
            id, TokenField.Read(exchange.Request), exchange.Principal, CancellationToken.None).ConfigureAwait(false);
        if (answer.Refused.Refusal != Refusal.None)
            await replies.RefusedAsync(exchange, answer.Refused, id.Value, disconnected).ConfigureAwait(false);
        else
            await ChannelWire.SendJsonAsync(
                exchange.Response, answer.Turn > 0 ? 202 : 200,
                WireJson.Cancel(id.Value, answer.Turn, answer.CanRecover ? SessionRoutes.ReceiptOf(id.Value) : null),
                disconnected).ConfigureAwait(false);
    }

    /// <summary><c>DELETE /v1/session/{sessionId}</c></summary>
    public async ValueTask DeleteAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await replies.SessionOfAsync(exchange, disconnected).ConfigureAwait(false) is not { } id)
            return;
        Admission deleted = await wire.Sessions.Deletions.DeleteAsync(
            id, TokenField.Read(exchange.Request), exchange.Principal, CancellationToken.None).ConfigureAwait(false);
        if (deleted.Refusal != Refusal.None)
        {
            await replies.RefusedAsync(exchange, deleted, id.Value, disconnected).ConfigureAwait(false);
            return;
        }

        exchange.Response.Status = 204;
        await exchange.Response.SendAsync(ReadOnlyMemory<byte>.Empty, disconnected).ConfigureAwait(false);
    }
}
