using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Keeps the events of attempts that ended a moment ago and that somebody followed, so that a reader that was cut off
/// misses nothing. Bounded; the oldest go first.</summary>
internal sealed class DeltaMemory(TimeProvider time, long most)
{
    /// <summary>Bytes that are kept of one attempt.</summary>
    public const long OfOneTurn = 64 * 1024;

    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly LinkedList<Kept> _byAge = [];
    private readonly Dictionary<string, List<LinkedListNode<Kept>>> _bySession = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Takes the events of an attempt that is over, once; none where nobody followed it.</summary>
    public void Add(RunningTurn turn)
    {
        if (most == 0 || !turn.Events.IsFollowed || !turn.Events.MayBeMissed)
            return;
        lock (_gate)
        {
            if (!_bySession.TryGetValue(turn.SessionId.Value, out List<LinkedListNode<Kept>>? turns))
                _bySession[turn.SessionId.Value] = turns = new(1);
            if (turns.Exists(kept => kept.Value.Attempt.Events == turn.Events))
                return;
            Kept kept = new(turn.Attended, turn.Events.Remembered, time.GetTimestamp());
            _bytes += kept.Bytes;
            turns.Add(_byAge.AddLast(kept));
            Trim();
        }
    }

    /// <summary>The attempts of a session that are remembered, oldest first.</summary>
    public AttemptEvents[] Of(SessionId id)
    {
        lock (_gate)
            return _bySession.TryGetValue(id.Value, out List<LinkedListNode<Kept>>? turns) ? [.. turns.Select(kept => kept.Value.Attempt)] : [];
    }

    /// <summary>Forgets a session.</summary>
    public void Forget(SessionId id)
    {
        lock (_gate)
            if (_bySession.Remove(id.Value, out List<LinkedListNode<Kept>>? turns))
                turns.ForEach(Drop);
    }

    /// <summary>Forgets what its one reader has had whole: it presents the token that came with the end.</summary>
    public void Settle(SessionId id)
    {
        lock (_gate)
        {
            if (!_bySession.TryGetValue(id.Value, out List<LinkedListNode<Kept>>? turns))
                return;
            for (int i = turns.Count - 1; i >= 0; i--)
                if (turns[i].Value.Attempt.Events is { HadOneReader: true, End.IsCommitted: true })
                {
                    Drop(turns[i]);
                    turns.RemoveAt(i);
                }

            if (turns.Count == 0)
                _bySession.Remove(id.Value);
        }
    }

    /// <summary>Forgets what is too old.</summary>
    public void Tick()
    {
        lock (_gate)
            Trim();
    }

    private void Trim()
    {
        while (_byAge.First is { } oldest && (_bytes > most || time.GetElapsedTime(oldest.Value.EndedAt) > KeptFor))
        {
            Drop(oldest);
            string session = oldest.Value.Attempt.SessionId.Value;
            if (_bySession.TryGetValue(session, out List<LinkedListNode<Kept>>? turns) && turns.Remove(oldest) && turns.Count == 0)
                _bySession.Remove(session);
        }
    }

    private void Drop(LinkedListNode<Kept> kept)
    {
        _byAge.Remove(kept);
        _bytes -= kept.Value.Bytes;
    }

    private readonly record struct Kept(AttemptEvents Attempt, long Bytes, long EndedAt);
}

/// <summary>The events of one attempt, and where they belong.</summary>
/// <param name="SessionId">Whose they are.</param>
/// <param name="Turn">The turn's number.</param>
/// <param name="Name">What names the attempt.</param>
/// <param name="StartSeq">The seq of its <c>turn_started</c>.</param>
/// <param name="Events">They themselves.</param>
internal sealed record AttemptEvents(SessionId SessionId, long Turn, string Name, long StartSeq, TurnEvents Events);
