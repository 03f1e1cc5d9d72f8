using System.Globalization;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Sse;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>A turn as a stream of server-sent events.</summary>
internal sealed class TurnStream(ChannelWire wire, HttpResponse response, CancellationToken disconnected)
{
    // What waits beside the socket's own buffer; more stays with the events, where a reader too far behind is cut.
    public const int MostUnsent = 64 * 1024;

    private const int RetryAfter = 2000;   // milliseconds

    /// <summary>Runs the turn and sends its events until its end. A client that goes away ends the stream, not the turn.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="isStart">Whether it is a session's first.</param>
    /// <param name="isStrict">Whether the stream opens only once there is something to tell, and never for a contended end alone.</param>
    /// <returns>Null, or the end of an attempt of which nothing was sent: one that the store did not take, or a contended one.</returns>
    public async ValueTask<TurnEnd?> RunAsync(RunningTurn turn, bool isStart, bool isStrict = false)
    {
        using EventReader reader = turn.Events.Attach();
        // A token that is given out is known to the journal.
        if (isStart && !wire.IsSeedExact && wire.Sessions.Settings.Store.Traits.Durable
            && await turn.SecureAsync().ConfigureAwait(false) is { } end)
            return end;
        EventStream stream;
        if (isStrict)
        {
            turn.Start();
            await reader.WaitAsync().ConfigureAwait(false);
            if (reader.End is { Status: TurnStatus.Contended } contended)
                return contended;
            stream = Open(turn, isStart);
        }
        else
        {
            stream = Open(turn, isStart);
            turn.Start();
            await reader.YieldAsync().ConfigureAwait(false);   // what the program says at once leaves with the head
        }

        await FollowAsync(stream, turn, reader).ConfigureAwait(false);
        return null;
    }

    /// <summary>Sends the records of a turn that runs already, and then what comes.</summary>
    public async ValueTask AttachAsync(RunningTurn turn, bool isStart)
    {
        wire.Sessions.Running.Attend(turn);
        // Up to where the reader stands from the journal, and then from the reader: in order, each once.
        using EventReader reader = turn.Events.Attach();
        EventStream stream = Open(turn, isStart);
        if (turn.Events.HadDeltas)
        {
            EventStreamWriter.WriteComment(stream, "gap delta"u8);
            EventStreamWriter.WriteEnd(stream);
        }

        await ReplayAsync(stream, turn.SessionId, new(turn.Number, turn.FirstSeq, 0, turn.Name), reader.Place.Seq + 1).ConfigureAwait(false);
        await FollowAsync(stream, turn, reader).ConfigureAwait(false);
    }

    /// <summary>Sends the records and the outcome of a turn that is over.</summary>
    public async ValueTask ReplayAsync(PastTurn past)
    {
        response.Headers.Add("Idempotency-Replayed"u8, "true"u8);
        EventCursor start = new(past.Number, past.FirstSeq, 0, EventCursor.NoName);
        EventStream stream = Open(past.SessionId, past.Number);
        EventCursor last = await ReplayAsync(stream, past.SessionId, start, past.NextSeq, startsStream: true).ConfigureAwait(false);
        WriteEnd(stream, past.SessionId.Value, past.End, last with { Delta = last.Delta + 1 });
        await stream.CompleteAsync(disconnected).ConfigureAwait(false);
    }

    /// <summary>Sends an outcome alone: of an attempt that never began.</summary>
    public async ValueTask TellAsync(PastTurn end)
    {
        EventCursor at = new(end.Number, end.FirstSeq, 0, EventCursor.NoName);
        EventStream stream = Open(end.SessionId, end.Number);
        WriteStart(stream, at);
        WriteEnd(stream, end.SessionId.Value, end.End, at with { Delta = 1 });
        await stream.CompleteAsync(disconnected).ConfigureAwait(false);
    }

    /// <summary>Opens the stream of a session's events.</summary>
    public EventStream Open(SessionId id, long turn)
    {
        ResponseHeaders headers = response.Headers;
        headers.Add("X-Content-Type-Options"u8, "nosniff"u8);
        if (!wire.IsSeedExact)
        {
            headers.Add("Iris-Session-Id"u8, Uri.EscapeDataString(id.Value));
            headers.Add("Iris-Turn"u8, turn.ToString(CultureInfo.InvariantCulture));
            headers.Add("X-Accel-Buffering"u8, "no"u8);   // a proxy that collects would hold events up
        }

        return EventStream.Start(response);
    }

