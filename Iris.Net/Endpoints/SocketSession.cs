using System.Buffers;
using System.Text.Json;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.WebSockets;

namespace Iris.Net.Endpoints;

/// <summary>One WebSocket, many turns: the first message starts a session, or attaches to one, which the connection is bound to from
/// then on.</summary>
internal sealed class SocketSession(ChannelWire wire, WebSocketConnection socket) : BoundConnection
{
    // A longer one would be repeated on every event.
    private const int LongestRef = 512;

    // Of whoever guesses, no more is heard.
    private const int MostAttaches = 3;

    // How long a peer that closes, or that broke a rule, waits for the close while a turn runs.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly SocketTurns _output = new(wire, socket);
    private SessionId? _bound;
    private SocketAttachment? _attached;    // null where the connection sees only turns of its own
    private byte _failedAttaches;

    // It was let in with a ticket, which attaches once, to read, and does nothing else.
    private bool HasTicket => socket.State is string;

    /// <summary><c>GET /v1/ws</c>, upgraded.</summary>
    public async ValueTask RunAsync(CancellationToken disconnected)
    {
        try
        {
            while (true)
            {
                await socket.WaitAsync(disconnected).ConfigureAwait(false);
                if (socket.Received.Kind == WebSocketMessageKind.Closed)
                {
                    await EndAsync(socket.Received.CloseCode).ConfigureAwait(false);
                    return;
                }

                await AnswerAsync(socket.Received.Payload, disconnected).ConfigureAwait(false);
            }
        }
        finally
        {
            _attached?.Stop();
            if (_bound is { } id)
                wire.Sessions.Connections.Remove(id, this);
        }
    }

    /// <inheritdoc/>
    public override void SessionEnded() => _ = CloseAsync();

    private async Task CloseAsync()
    {
        try
        {
            await socket.CloseAsync(WebSocketCloseCode.NormalClosure).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The peer is gone already.
        }
    }

    // An attached connection learns of the session's end from the events that it follows.
    private bool Bind(SessionId id)
    {
        if (_bound is not null)
            return false;
        _bound = id;
        wire.Sessions.Connections.Add(id, this);
        return true;
    }

    // What is told again holds no lease: its session may have gone before the connection was bound to it.
    private async ValueTask EndWhereGoneAsync(SessionId id)
    {
        if (!await wire.Sessions.IsGoneAsync(id).ConfigureAwait(false))
            return;
        await _output.Sending.ConfigureAwait(false);
        SessionEnded();
    }

    private ValueTask AnswerAsync(in ReadOnlySequence<byte> message, CancellationToken disconnected)
    {
        if (!TryRead(message, out TurnBody body))
            return _output.RefuseAsync(RefusalCode.MalformedJson, "malformed JSON frame", null, disconnected);
        if (body.Ref?.Length > LongestRef)
            return _output.RefuseAsync(RefusalCode.BadRequest, $"$ref is longer than {LongestRef} bytes", null, disconnected);
        if (body.IsControl)
            return ControlAsync(body, disconnected);
        if (HasTicket)
            return _output.RefuseAsync(RefusalCode.StaleToken, null, body.Ref, disconnected);
        if (_bound is null && body.Token is not null)
            return _output.RefuseAsync(
                RefusalCode.BadRequest, "present no continuationToken to start a session", body.Ref, disconnected);
        return AdmitAsync(body, disconnected);
    }

    private bool TryRead(in ReadOnlySequence<byte> message, out TurnBody body)
    {
        if (message.IsSingleSegment)
            return TurnBody.TryRead(message.FirstSpan, wire.MaxJsonDepth, out body, isMessage: !wire.IsSeedExact);
        RentedBuffer whole = new();
        message.CopyTo(whole.GetSpan((int)message.Length));
        whole.Advance((int)message.Length);
        bool isJson = TurnBody.TryRead(whole.Written.Span, wire.MaxJsonDepth, out body, isMessage: !wire.IsSeedExact);
        whole.Clear();
        return isJson;
    }

    private ValueTask ControlAsync(TurnBody body, CancellationToken disconnected)
    {
        JsonElement message = JsonText.Parse(body.Json);
        JsonElement what = message.GetProperty("$iris"u8);
        if (what.ValueKind == JsonValueKind.String && what.ValueEquals("cancel"u8))
            return HasTicket
                ? _output.RefuseAsync(RefusalCode.StaleToken, null, body.Ref, disconnected)
                : CancelAsync(body.Ref, disconnected);
        if (what.ValueKind == JsonValueKind.String && what.ValueEquals("attach"u8) && _bound is null)
            return AttachAsync(message, body, disconnected);
        return _output.RefuseAsync(RefusalCode.BadRequest, null, body.Ref, disconnected);
    }

