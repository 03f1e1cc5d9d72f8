using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.WebSockets;

namespace Iris.Net.Endpoints;

/// <summary>The turns that a WebSocket's own messages cause: their events go out one turn after the other.</summary>
internal sealed class SocketTurns(ChannelWire wire, WebSocketConnection socket) : SocketOutput(wire, socket)
{
    private int _turns;   // sent so far, or being sent

    /// <summary>Whether all turns of the session go out another way, which says when there is none.</summary>
    public bool FollowsSession { get; set; }

    /// <summary>Ends once all turns so far were sent.</summary>
    public Task Sending { get; private set; } = Task.CompletedTask;

    /// <summary>Sends a turn's events until its end.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="reader">Gets what comes.</param>
    /// <param name="ranAlready">Whether the journal has to tell what stands up to the reader's place.</param>
    /// <param name="reference">Stands on every event; null for none.</param>
    /// <param name="disconnected">Ends the sending.</param>
    public void Send(RunningTurn turn, EventReader reader, bool ranAlready, byte[]? reference, CancellationToken disconnected)
    {
        (Task before, int number) = Enter();
        Sending = SendAsync(before, number, turn, reader, ranAlready, reference, disconnected);
    }

    /// <summary>Sends the records and the outcome of a turn that is over.</summary>
    public void Send(PastTurn past, byte[]? reference, CancellationToken disconnected)
    {
        (Task before, int number) = Enter();
        Sending = SendAsync(before, number, past, reference, disconnected);
    }

    private (Task Before, int Number) Enter()
    {
        lock (this)
        {
            if (!FollowsSession)
                Socket.IsBusy = true;
            return (Sending, ++_turns);
        }
    }

    // Where no other turn came meanwhile nothing is due, and nothing of it is kept.
    private void Leave(int number)
    {
        lock (this)
        {
            if (number != _turns)
                return;
            Sending = Task.CompletedTask;
            if (!FollowsSession)
                Socket.IsBusy = false;
        }
    }

    // A turn that ran already is told up to where the reader stands from the journal, and then from the reader: in order, each once.
    private async Task SendAsync(
        Task before, int number, RunningTurn turn, EventReader reader, bool ranAlready, byte[]? reference, CancellationToken disconnected)
    {
        await before.ConfigureAwait(false);   // the turn before may have ended and not yet been told
        using (reader)
        {
            try
            {
                if (ranAlready)
                    await ReplayAsync(
                        turn.SessionId, new(turn.Number, turn.FirstSeq, 0, turn.Name), reader.Place.Seq + 1, reference, disconnected)
                        .ConfigureAwait(false);
                while (!await SendReadyAsync(turn, reader, reference, disconnected).ConfigureAwait(false))
                    await reader.WaitAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                await EndAsync(e, disconnected).ConfigureAwait(false);
            }

            Leave(number);
        }
    }

    private async Task SendAsync(Task before, int number, PastTurn past, byte[]? reference, CancellationToken disconnected)
    {
        await before.ConfigureAwait(false);
        try
        {
            EventCursor last = await ReplayAsync(
                past.SessionId, new(past.Number, past.FirstSeq, 0, EventCursor.NoName), past.NextSeq, reference, disconnected).ConfigureAwait(false);
            Queue(Wire.LastEvent(past.SessionId.Value, past.End).Span, reference, last with { Delta = last.Delta + 1 });
            await FlushAsync(disconnected).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await EndAsync(e, disconnected).ConfigureAwait(false);
        }

        Leave(number);
    }

    // A peer that is gone misses nothing, and the turn goes on without it. One that is there learns that what is due does not come.
    private async ValueTask EndAsync(Exception e, CancellationToken disconnected)
    {
        if (Socket.IsAborted || disconnected.IsCancellationRequested)
            return;
        Wire.Sessions.StoreFailed(e);
        try
        {
            await Socket.CloseAsync(WebSocketCloseCode.InternalError, cancel: disconnected).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The same.
        }
    }

    private async ValueTask<EventCursor> ReplayAsync(
        SessionId id, EventCursor at, long until, byte[]? reference, CancellationToken disconnected)
    {
        await foreach (FeedEvent told in TurnRecords.ReadAsync(Wire.Sessions.Settings.Store, id, at, until, disconnected).ConfigureAwait(false))
        {
            at = told.At;
            if (told.Kind == FeedKind.Record)
                Queue(told.Json.Span, reference, at);
            if (IsFull)
                await FlushAsync(disconnected).ConfigureAwait(false);
        }

        return at;
    }

    /// <summary>Sends what there is in one send; true where nothing more will come.</summary>
    private async ValueTask<bool> SendReadyAsync(
        RunningTurn turn, EventReader reader, byte[]? reference, CancellationToken disconnected)
    {
        while (!IsFull && reader.TryRead(out _, out ReadOnlySpan<byte> json))
            Queue(json, reference, turn, reader.Place);
        if (reader.IsCut)
        {
            await Socket.CloseAsync(WebSocketCloseCode.TryAgainLater, cancel: disconnected).ConfigureAwait(false);
            return true;
        }

        TurnEnd? end = reader.End;
        if (end is not null)
            Queue(Wire.LastEvent(turn.SessionId.Value, end).Span, reference, turn, turn.Events.EndPlace());
        await FlushAsync(disconnected).ConfigureAwait(false);
        return end is not null;
    }

    private void Queue(ReadOnlySpan<byte> json, byte[]? reference, RunningTurn turn, EventPlace place)
    {
        if (Wire.IsSeedExact)
            Queue(json, reference);
        else
            Queue(json, reference, turn.CursorAt(place));
    }
}
