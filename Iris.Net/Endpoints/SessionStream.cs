using Iris.Net.Journal;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>A session's events behind an id: what a client missed, and then what comes.</summary>
internal sealed class SessionStream(ChannelWire wire, TurnReplies replies)
{
    /// <summary><c>GET /v1/session/{sessionId}/stream</c></summary>
    public async ValueTask GetAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (!exchange.Route.TryDecode(SessionRoutes.SessionIdValue, out string sessionId))
        {
            await wire.RefuseAsync(exchange, RefusalCode.MalformedPath, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        SessionId id = new(sessionId);
        if (exchange.State is string ticket)
        {
            await GetAsync(exchange, id, ticket, disconnected).ConfigureAwait(false);
            return;
        }

        Presented access = sessionId.Length > SessionId.MaxLength
            ? new((Admission)Refusal.UnknownSession)
            : await wire.Sessions.Receipts.OpenAsync(
                id, TokenField.Read(exchange.Request), exchange.Principal, CancellationToken.None).ConfigureAwait(false);
        await GetAsync(exchange, id, access.Head, access.Refused, withToken: true, disconnected).ConfigureAwait(false);
    }

    // Whose ticket opens nothing learns nothing, not even whether there is such a session.
    private async ValueTask GetAsync(HttpExchange exchange, SessionId id, string ticket, CancellationToken disconnected)
    {
        RedeemedTicket redeemed = await wire.Sessions.Tickets.TryRedeemForStreamAsync(id, ticket, CancellationToken.None).ConfigureAwait(false);
        try
        {
            await GetAsync(exchange, id, redeemed.Head, redeemed.Refused, withToken: false, disconnected).ConfigureAwait(false);
        }
        finally
        {
            wire.Sessions.Tickets.Leave(redeemed);
        }
    }

    private async ValueTask GetAsync(
        HttpExchange exchange, SessionId id, SessionHead? head, Admission refusal, bool withToken, CancellationToken disconnected)
    {
        EventCursor? after = null;
        if (head is not null && (!TryReadAfter(exchange.Request, out after) || after?.Turn > head.Turn + 1))
            refusal = Refusal.BadRequest;
        SessionReader? reader = head is not null && refusal.Refusal == Refusal.None ? wire.Sessions.Readers.TryEnter(id) : null;
        if (reader is null)
        {
            if (refusal.Refusal == Refusal.None)
                refusal = Refusal.Overloaded;
            await replies.RefusedAsync(exchange, refusal, id.Value, disconnected).ConfigureAwait(false);
            return;
        }

        try
        {
            await SendAsync(exchange, id, reader, after, withToken, disconnected).ConfigureAwait(false);
        }
        finally
        {
            wire.Sessions.Readers.Leave(id, reader);
        }
    }

    private async ValueTask SendAsync(
        HttpExchange exchange, SessionId id, SessionReader reader, EventCursor? after, bool withToken, CancellationToken disconnected)
    {
        using CancellationTokenSource gone = CancellationTokenSource.CreateLinkedTokenSource(disconnected);
        bool follows = QueryParameters.Contains(exchange.Request, "follow=1"u8);
        SessionFeed feed = new(wire.Sessions, id, follows);
        IAsyncEnumerator<FeedEvent> events = feed.ReadAsync(after, gone.Token).GetAsyncEnumerator(gone.Token);
        TurnStream frames = new(wire, exchange.Response, disconnected);
        EventStream? stream = null;
        Task<bool>? next = null;
        try
        {
            while (true)
            {
                ValueTask<bool> moving = events.MoveNextAsync();
                bool hasMore;
                if (moving.IsCompleted)
                    hasMore = await moving.ConfigureAwait(false);
                else
                {
                    next = moving.AsTask();
                    hasMore = await WaitAsync(next, reader, stream, disconnected).ConfigureAwait(false);
                }

                if (!hasMore)
                    break;
                stream ??= frames.Open(id, events.Current.At.Turn);
                Write(frames, stream, id, events.Current, withToken);
                if (events.Current.Kind == FeedKind.Rest && wire.Sessions.Running.IsDrained)
                    break;
                if (stream.Unsent >= TurnStream.MostUnsent)
                    await stream.FlushAsync(disconnected).ConfigureAwait(false);
            }

            if (stream is not null)
                await stream.CompleteAsync(disconnected).ConfigureAwait(false);
        }
        catch (Exception e) when (stream is null && !disconnected.IsCancellationRequested)
        {
            await replies.RefusedAsync(exchange, wire.Sessions.StoreFailed(e), id.Value, disconnected).ConfigureAwait(false);
            return;
        }
        catch (IOException) when (feed.IsCut)
        {
            throw TurnStream.Cut(exchange.Response);
        }
        finally
        {
            await EndAsync(events, next, gone).ConfigureAwait(false);
        }

        if (stream is null)
        {
            exchange.Response.Status = 204;
            await exchange.Response.SendAsync(ReadOnlyMemory<byte>.Empty, disconnected).ConfigureAwait(false);
        }
    }

    // What there is goes out before the wait, and a comment after a while of silence, or to find out whether the peer is gone.
    private async ValueTask<bool> WaitAsync(Task<bool> next, SessionReader reader, EventStream? stream, CancellationToken disconnected)
    {
        if (stream is null)
            return await next.ConfigureAwait(false);
        while (true)
        {
            await stream.FlushAsync(disconnected).ConfigureAwait(false);
            try
            {
                await Task.WhenAny(next, reader.ProbedAsync()).WaitAsync(
                    wire.Sessions.Settings.SseHeartbeat, wire.Sessions.Settings.Time, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // The silence was long.
            }

            if (next.IsCompleted)
                return await next.ConfigureAwait(false);
            TurnStream.WriteHeartbeat(stream);
        }
    }

    // The reader ends before its place is given back, whatever became of the peer.
    private static async ValueTask EndAsync(IAsyncEnumerator<FeedEvent> events, Task<bool>? next, CancellationTokenSource gone)
    {
        await gone.CancelAsync().ConfigureAwait(false);
        if (next is not null)
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await events.DisposeAsync().ConfigureAwait(false);
    }

    private static void Write(TurnStream frames, EventStream stream, SessionId id, in FeedEvent told, bool withToken)
    {
        switch (told.Kind)
        {
            case FeedKind.Rest:
                break;
            case FeedKind.Start:
                frames.WriteStart(stream, told.At);
                break;
            case FeedKind.Record:
                frames.Write(stream, "record"u8, told.Json.Span, told.At);
                break;
            case FeedKind.Delta:
                frames.Write(stream, "delta"u8, told.Json.Span, told.At);
                break;
            case FeedKind.Gap:
                frames.Write(stream, "gap"u8, WireJson.Gap(told).Span, told.At);
                break;
            default:
                frames.WriteEnd(stream, id.Value, withToken ? told.End! : told.End!.WithoutToken(), told.At);
                break;
        }
    }

    // A browser that connects again sends the field; the parameter is for those that cannot.
    private static bool TryReadAfter(HttpRequest request, out EventCursor? after)
    {
        after = null;
        int count = request.Headers.CountOf("last-event-id"u8);
        if (count > 1)
            return false;
        request.Headers.TryGet("last-event-id"u8, out ReadOnlySpan<byte> id);
        if (count == 0)
            foreach (Range parameter in request.Query.Split((byte)'&'))
                if (request.Query[parameter].StartsWith("after="u8))
                    id = request.Query[parameter]["after=".Length..];
        if (id.IsEmpty)
            return true;
        bool isValid = EventCursor.TryParse(id, out EventCursor cursor);
        after = cursor;
        return isValid;
    }
}
