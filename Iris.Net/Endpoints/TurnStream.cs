using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Sse;

namespace Iris.Net.Endpoints;

/// <summary>A turn as a stream of server-sent events.</summary>
internal static class TurnStream
{
    // What waits beside the socket's own buffer; more stays with the events, where a reader too far behind is cut.
    private const int MostUnsent = 64 * 1024;

    /// <summary>Runs the turn and sends its events until its end. A client that goes away ends the stream, not the turn.</summary>
    public static async ValueTask RunAsync(ChannelWire wire, HttpResponse response, RunningTurn turn, CancellationToken disconnected)
    {
        response.Headers.Add("X-Content-Type-Options"u8, "nosniff"u8);
        EventStream stream = EventStream.Start(response);
        using EventReader reader = turn.Events.Attach();
        turn.Start();
        await reader.YieldAsync().ConfigureAwait(false);   // what the program says at once leaves with the head
        while (true)
        {
            while (stream.Unsent < MostUnsent && reader.TryRead(out EventKind kind, out ReadOnlySpan<byte> json))
                EventStreamWriter.Write(stream, kind == EventKind.Delta ? "delta"u8 : "record"u8, json, id: default);
            if (reader.End is { } end)
            {
                EventStreamWriter.Write(
                    stream, end.IsError ? "error"u8 : "outcome"u8, wire.LastEvent(turn.SessionId.Value, end).Span, id: default);
                await stream.CompleteAsync(disconnected).ConfigureAwait(false);
                return;
            }

            if (reader.IsCut)
                throw new IOException("The reader fell too far behind.");
            await stream.FlushAsync(disconnected).ConfigureAwait(false);
            await reader.WaitAsync().ConfigureAwait(false);
        }
    }
}
