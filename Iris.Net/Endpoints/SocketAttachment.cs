using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.WebSockets;

namespace Iris.Net.Endpoints;

/// <summary>A WebSocket that follows a session: what it missed, and then every turn as it comes, whoever causes it.</summary>
internal sealed class SocketAttachment
{
    private readonly ChannelWire _wire;
    private readonly WebSocketConnection _socket;
    private readonly SocketOutput _output;
    private readonly SessionId _id;
    private readonly SessionFeed _feed;
    private readonly IAsyncEnumerator<FeedEvent> _events;
    private readonly CancellationTokenSource _gone = new();
    private readonly CancellationTokenRegistration _disconnected;
    private readonly SessionReader _reader;
    private readonly bool _hidesTokens;   // the holder of a ticket reads
    private readonly OwnTurns _own;
    private Task _telling = Task.CompletedTask;
    private WebSocketCloseCode? _close;

    private SocketAttachment(
        ChannelWire wire, WebSocketConnection socket, SocketOutput output, SessionId id, SessionReader reader, EventCursor? after,
        bool hidesTokens, CancellationToken disconnected)
    {
        (_wire, _socket, _output, _id, _reader, _hidesTokens) = (wire, socket, output, id, reader, hidesTokens);
        _own = new OwnTurns(socket);
        _feed = new SessionFeed(wire.Sessions, id, follows: true);
        _events = _feed.ReadAsync(after, _gone.Token).GetAsyncEnumerator(_gone.Token);
        _disconnected = disconnected.UnsafeRegister(static attached => ((SocketAttachment)attached!).Stop(), this);
    }

    /// <summary>The token that opened the session and may only read it; null where the connection may act.</summary>
    public ReadOnlyMemory<byte>? ReadsWith { get; set; }

    /// <summary>Whether the client sends messages and does not read what becomes of them.</summary>
    public bool IsFull => _own.AreMany;

    /// <summary>Begins to follow a session for whoever presents a token that reads it; the refusal where it cannot.</summary>
    public static async ValueTask<(SocketAttachment? Attached, Admission Refused)> OpenAsync(
        ChannelWire wire, WebSocketConnection socket, SocketOutput output, AttachMessage message, byte[]? token,
        CancellationToken disconnected)
    {
        Presented access = await JudgeAsync(wire, socket, message.SessionId, token).ConfigureAwait(false);
        if (access.IsRefused)
            return (null, access.Refused);
        if (message.After?.Turn > access.Head!.Turn + 1)
            return (null, Refusal.BadRequest);
        SessionId id = new(message.SessionId);
        if (wire.Sessions.Readers.TryEnter(id) is not { } reader)
            return (null, Refusal.Overloaded);
        SocketAttachment attached = new(wire, socket, output, id, reader, message.After, hidesTokens: token is null, disconnected)
        {
            ReadsWith = access.IsCurrent ? default(ReadOnlyMemory<byte>?) : token ?? [],
        };
        if (await attached.MoveAsync().ConfigureAwait(false))
            return (attached, default);
        await attached.EndAsync(null).ConfigureAwait(false);
        return (null, attached._feed.IsGone ? Refusal.UnknownSession : Refusal.StoreUnavailable);
    }

    /// <summary>Says that the connection is attached, and tells what comes.</summary>
    public void Begin(byte[]? reference)
    {
        _output.Queue(WireJson.Attached(_id.Value, _feed.Turn, _feed.Runs).Span, reference, _events.Current.At);
        _socket.IsBusy = true;
        _telling = TellAsync();
    }

    /// <summary>Knows a turn as the connection's own, whose events carry the reference of the message; false where it has ended: they
    /// may have been told.</summary>
    public bool TryOwn(RunningTurn turn, byte[]? reference) => _own.TryAdd(turn, reference);

    /// <summary>Ends once the client was told what is due to it.</summary>
    public Task FinishAsync()
    {
        if (_own.Finish())
            Stop();
        return _telling;
    }

    /// <summary>Follows no longer.</summary>
    public void Stop() => _gone.Cancel();

    // The one place that judges what an attach presents.
    private static async ValueTask<Presented> JudgeAsync(
        ChannelWire wire, WebSocketConnection socket, string sessionId, byte[]? token)
    {
        SessionId id = new(sessionId);
        if (socket.State is string ticket)
        {
            RedeemedTicket redeemed = token is null && sessionId.Length <= SessionId.MaxLength
                ? await wire.Sessions.Tickets.TryRedeemOnceAsync(id, ticket, CancellationToken.None).ConfigureAwait(false)
                : new(Refusal.StaleToken);
            return redeemed.IsRefused ? new(redeemed.Refused) : new(redeemed.Head, false, null, null);
        }

        return sessionId.Length > SessionId.MaxLength
            ? new((Admission)Refusal.UnknownSession)
            : await wire.Sessions.Receipts.OpenAsync(id, token ?? [], socket.Principal, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task TellAsync()
    {
        Task<bool>? next = null;
        try
        {
            while (true)
            {
                bool hasMore;
                ValueTask<bool> moving = MoveAsync();
                if (moving.IsCompleted)
                    hasMore = await moving.ConfigureAwait(false);
                else
                {
                    next = moving.AsTask();
                    await _output.FlushAsync(_gone.Token).ConfigureAwait(false);   // what there is goes out before the wait
                    hasMore = await next.ConfigureAwait(false);
                }

                if (!hasMore)
                    break;
                Tell(_events.Current);
                if (_output.IsFull)
                    await _output.FlushAsync(_gone.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The peer is gone; the turns go on without it.
        }

        await EndAsync(next).ConfigureAwait(false);
        try
        {
            if (_close is { } code)
                await _socket.CloseAsync(code, cancel: CancellationToken.None).ConfigureAwait(false);
            else
                await _output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The same.
        }
    }

    // False where nothing more comes: the close says why.
    private async ValueTask<bool> MoveAsync()
    {
        try
        {
            if (await _events.MoveNextAsync().ConfigureAwait(false))
                return true;
            _close = WebSocketCloseCode.NormalClosure;   // the session was deleted
        }
        catch (Exception) when (_feed.IsCut)
        {
            _close = WebSocketCloseCode.TryAgainLater;
        }
        catch (Exception e)
        {
            if (_gone.IsCancellationRequested)
                return false;
            _wire.Sessions.StoreFailed(e);
            _close = WebSocketCloseCode.InternalError;
        }

        return false;
    }

    private async ValueTask EndAsync(Task? moving)
    {
        Stop();
        if (moving is not null)
            await moving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _events.DisposeAsync().ConfigureAwait(false);
        await _disconnected.DisposeAsync().ConfigureAwait(false);
        _wire.Sessions.Readers.Leave(_id, _reader);
        _socket.IsBusy = false;
    }

    private void Tell(in FeedEvent told)
    {
        if (told.Kind == FeedKind.Rest)
        {
            if (_own.Rest(_feed))
                Stop();
            return;
        }

        byte[]? reference = _own.Tell(told.At);
        switch (told.Kind)
        {
            case FeedKind.Start:
                break;   // told when it was attached
            case FeedKind.Gap:
                _output.Queue(WireJson.Gap(told).Span, reference, told.At);
                break;
            case FeedKind.End:
                TurnEnd end = _hidesTokens ? told.End!.WithoutToken() : told.End!;
                _output.Queue(_wire.LastEvent(_id.Value, end).Span, reference, told.At);
                _own.End(told.At);
                break;
            default:
                _output.Queue(told.Json.Span, reference, told.At);
                break;
        }
    }
}