    private async ValueTask CancelAsync(byte[]? reference, CancellationToken disconnected)
    {
        CancelAnswer answer = _bound is { } id
            ? await wire.Sessions.Cancels.CancelAsync(id, _attached?.ReadsWith, socket.Principal, CancellationToken.None).ConfigureAwait(false)
            : default;
        if (answer.Refused.Refusal != Refusal.None)
        {
            await _output.RefuseAsync(answer.Refused, _bound?.Value, reference, disconnected).ConfigureAwait(false);
            return;
        }

        _output.Queue(WireJson.CancelEvent(answer.Turn).Span, reference);
        await _output.FlushAsync(disconnected).ConfigureAwait(false);
    }

    private async ValueTask AttachAsync(JsonElement message, TurnBody body, CancellationToken disconnected)
    {
        (SocketAttachment? attached, Admission refused) = AttachMessage.TryRead(message, out AttachMessage attach)
            ? await SocketAttachment.OpenAsync(wire, socket, _output, attach, body.Token, disconnected).ConfigureAwait(false)
            : (null, Refusal.BadRequest);
        if (attached is not null)
        {
            (_bound, _attached, _output.FollowsSession) = (new SessionId(attach.SessionId), attached, true);
            attached.Begin(body.Ref);
            return;
        }

        await _output.RefuseAsync(refused, attach.SessionId, body.Ref, disconnected).ConfigureAwait(false);
        if (!RefusalText.IsTransient(RefusalText.CodeOf(refused.Refusal)) && ++_failedAttaches == MostAttaches)
            await socket.CloseAsync(WebSocketCloseCode.PolicyViolation, cancel: disconnected).ConfigureAwait(false);
    }

    private async ValueTask AdmitAsync(TurnBody body, CancellationToken disconnected)
    {
        if (_attached is { IsFull: true })
        {
            await socket.CloseAsync(WebSocketCloseCode.TryAgainLater, cancel: disconnected).ConfigureAwait(false);
            return;
        }

        Admission admission = await ClaimAsync(body).ConfigureAwait(false);
        while (admission.Attached is { } same && _attached?.TryOwn(same, body.Ref) == false)
            admission = await ClaimAsync(body).ConfigureAwait(false);   // it ended meanwhile
        bool isNew = false;
        switch (admission)
        {
            case { Turn: { } turn }:
                Bind(turn.SessionId);
                if (_attached is null)
                    _output.Send(turn, turn.Events.AttachBound(), ranAlready: false, body.Ref, disconnected);
                else
                {
                    _attached.ReadsWith = null;   // it presented the current token
                    _attached.TryOwn(turn, body.Ref);
                }

                turn.Start();
                break;
            case { Attached: { } turn }:
                isNew = Bind(turn.SessionId);
                if (_attached is not null)
                    break;
                wire.Sessions.Running.Attend(turn);
                _output.Send(turn, turn.Events.Attach(), ranAlready: true, body.Ref, disconnected);
                break;
            case { Replayed: { } past }:
                isNew = Bind(past.SessionId);
                _output.Send(past, body.Ref, disconnected);
                break;
            case { Contended: { } held }:
                await _output.SendErrorAsync(wire.LastEvent(held.SessionId.Value, held.End), body.Ref, disconnected).ConfigureAwait(false);
                break;
            case { Failure: { } failure }:
                await _output.SendErrorAsync(wire.LastEvent("", failure), body.Ref, disconnected).ConfigureAwait(false);
                break;
            default:
                await _output.RefuseAsync(admission, _bound?.Value, body.Ref, disconnected).ConfigureAwait(false);
                break;
        }

        if (isNew)
            await EndWhereGoneAsync(_bound!.Value).ConfigureAwait(false);
    }

    private ValueTask<Admission> ClaimAsync(TurnBody body)
    {
        TurnRequest request = new(body.Json, socket.Principal, body.Key) { HasInvalidField = body.HasInvalidKey };
        Claims claims = wire.Sessions.Claims;
        return (_bound, body.Token) switch
        {
            (null, _) => claims.StartAsync(request, CancellationToken.None),
            (_, []) => new(Refusal.StaleToken),
            ({ } id, { } token) => claims.ContinueAsync(id, token, request, CancellationToken.None),
            ({ } id, null) when _attached is { ReadsWith: not null } => claims.ContinueAsync(id, default, request, CancellationToken.None),
            ({ } id, null) => claims.ContinueBoundAsync(id, request, CancellationToken.None),
        };
    }

    // What is due goes out before the close: to a peer that ended its side and may still read, all of its turns; to one that closes
    // or broke a rule, what soon comes.
    private async ValueTask EndAsync(WebSocketCloseCode code)
    {
        if (socket.IsAborted)
            return;
        TimeSpan time = code == WebSocketCloseCode.AbnormalClosure ? Timeout.InfiniteTimeSpan : Grace;
        try
        {
            Task due = _attached is null ? _output.Sending : Task.WhenAll(_output.Sending, _attached.FinishAsync());
            await due.WaitAsync(time, wire.Sessions.Settings.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The turn goes on without the peer.
        }
    }
}
