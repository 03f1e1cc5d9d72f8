using Iris.Net.Server;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>What became of the turn that a token started: the way back for a client that lost a reply.</summary>
internal sealed class TurnReceipt(ChannelWire wire, TurnReplies replies)
{
    /// <summary><c>GET /v1/session/{sessionId}/turn</c></summary>
    public async ValueTask GetAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await replies.SessionOfAsync(exchange, disconnected).ConfigureAwait(false) is not { } id)
            return;
        Admission asked = await wire.Sessions.Receipts.AskAsync(
            id, TokenField.Read(exchange.Request), exchange.Principal, CancellationToken.None).ConfigureAwait(false);
        if (asked.Attached is { } turn)
            await WaitAsync(exchange, turn, disconnected).ConfigureAwait(false);
        else if (asked.Replayed is { } past)
            await replies.EndAsync(exchange, id, past.Number, past.End, disconnected).ConfigureAwait(false);
        else
            await replies.RefusedAsync(exchange, asked, id.Value, disconnected).ConfigureAwait(false);
    }

    // Whoever waits is one of the session's readers.
    private async ValueTask WaitAsync(HttpExchange exchange, RunningTurn turn, CancellationToken disconnected)
    {
        Preferences prefer = Preferences.Of(exchange.Request);
        if (prefer.Wait == TimeSpan.Zero)
            await AnswerAsync(exchange, turn, prefer, disconnected).ConfigureAwait(false);
        else if (wire.Sessions.Readers.TryEnter(turn.SessionId) is not { } reader)
            await replies.RefusedAsync(exchange, Refusal.Overloaded, turn.SessionId.Value, disconnected).ConfigureAwait(false);
        else
            try
            {
                await AnswerAsync(exchange, turn, prefer, disconnected).ConfigureAwait(false);
            }
            finally
            {
                wire.Sessions.Readers.Leave(turn.SessionId, reader);
            }
    }

    private async ValueTask AnswerAsync(HttpExchange exchange, RunningTurn turn, Preferences prefer, CancellationToken disconnected)
    {
        TurnEnd? end = await turn.EndWithinAsync(prefer.Wait, disconnected).ConfigureAwait(false);
        prefer.AddApplied(exchange.Response, withRespondAsync: false);
        if (end is not null)
        {
            // One that threw has no outcome of its own here: its client's own reply says more. Where the store failed, nobody
            // knows yet whether there is one.
            bool isAborted = end is { IsError: true, Status: not TurnStatus.StoreUnavailable };
            await replies.EndAsync(
                exchange, turn.SessionId, turn.Number, isAborted ? end.AsAborted() : end, disconnected).ConfigureAwait(false);
            return;
        }

        exchange.Response.Headers.Add("Retry-After"u8, "1"u8);
        await replies.RunningAsync(exchange, turn, disconnected).ConfigureAwait(false);
    }
}
