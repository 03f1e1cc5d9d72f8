using Iris.Net.Server;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>Takes what wakes a session that waits for it. The key in <c>Iris-Wake-Key</c> alone authorises.</summary>
internal sealed class SignalPost(ChannelWire wire, TurnReplies replies)
{
    private const int LongestName = 128;

    private static readonly byte[] Accepted = [.. "{\"accepted\":true}"u8];

    /// <summary><c>POST /v1/session/{sessionId}/signal/{name}</c></summary>
    public async ValueTask PostAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (await ReadPayloadAsync(exchange, disconnected).ConfigureAwait(false) is not { } payload
            || await replies.SessionOfAsync(exchange, disconnected).ConfigureAwait(false) is not { } id)
            return;
        if (!exchange.Route.TryDecode(SessionRoutes.SignalNameValue, out string name))
        {
            await wire.RefuseAsync(exchange, RefusalCode.MalformedPath, "malformed signal name", cancel: disconnected).ConfigureAwait(false);
            return;
        }

        Refusal refusal = name.Length > LongestName ? Refusal.UnknownSession
            : await wire.Sessions.Wakes.SignalAsync(id, name, KeyOf(exchange.Request), payload, CancellationToken.None).ConfigureAwait(false);
        if (refusal != Refusal.None)
            await replies.RefusedAsync(exchange, refusal, id.Value, disconnected).ConfigureAwait(false);
        else
            await ChannelWire.SendJsonAsync(exchange.Response, 202, Accepted, disconnected).ConfigureAwait(false);
    }

    // An empty body says null.
    private async ValueTask<byte[]?> ReadPayloadAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        RequestBody read = await exchange.Request.ReadBodyAsync(cancel: disconnected).ConfigureAwait(false);
        if (!read.IsComplete)
            return null;   // the server refuses the request itself
        RefusalCode code = RefusalCode.UnsupportedMediaType;
        if (!Browser.SentOther(exchange.Request))
        {
            code = RefusalCode.MalformedJson;
            if (TurnBody.TryReadPayload(read.Bytes.Span, wire.MaxJsonDepth, out byte[] payload))
                return payload;
        }

        await wire.RefuseAsync(exchange, code, cancel: disconnected).ConfigureAwait(false);
        return null;
    }

    // A repeated one is no key.
    private static byte[] KeyOf(HttpRequest request) =>
        request.Headers.CountOf("iris-wake-key"u8) == 1 && request.Headers.TryGet("iris-wake-key"u8, out ReadOnlySpan<byte> key)
            ? key.ToArray() : [];
}