    /// <summary>Writes the first frame, which says where the stream begins.</summary>
    public void WriteStart(EventStream stream, in EventCursor start)
    {
        if (wire.IsSeedExact)
            return;
        EventStreamWriter.WriteRetry(stream, RetryAfter);
        Span<byte> id = stackalloc byte[EventCursor.MaxLength];
        EventStreamWriter.WriteId(stream, id[..start.Format(id)]);
        EventStreamWriter.WriteEnd(stream);
    }

    /// <summary>Writes an event.</summary>
    public void Write(EventStream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> json, in EventCursor at)
    {
        Span<byte> id = stackalloc byte[EventCursor.MaxLength];
        EventStreamWriter.Write(stream, type, json, wire.IsSeedExact ? default : id[..at.Format(id)]);
    }

    /// <summary>Writes how an attempt ended.</summary>
    public void WriteEnd(EventStream stream, string sessionId, TurnEnd end, in EventCursor at) =>
        Write(stream, end.IsError ? "error"u8 : "outcome"u8, wire.LastEvent(sessionId, end).Span, at);

    /// <summary>Ends the connection of a reader that fell too far behind; that is its own affair, and no error of ours.</summary>
    public static IOException Cut(HttpResponse response)
    {
        response.Abort();
        return new IOException("The reader fell too far behind.");
    }

    /// <summary>Says that the stream lives.</summary>
    public static void WriteHeartbeat(EventStream stream)
    {
        EventStreamWriter.WriteComment(stream, "hb"u8);
        EventStreamWriter.WriteEnd(stream);
    }

    private EventStream Open(RunningTurn turn, bool isStart)
    {
        if (isStart && !wire.IsSeedExact)
            response.Headers.Add("Iris-Start-Token"u8, turn.PresentedToken.Span);
        EventStream stream = Open(turn.SessionId, turn.Number);
        if (!wire.IsSeedExact)
            WriteStart(stream, new(turn.Number, turn.StartSeq, 0, turn.Name));
        return stream;
    }

    private async ValueTask FollowAsync(EventStream stream, RunningTurn turn, EventReader reader)
    {
        using Heartbeat? heart = wire.IsSeedExact ? null : new(wire.Sessions.Settings.Time, wire.Sessions.Settings.SseHeartbeat, reader);
        while (true)
        {
            while (stream.Unsent < MostUnsent && reader.TryRead(out EventKind kind, out ReadOnlySpan<byte> json))
                Write(stream, kind == EventKind.Delta ? "delta"u8 : "record"u8, json, IdOf(turn, reader.Place));
            if (reader.End is { } end)
            {
                WriteEnd(stream, turn.SessionId.Value, end, IdOf(turn, turn.Events.EndPlace()));
                await stream.CompleteAsync(disconnected).ConfigureAwait(false);
                return;
            }

            if (reader.IsCut)
                throw Cut(response);
            if (heart?.IsDue(hasSent: stream.Unsent > 0) == true)
                WriteHeartbeat(stream);
            await stream.FlushAsync(disconnected).ConfigureAwait(false);
            await reader.WaitAsync().ConfigureAwait(false);
        }
    }

    // An id that nobody sends names nobody.
    private EventCursor IdOf(RunningTurn turn, EventPlace place) => wire.IsSeedExact ? default : turn.CursorAt(place);

    private async ValueTask<EventCursor> ReplayAsync(EventStream stream, SessionId id, EventCursor at, long until, bool startsStream = false)
    {
        await foreach (FeedEvent told in TurnRecords.ReadAsync(wire.Sessions.Settings.Store, id, at, until, disconnected).ConfigureAwait(false))
        {
            at = told.At;
            if (told.Kind == FeedKind.Record)
                Write(stream, "record"u8, told.Json.Span, at);
            else if (startsStream)
                WriteStart(stream, at);
            startsStream = false;
            if (stream.Unsent >= MostUnsent)
                await stream.FlushAsync(disconnected).ConfigureAwait(false);
        }

        return at;
    }
}
