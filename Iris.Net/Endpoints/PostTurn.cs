using System.Runtime.CompilerServices;
using System.Text;
using Iris.Net.Diagnostics;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>START and CONTINUE over POST, answered with one JSON reply or with a stream.</summary>
internal sealed class PostTurn(ChannelWire wire)
{
    /// <summary><c>POST /v1/session</c></summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask StartAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await ReadBodyAsync(exchange, disconnected).ConfigureAwait(false) is not { } body)
            return;
        Admission admission = await wire.Sessions.StartAsync(
            new TurnRequest(body.Json, exchange.Principal), CancellationToken.None).ConfigureAwait(false);
        await AnswerAsync(exchange, admission, "", disconnected).ConfigureAwait(false);
    }

    /// <summary><c>POST /v1/session/{sessionId}/message</c></summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask ContinueAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await ReadBodyAsync(exchange, disconnected).ConfigureAwait(false) is not { } body)
            return;
        if (!exchange.Route.TryDecode(SessionRoutes.SessionIdValue, out string sessionId))
        {
            await wire.RefuseAsync(exchange.Response, RefusalCode.MalformedPath, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        if (sessionId.Length > SessionId.MaxLength)
            Telemetry.Breached("SessionId.MaxLength");
        Admission admission = sessionId.Length > SessionId.MaxLength
            ? Refusal.UnknownSession
            : await wire.Sessions.ContinueAsync(
                new SessionId(sessionId), body.Token ?? TokenHeader(exchange.Request),
                new TurnRequest(body.Json, exchange.Principal), CancellationToken.None).ConfigureAwait(false);
        await AnswerAsync(exchange, admission, sessionId, disconnected).ConfigureAwait(false);
    }

    /// <summary>Reads and judges the body; null where it was refused.</summary>
    public async ValueTask<TurnBody?> ReadBodyAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        HttpRequest request = exchange.Request;
        RequestBody read = await request.ReadBodyAsync(cancel: disconnected).ConfigureAwait(false);
        if (!read.IsComplete)
            return null;   // the server refuses the request itself
        if (Browser.SentOther(request))
        {
            await wire.RefuseAsync(exchange.Response, RefusalCode.UnsupportedMediaType, cancel: disconnected).ConfigureAwait(false);
            return null;
        }

        if (TurnBody.TryReadHttp(read.Bytes.Span, wire.MaxJsonDepth, out TurnBody body))
            return body;
        await wire.RefuseAsync(exchange.Response, RefusalCode.MalformedJson, cancel: disconnected).ConfigureAwait(false);
        return null;
    }

    // Empty counts as missing; repeated is no token that was ever given out.
    private static byte[] TokenHeader(HttpRequest request) => request.Headers.CountOf("x-continuation-token"u8) switch
    {
        0 => [],
        1 when request.Headers.TryGet("x-continuation-token"u8, out ReadOnlySpan<byte> value) => value.ToArray(),
        _ => [0],
    };

    private ValueTask AnswerAsync(HttpExchange exchange, Admission admission, string sessionId, CancellationToken disconnected)
    {
        if (admission.Turn is not { } turn)
            return RefuseAsync(exchange.Response, admission.Refusal, sessionId, disconnected);
        return WantsStream(exchange.Request)
            ? TurnStream.RunAsync(wire, exchange.Response, turn, disconnected)
            : ReplyAsync(exchange.Response, turn, disconnected);
    }

    private ValueTask RefuseAsync(HttpResponse response, Refusal refusal, string sessionId, CancellationToken disconnected)
    {
        string? error = refusal != Refusal.UnknownSession ? null
            : sessionId.Length > SessionId.MaxLength ? "unknown session"   // not echoed
            : $"unknown session '{sessionId}'";
        return wire.RefuseAsync(response, RefusalText.CodeOf(refusal), error, cancel: disconnected);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReplyAsync(HttpResponse response, RunningTurn turn, CancellationToken disconnected)
    {
        TurnEnd end = await turn.RunAsync().ConfigureAwait(false);
        if (end.Status == TurnStatus.Failed)
            await wire.RefuseAsync(
                response, RefusalCode.TurnFailed, wire.FailureText(end), end.ErrorId, disconnected).ConfigureAwait(false);
        else if (end.Status == TurnStatus.Overloaded)
            await wire.RefuseAsync(response, RefusalCode.Overloaded, cancel: disconnected).ConfigureAwait(false);
        else if (end.Status == TurnStatus.StoreUnavailable)
            await wire.RefuseAsync(response, RefusalCode.StoreUnavailable, cancel: disconnected).ConfigureAwait(false);
        else
            await SendReplyAsync(response, turn.SessionId.Value, end, disconnected).ConfigureAwait(false);
    }

    private static ValueTask SendReplyAsync(HttpResponse response, string sessionId, TurnEnd end, CancellationToken disconnected)
    {
        RentedBuffer json = new();
        WireJson.WriteReply(json, sessionId, end);
        ChannelWire.AddJsonHeaders(response);
        ValueTask sending = response.SendAsync(json.Written.Span, disconnected);   // which copies it
        json.Clear();
        return sending;
    }

    private static bool WantsStream(HttpRequest request)
    {
        foreach (ReadOnlySpan<byte> accept in request.Headers.ValuesOf("accept"u8))
            if (Contains(accept, "text/event-stream"u8))
                return true;
        foreach (Range parameter in request.Query.Split((byte)'&'))
            if (request.Query[parameter].SequenceEqual("stream=1"u8))
                return true;
        return false;
    }

    private static bool Contains(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mediaType)
    {
        for (int i = 0; i + mediaType.Length <= value.Length; i++)
            if (Ascii.EqualsIgnoreCase(value.Slice(i, mediaType.Length), mediaType))
                return true;
        return false;
    }
}
