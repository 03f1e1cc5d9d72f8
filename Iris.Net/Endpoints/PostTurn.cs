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

    // Empty counts as missing; repeated is no token that was ever given out.
    private static byte[] TokenHeader(HttpRequest request) => request.Headers.CountOf("x-continuation-token"u8) switch
    {
        0 => [],
        1 when request.Headers.TryGet("x-continuation-token"u8, out ReadOnlySpan<byte> value) => value.ToArray(),
        _ => [0],
    };

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
        TurnRequest request = new(body.Json, exchange.Principal);
        Admission admission =
            isStart ? await wire.Sessions.Claims.StartAsync(request, CancellationToken.None).ConfigureAwait(false)
            : isTooLong ? Refusal.UnknownSession
            : await wire.Sessions.Claims.ContinueAsync(
                new SessionId(sessionId), body.Token ?? TokenHeader(exchange.Request), request, CancellationToken.None).ConfigureAwait(false);
        if (admission.Failure is { } failure)
            await RefuseAsync(exchange, failure, disconnected).ConfigureAwait(false);
        else if (admission.Turn is not { } turn)
            await RefuseAsync(exchange, admission.Refusal, sessionId, disconnected).ConfigureAwait(false);
        else if (WantsStream(exchange.Request))
            await TurnStream.RunAsync(wire, exchange.Response, turn, disconnected).ConfigureAwait(false);
        else
            await ReplyAsync(exchange, turn, await turn.RunAsync().ConfigureAwait(false), disconnected).ConfigureAwait(false);
    }

    private ValueTask RefuseAsync(HttpExchange exchange, Refusal refusal, string sessionId, CancellationToken disconnected)
    {
        bool isTooLong = sessionId.Length > SessionId.MaxLength;   // not echoed
        string? error = refusal == Refusal.UnknownSession && !isTooLong ? $"unknown session '{sessionId}'" : null;
        return wire.RefuseAsync(exchange, RefusalText.CodeOf(refusal), error, echoesPath: !isTooLong, cancel: disconnected);
    }

    private ValueTask RefuseAsync(HttpExchange exchange, TurnEnd end, CancellationToken disconnected) => end.Status switch
    {
        TurnStatus.Overloaded => wire.RefuseAsync(exchange, RefusalCode.Overloaded, cancel: disconnected),
        TurnStatus.StoreUnavailable => wire.RefuseAsync(exchange, RefusalCode.StoreUnavailable, cancel: disconnected),
        _ => wire.RefuseAsync(exchange, RefusalCode.TurnFailed, wire.FailureText(end.Error!), end.ErrorId, cancel: disconnected),
    };

    private ValueTask ReplyAsync(HttpExchange exchange, RunningTurn turn, TurnEnd end, CancellationToken disconnected) => end.IsError
        ? RefuseAsync(exchange, end, disconnected)
        : SendReplyAsync(exchange.Response, turn.SessionId.Value, end, disconnected);

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
