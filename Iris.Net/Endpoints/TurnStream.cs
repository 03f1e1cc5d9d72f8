using Iris.Net.Journal;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Sse;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>A turn as a stream of server-sent events.</summary>
internal sealed class TurnStream(ChannelWire wire, HttpResponse response, CancellationToken disconnected)
{
    // What waits beside the socket's own buffer; more stays with the events, where a reader too far behind is cut.
    private const int MostUnsent = 64 * 1024;

    /// <summary>Runs the turn and sends its events until its end. A client that goes away ends the stream, not the turn.</summary>
    public async ValueTask RunAsync(RunningTurn turn)
    {
        EventStream stream = Open();
        using EventReader reader = turn.Events.Attach();
        turn.Start();
        await reader.YieldAsync().ConfigureAwait(false);   // what the program says at once leaves with the head
        await FollowAsync(stream, turn, reader, after: -1).ConfigureAwait(false);
    }

    /// <summary>Sends the records of a turn that runs already, and then what comes.</summary>
    public async ValueTask AttachAsync(RunningTurn turn)
    {
        // Up to what is published from the journal, and then from the reader: in order, each once.
        using EventReader reader = turn.Events.Attach(out long published);
        EventStream stream = Open();
        if (turn.Events.HadDeltas)
        {
            EventStreamWriter.WriteComment(stream, "gap delta"u8);
            EventStreamWriter.WriteEnd(stream);
        }

        await ReplayAsync(stream, turn.SessionId, turn.FirstSeq, published + 1).ConfigureAwait(false);
        await FollowAsync(stream, turn, reader, published).ConfigureAwait(false);
    }

    /// <summary>Sends the records and the outcome of a turn that is over.</summary>
    public async ValueTask ReplayAsync(PastTurn past)
    {
        response.Headers.Add("Idempotency-Replayed"u8, "true"u8);
        EventStream stream = Open();
        await ReplayAsync(stream, past.SessionId, past.FirstSeq, past.NextSeq).ConfigureAwait(false);
        await EndAsync(stream, past.SessionId.Value, past.End).ConfigureAwait(false);
    }

    private EventStream Open()
    {
        response.Headers.Add("X-Content-Type-Options"u8, "nosniff"u8);
        return EventStream.Start(response);
    }

    private async ValueTask FollowAsync(EventStream stream, RunningTurn turn, EventReader reader, long after)
    {
        while (true)
        {
            while (stream.Unsent < MostUnsent && reader.TryRead(out EventKind kind, out ReadOnlySpan<byte> json))
                if (kind == EventKind.Delta || reader.LastSeq > after)
                    EventStreamWriter.Write(stream, kind == EventKind.Delta ? "delta"u8 : "record"u8, json, id: default);
            if (reader.End is { } end)
            {
                await EndAsync(stream, turn.SessionId.Value, end).ConfigureAwait(false);
                return;
            }

            if (reader.IsCut)
                throw new IOException("The reader fell too far behind.");
            await stream.FlushAsync(disconnected).ConfigureAwait(false);
            await reader.WaitAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask ReplayAsync(EventStream stream, SessionId id, long from, long until)
    {
        await foreach (JournalEntry entry in wire.Sessions.Settings.Store.ReadAsync(id, from, disconnected).ConfigureAwait(false))
        {
            if (entry.Seq >= until)
                break;
            if (!entry.IsPublic)
                continue;
            EventStreamWriter.Write(stream, "record"u8, ChannelEvent.Record(entry.Utf8.Span), id: default);
            if (stream.Unsent >= MostUnsent)
                await stream.FlushAsync(disconnected).ConfigureAwait(false);
        }
    }

    private ValueTask EndAsync(EventStream stream, string sessionId, TurnEnd end)
    {
        EventStreamWriter.Write(stream, end.IsError ? "error"u8 : "outcome"u8, wire.LastEvent(sessionId, end).Span, id: default);
        return stream.CompleteAsync(disconnected);
    }
}
