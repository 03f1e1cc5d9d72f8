using Iris.Net.Server;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>Hands out tickets, to clients that can send no header field later.</summary>
internal sealed class SessionTicket(ChannelWire wire, PostTurn posts, TurnReplies replies)
{
    /// <summary><c>POST /v1/session/{sessionId}/ticket</c></summary>
    public async ValueTask PostAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await posts.ReadBodyAsync(exchange, disconnected).ConfigureAwait(false) is null
            || await replies.SessionOfAsync(exchange, disconnected).ConfigureAwait(false) is not { } id)
            return;
        IssuedTicket issued = await wire.Sessions.Tickets.IssueAsync(
            id, TokenField.Read(exchange.Request), exchange.Principal, CancellationToken.None).ConfigureAwait(false);
        if (issued.Refused.Refusal != Refusal.None)
            await replies.RefusedAsync(exchange, issued.Refused, id.Value, disconnected).ConfigureAwait(false);
        else
            await ChannelWire.SendJsonAsync(exchange.Response, 200, JsonText.Object(json =>
            {
                json.WriteString("ticket"u8, issued.Ticket);
                json.WriteNumber("expiresIn"u8, (int)Tickets.Lifetime.TotalSeconds);
            }), disconnected).ConfigureAwait(false);
    }
}
