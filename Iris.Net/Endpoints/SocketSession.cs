using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.WebSockets;

namespace Iris.Net.Endpoints;

/// <summary>One WebSocket, many turns: the first message starts a session, which the connection is bound to from then on.</summary>
internal sealed class SocketSession(ChannelWire wire, WebSocketConnection socket)
{
    private SessionId? _bound;
    private Task _sending = Task.CompletedTask;
    private int _due;   // turns whose last event is not sent yet

    /// <summary><c>GET /v1/ws</c>, upgraded.</summary>
    public async ValueTask RunAsync(CancellationToken disconnected)
    {
        while (true)
        {
            WebSocketMessage message = await socket.ReceiveAsync(disconnected).ConfigureAwait(false);
            if (message.Kind == WebSocketMessageKind.Closed)
                return;
            if (!TurnBody.TryRead(message.Payload.Span, wire.MaxJsonDepth, out TurnBody body))
                await RefuseAsync(RefusalCode.MalformedJson, "malformed JSON frame", disconnected).ConfigureAwait(false);
            else if (_bound is null && body.Token is not null)
                await RefuseAsync(
                    RefusalCode.BadRequest, "present no continuationToken to start a session", disconnected).ConfigureAwait(false);
            else
                await AdmitAsync(body, disconnected).ConfigureAwait(false);
        }
    }

    private async ValueTask AdmitAsync(TurnBody body, CancellationToken disconnected)
    {
        TurnRequest request = new(body.Json, socket.Principal);
        Admission admission = (_bound, body.Token) switch
        {
            (null, _) => await wire.Sessions.StartAsync(request, CancellationToken.None).ConfigureAwait(false),
            ({ } id, null) => await wire.Sessions.ContinueBoundAsync(id, request, CancellationToken.None).ConfigureAwait(false),
            (_, []) => Refusal.StaleToken,
            ({ } id, { } token) =>
                await wire.Sessions.ContinueAsync(id, token, request, CancellationToken.None).ConfigureAwait(false),
        };
        if (admission.Turn is { } turn)
        {
            _bound = turn.SessionId;
            Follow(turn, disconnected);
            return;
        }

        if (admission.Failure is { } failure)
        {
            await socket.SendTextAsync(wire.LastEvent("", failure).Span, disconnected).ConfigureAwait(false);
            return;
        }

        string? message = admission.Refusal == Refusal.UnknownSession ? $"unknown session '{_bound}'" : null;
        await RefuseAsync(RefusalText.CodeOf(admission.Refusal), message, disconnected).ConfigureAwait(false);
    }

    // Waiting for the send keeps a peer that makes mistakes and reads nothing from being read any faster.
    private ValueTask RefuseAsync(RefusalCode code, string? message, CancellationToken disconnected) =>
        socket.SendTextAsync(wire.ErrorEvent(code, message).Span, disconnected);

    private void Follow(RunningTurn turn, CancellationToken disconnected)
    {
        EventReader reader = turn.Events.Attach();
        Interlocked.Increment(ref _due);
        socket.IsBusy = true;
        _sending = SendAsync(_sending, turn, reader, disconnected);
        turn.Start();
    }

    private async Task SendAsync(Task before, RunningTurn turn, EventReader reader, CancellationToken disconnected)
    {
        await before.ConfigureAwait(false);   // the turn before may have ended and not yet been told
        using (reader)
        {
            try
            {
                while (!await SendReadyAsync(turn, reader, disconnected).ConfigureAwait(false))
                    await reader.WaitAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The peer is gone; the turn goes on without it.
            }

            if (Interlocked.Decrement(ref _due) == 0)
                socket.IsBusy = false;
        }
    }

    /// <summary>Sends what there is in one send; true where nothing more will come.</summary>
    private async ValueTask<bool> SendReadyAsync(RunningTurn turn, EventReader reader, CancellationToken disconnected)
    {
        while (reader.TryRead(out _, out ReadOnlySpan<byte> json))
            socket.Queue(json);
        if (reader.IsCut)
        {
            await socket.CloseAsync(WebSocketCloseCode.TryAgainLater, cancel: disconnected).ConfigureAwait(false);
            return true;
        }

        TurnEnd? end = reader.End;
        if (end is not null)
            socket.Queue(wire.LastEvent(turn.SessionId.Value, end).Span);
        await socket.FlushAsync(disconnected).ConfigureAwait(false);
        return end is not null;
    }
}
