using System.Runtime.CompilerServices;
using System.Text;
using Iris.Net.Diagnostics;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>START and CONTINUE over POST, answered with one JSON reply or with a stream.</summary>
internal sealed class PostTurn(ChannelWire wire, TurnReplies replies)
{
    /// <summary><c>POST /v1/session</c></summary>
    public ValueTask StartAsync(HttpExchange exchange, CancellationToken disconnected) =>
        RunAsync(exchange, isStart: true, disconnected);

    /// <summary><c>POST /v1/session/{sessionId}/message</c></summary>
    public ValueTask ContinueAsync(HttpExchange exchange, CancellationToken disconnected) =>
        RunAsync(exchange, isStart: false, disconnected);

    /// <summary>Reads and judges the body; null where it was refused.</summary>
    public async ValueTask<TurnBody?> ReadBodyAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        HttpRequest request = exchange.Request;
        RequestBody read = await request.ReadBodyAsync(cancel: disconnected).ConfigureAwait(false);
        if (!read.IsComplete)
            return null;   // the server refuses the request itself
        if (Browser.SentOther(request))
        {
            await wire.RefuseAsync(exchange, RefusalCode.UnsupportedMediaType, cancel: disconnected).ConfigureAwait(false);
            return null;
        }

        if (TurnBody.TryReadHttp(read.Bytes.Span, wire.MaxJsonDepth, out TurnBody body))
            return body;
        await wire.RefuseAsync(exchange, RefusalCode.MalformedJson, cancel: disconnected).ConfigureAwait(false);
        return null;
    }

    // One method from the body to the reply: each that waits for the turn costs every turn.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask RunAsync(HttpExchange exchange, bool isStart, CancellationToken disconnected)
    {
        if (await ReadBodyAsync(exchange, disconnected).ConfigureAwait(false) is not { } body)
            return;
        string sessionId = "";
        if (!isStart && !exchange.Route.TryDecode(SessionRoutes.SessionIdValue, out sessionId))
        {
            await wire.RefuseAsync(exchange, RefusalCode.MalformedPath, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        bool isTooLong = sessionId.Length > SessionId.MaxLength;
        if (isTooLong)
            Telemetry.Breached("SessionId.MaxLength");
        TurnRequest request = RequestOf(exchange, body.Json, isStart);
        Admission admission =
            isStart ? await wire.Sessions.Claims.StartAsync(request, CancellationToken.None).ConfigureAwait(false)
            : isTooLong ? Refusal.UnknownSession
            : await wire.Sessions.Claims.ContinueAsync(
                new SessionId(sessionId), body.Token ?? TokenField.Read(exchange.Request), request, CancellationToken.None).ConfigureAwait(false);
        if (admission.Refusal == Refusal.InFlight && request.Interrupts)
            admission = await wire.Sessions.Claims.InterruptAsync(
                new SessionId(sessionId), body.Token ?? TokenField.Read(exchange.Request), request, CancellationToken.None).ConfigureAwait(false);
        bool streams = WantsStream(exchange.Request);
        Preferences prefer = wire.IsSeedExact ? default : Preferences.Of(exchange.Request);
        if (admission.Turn is not { } turn)
            await AnswerOtherAsync(exchange, admission, sessionId, streams, isStart, prefer, disconnected).ConfigureAwait(false);
        else if (streams)
            await StreamAsync(exchange, turn, isStart, prefer, disconnected).ConfigureAwait(false);
        else if (prefer.RespondAsync)
            await AcceptAsync(exchange, turn, prefer, disconnected).ConfigureAwait(false);
        else
            await EndAsync(
                exchange, turn.SessionId, turn.Number, await turn.RunAsync().ConfigureAwait(false), prefer, disconnected).ConfigureAwait(false);
    }

    private ValueTask EndAsync(
        HttpExchange exchange, SessionId id, long number, TurnEnd end, in Preferences prefer, CancellationToken disconnected,
        bool withRespondAsync = false)
    {
        bool refuses = prefer.IsStrict && end.Status == TurnStatus.Contended;
        if (withRespondAsync)
            prefer.AddApplied(exchange.Response, withRespondAsync, refuses);
        else if (refuses)
            Preferences.AddStrict(exchange.Response);
        return refuses
            ? wire.RefuseAsync(exchange, RefusalCode.Contended, cancel: disconnected)
            : replies.EndAsync(exchange, id, number, end, disconnected);
    }

    private async ValueTask StreamAsync(
        HttpExchange exchange, RunningTurn turn, bool isStart, Preferences prefer, CancellationToken disconnected)
    {
        TurnStream stream = new(wire, exchange.Response, disconnected);
        if (await stream.RunAsync(turn, isStart, prefer.IsStrict).ConfigureAwait(false) is { } end)
            await EndAsync(exchange, turn.SessionId, turn.Number, end, prefer, disconnected).ConfigureAwait(false);
    }

    private TurnRequest RequestOf(HttpExchange exchange, byte[] body, bool isStart)
    {
        string? key = null;
        bool interrupts = false;
        bool isValid = wire.IsSeedExact
            || (IdempotencyKeyField.TryRead(exchange.Request, out key) & (isStart || IfBusyField.TryRead(exchange.Request, out interrupts)));
        return new TurnRequest(body, exchange.Principal, key) { HasInvalidField = !isValid, Interrupts = interrupts };
    }

    // What was refused, failed, runs already, or ran before.
    private async ValueTask AnswerOtherAsync(
        HttpExchange exchange, Admission admission, string sessionId, bool streams, bool isStart, Preferences prefer,
        CancellationToken disconnected)
    {
        TurnStream stream = new(wire, exchange.Response, disconnected);
        switch (admission)
        {
            case { Failure: { } failure }:
                await replies.FailureAsync(exchange, failure, disconnected).ConfigureAwait(false);
                break;
            case { Attached: { } turn } when streams:
                await stream.AttachAsync(turn, isStart).ConfigureAwait(false);
                break;
            // 202 is a promise, which only an accepted request has; one that was not is waited for.
            case { Attached: { IsAccepted: true } turn } when prefer.RespondAsync:
                await AnswerAcceptedAsync(exchange, turn, prefer, end: null, disconnected).ConfigureAwait(false);
                break;
            case { Attached: { } turn }:
                TurnEnd end = await turn.Events.EndAsync().WaitAsync(disconnected).ConfigureAwait(false);
                await EndAsync(exchange, turn.SessionId, turn.Number, end, prefer, disconnected).ConfigureAwait(false);
                break;
            case { Contended: { } held } when streams && !prefer.IsStrict:
                await stream.TellAsync(held).ConfigureAwait(false);
                break;
            case { Contended: { } held }:
                await EndAsync(exchange, held.SessionId, held.Number, held.End, prefer, disconnected).ConfigureAwait(false);
                break;
            case { Replayed: { } past } when streams:
                await stream.ReplayAsync(past).ConfigureAwait(false);
                break;
            case { Replayed: { } past }:
                exchange.Response.Headers.Add("Idempotency-Replayed"u8, "true"u8);
                await replies.EndAsync(exchange, past.SessionId, past.Number, past.End, disconnected).ConfigureAwait(false);
                break;
            default:
                await replies.RefusedAsync(exchange, admission, sessionId, disconnected).ConfigureAwait(false);
                break;
        }
    }

    // 202 is a promise: the request is on disk before it is given.
    private async ValueTask AcceptAsync(HttpExchange exchange, RunningTurn turn, Preferences prefer, CancellationToken disconnected)
    {
        TurnEnd? end = await turn.AcceptAsync().ConfigureAwait(false);
        if (end is null)
            turn.Start();
        await AnswerAcceptedAsync(exchange, turn, prefer, end, disconnected).ConfigureAwait(false);
    }

    private async ValueTask AnswerAcceptedAsync(
        HttpExchange exchange, RunningTurn turn, Preferences prefer, TurnEnd? end, CancellationToken disconnected)
    {
        end ??= await turn.EndWithinAsync(prefer.Wait, disconnected).ConfigureAwait(false);
        if (end is not null)
        {
            await EndAsync(exchange, turn.SessionId, turn.Number, end, prefer, disconnected, withRespondAsync: true).ConfigureAwait(false);
            return;
        }

        prefer.AddApplied(exchange.Response, withRespondAsync: true);
        exchange.Response.Headers.Add("Location"u8, SessionRoutes.ReceiptOf(turn.SessionId.Value));
        await replies.RunningAsync(exchange, turn, disconnected).ConfigureAwait(false);
    }

    private static bool WantsStream(HttpRequest request)
    {
        foreach (ReadOnlySpan<byte> accept in request.Headers.ValuesOf("accept"u8))
            if (Contains(accept, "text/event-stream"u8))
                return true;
        return QueryParameters.Contains(request, "stream=1"u8);
    }

    private static bool Contains(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mediaType)
    {
        for (int i = 0; i + mediaType.Length <= value.Length; i++)
            if (Ascii.EqualsIgnoreCase(value.Slice(i, mediaType.Length), mediaType))
                return true;
        return false;
    }
}
