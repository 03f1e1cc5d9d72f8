using System.Runtime.CompilerServices;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The records of one turn, from the journal alone.</summary>
internal static class TurnRecords
{
    /// <summary>The records of a turn, and before those of each attempt where it begins.</summary>
    /// <param name="store">Has the journal.</param>
    /// <param name="id">The session.</param>
    /// <param name="at">Where the turn begins.</param>
    /// <param name="until">The seq where what is asked for ends.</param>
    /// <param name="cancel">Ends the reading.</param>
    public static async IAsyncEnumerable<FeedEvent> ReadAsync(
        IStateStore store, SessionId id, EventCursor at, long until, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        bool isFirst = true, isWake = false;
        await foreach (JournalEntry entry in store.ReadAsync(id, at.Seq, cancel).ConfigureAwait(false))
        {
            if (entry.Seq >= until)
                yield break;
            bool isStart = entry.Kind == RecordKind.TurnStarted;
            if (isStart)
                at = at with { Seq = entry.Seq, Attempt = entry.ReadName() };
            if (isStart || isFirst)
                yield return FeedEvent.Start(at);
            isFirst = false;
            isWake = entry.Kind == RecordKind.WakeStarted || (isWake && !isStart);
            if (!entry.IsPublic || isWake)   // a wake turn may have run beside the request
                continue;
            at = at with { Seq = entry.Seq };
            yield return new FeedEvent(FeedKind.Record, at, ChannelEvent.Record(entry.Utf8.Span));
        }
    }
}
