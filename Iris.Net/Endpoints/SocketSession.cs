using System.Buffers;
using System.Text.Json;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.WebSockets;

namespace Iris.Net.Endpoints;

/// <summary>One WebSocket, many turns: the first message starts a session, which the connection is bound to from then on.</summary>
internal sealed class SocketSession(ChannelWire wire, WebSocketConnection socket) : BoundConnection
{
    // Error replies that may wait for a peer that does not read them, before nothing more of it is read.
    private const int MostErrors = 16;

    // What waits beside the socket's own buffer; more stays with the events, where deltas are joined, and a reader too far behind
    // is cut.
    private const int MostUnsent = 64 * 1024;

    // A longer one would be repeated on every event.
    private const int LongestRef = 512;

    // How long a peer that closes, or that broke a rule, waits for the close while a turn runs.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private SessionId? _bound;
    private Task _sending = Task.CompletedTask;
    private int _turns;   // admitted so far
    private int _errors;    // error replies that may be unsent

    /// <summary><c>GET /v1/ws</c>, upgraded.</summary>
    public async ValueTask RunAsync(CancellationToken disconnected)
    {
        try
        {
            await ReadAsync(disconnected).ConfigureAwait(false);
        }
        finally
        {
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

    private void Bind(SessionId id)
    {
        if (_bound is not null)
            return;
        _bound = id;
        wire.Sessions.Connections.Add(id, this);
    }

    private async ValueTask ReadAsync(CancellationToken disconnected)
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

    private ValueTask AnswerAsync(in ReadOnlySequence<byte> message, CancellationToken disconnected)
    {
        if (!TryRead(message, out TurnBody body))
            return RefuseAsync(RefusalCode.MalformedJson, "malformed JSON frame", null, disconnected);
        if (body.Ref?.Length > LongestRef)
            return RefuseAsync(RefusalCode.BadRequest, $"$ref is longer than {LongestRef} bytes", null, disconnected);
        if (_bound is null && socket.State is string)
            return RefuseAsync(RefusalCode.StaleToken, null, body.Ref, disconnected);   // a ticket starts nothing
        if (body.IsControl)
            return ControlAsync(body, disconnected);
        if (_bound is null && body.Token is not null)
            return RefuseAsync(
                RefusalCode.BadRequest, "present no continuationToken to start a session", body.Ref, disconnected);
        return AdmitAsync(body, disconnected);
    }

    private async ValueTask ControlAsync(TurnBody body, CancellationToken disconnected)
    {
        if (JsonText.Parse(body.Json).GetProperty("$iris"u8) is not { ValueKind: JsonValueKind.String } what || !what.ValueEquals("cancel"u8))
        {
            await RefuseAsync(RefusalCode.BadRequest, null, body.Ref, disconnected).ConfigureAwait(false);
            return;
        }

        CancelAnswer answer = _bound is { } id
            ? await wire.Sessions.Cancels.CancelAsync(id, token: null, socket.Principal, CancellationToken.None).ConfigureAwait(false)
            : default;
        if (answer.Refused.Refusal != Refusal.None)
        {
            await RefuseAsync(answer.Refused, body.Ref, disconnected).ConfigureAwait(false);
            return;
        }

        Queue(WireJson.CancelEvent(answer.Turn).Span, body.Ref);
        await socket.FlushAsync(disconnected).ConfigureAwait(false);
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

    // What is due goes out before the close: to a peer that ended its side and may still read, all of its turns; to one that closes
    // or broke a rule, what soon comes.
    private async ValueTask EndAsync(WebSocketCloseCode code)
    {
        if (socket.IsAborted)
            return;
        TimeSpan time = code == WebSocketCloseCode.AbnormalClosure ? Timeout.InfiniteTimeSpan : Grace;
        try
        {
            await _sending.WaitAsync(time, wire.Sessions.Settings.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The turn goes on without the peer.
        }
    }

    private async ValueTask AdmitAsync(TurnBody body, CancellationToken disconnected)
    {
        TurnRequest request = new(body.Json, socket.Principal);
        Admission admission = (_bound, body.Token) switch
        {
            (null, _) => await wire.Sessions.Claims.StartAsync(request, CancellationToken.None).ConfigureAwait(false),
            ({ } id, null) => await wire.Sessions.Claims.ContinueBoundAsync(id, request, CancellationToken.None).ConfigureAwait(false),
            (_, []) => Refusal.StaleToken,
            ({ } id, { } token) =>
                await wire.Sessions.Claims.ContinueAsync(id, token, request, CancellationToken.None).ConfigureAwait(false),
        };
        if (admission.Turn is { } turn)
        {
            Bind(turn.SessionId);
            Follow(turn, body.Ref, disconnected);
            return;
        }

        if (admission.Contended is { } held)
        {
            await SendErrorAsync(wire.LastEvent(held.SessionId.Value, held.End), body.Ref, disconnected).ConfigureAwait(false);
            return;
        }

        if (admission.Failure is { } failure)
        {
            await SendErrorAsync(wire.LastEvent("", failure), body.Ref, disconnected).ConfigureAwait(false);
            return;
        }

        await RefuseAsync(admission, body.Ref, disconnected).ConfigureAwait(false);
    }

    private ValueTask RefuseAsync(Admission admission, byte[]? reference, CancellationToken disconnected)
    {
        string? message = admission.Refusal == Refusal.UnknownSession ? $"unknown session '{_bound}'" : null;
        return RefuseAsync(RefusalText.CodeOf(admission.Refusal), message, reference, disconnected);
    }

    private ValueTask RefuseAsync(RefusalCode code, string? message, byte[]? reference, CancellationToken disconnected) =>
        SendErrorAsync(wire.ErrorEvent(code, message), reference, disconnected);

    // A peer that makes mistakes and reads nothing is not read any more.
    private async ValueTask SendErrorAsync(ReadOnlyMemory<byte> json, byte[]? reference, CancellationToken disconnected)
    {
        Queue(json.Span, reference);
        _errors++;
        socket.BeginFlush();
        if (_errors >= MostErrors)
            await socket.FlushAsync(disconnected).ConfigureAwait(false);
        if (socket.Unsent == 0)
            _errors = 0;
    }

    private void Follow(RunningTurn turn, byte[]? reference, CancellationToken disconnected)
    {
        EventReader reader = turn.Events.Attach();
        int number;
        Task before;
        lock (this)
        {
            number = ++_turns;
            before = _sending;
            socket.IsBusy = true;
        }

        _sending = SendAsync(before, number, turn, reader, reference, disconnected);
        turn.Start();
    }

    private async Task SendAsync(
        Task before, int number, RunningTurn turn, EventReader reader, byte[]? reference, CancellationToken disconnected)
    {
        await before.ConfigureAwait(false);   // the turn before may have ended and not yet been told
        using (reader)
        {
            try
            {
                while (!await SendReadyAsync(turn, reader, reference, disconnected).ConfigureAwait(false))
                    await reader.WaitAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The peer is gone; the turn goes on without it.
            }

            EndTurn(number);
        }
    }

    // Where no other turn came meanwhile nothing is due, and nothing of it is kept.
    private void EndTurn(int number)
    {
        lock (this)
        {
            if (number != _turns)
                return;
            _sending = Task.CompletedTask;
            socket.IsBusy = false;
        }
    }

    /// <summary>Sends what there is in one send; true where nothing more will come.</summary>
    private async ValueTask<bool> SendReadyAsync(RunningTurn turn, EventReader reader, byte[]? reference, CancellationToken disconnected)
    {
        while (socket.Unsent < MostUnsent && reader.TryRead(out _, out ReadOnlySpan<byte> json))
            Queue(json, reference, turn, reader.Place);
        if (reader.IsCut)
        {
            await socket.CloseAsync(WebSocketCloseCode.TryAgainLater, cancel: disconnected).ConfigureAwait(false);
            return true;
        }

        TurnEnd? end = reader.End;
        if (end is not null)
            Queue(wire.LastEvent(turn.SessionId.Value, end).Span, reference, turn, turn.Events.EndPlace());
        await socket.FlushAsync(disconnected).ConfigureAwait(false);
        return end is not null;
    }

    private void Queue(ReadOnlySpan<byte> json, byte[]? reference, RunningTurn turn, EventPlace place)
    {
        if (wire.IsSeedExact)
        {
            Queue(json, reference);
            return;
        }

        Span<byte> id = stackalloc byte[EventCursor.MaxLength];
        Queue(json, reference, id[..turn.CursorAt(place).Format(id)]);
    }

    private void Queue(ReadOnlySpan<byte> json, byte[]? reference, ReadOnlySpan<byte> id = default)
    {
        if (reference is null && id.IsEmpty)
        {
            socket.Queue(json);
            return;
        }

        RentedBuffer whole = new();
        WireJson.WriteExtended(whole, json, reference, id);
        socket.Queue(whole.Written.Span);
        whole.Clear();
    }
}
