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
    private readonly Queue<Kept> _byAge = [];
    private readonly Dictionary<string, List<AttemptEvents>> _bySession = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Takes the events of an attempt that is over, once; none where nobody followed it.</summary>
    public void Add(RunningTurn turn)
    {
        if (most == 0 || !turn.Events.IsFollowed || !turn.Events.MayBeMissed)
            return;
        lock (_gate)
        {
            if (!_bySession.TryGetValue(turn.SessionId.Value, out List<AttemptEvents>? turns))
                _bySession[turn.SessionId.Value] = turns = [];
            if (turns.Exists(kept => kept.Events == turn.Events))
                return;
            Kept kept = new(turn.Attended, turn.Events.Remembered, time.GetTimestamp());
            _byAge.Enqueue(kept);
            _bytes += kept.Bytes;
            turns.Add(kept.Attempt);
            Trim();
        }
    }

    /// <summary>The attempts of a session that are remembered, oldest first.</summary>
    public AttemptEvents[] Of(SessionId id)
    {
        lock (_gate)
            return _bySession.TryGetValue(id.Value, out List<AttemptEvents>? turns) ? [.. turns] : [];
    }

    /// <summary>Forgets a session; what it took is given back with time.</summary>
    public void Forget(SessionId id)
    {
        lock (_gate)
            _bySession.Remove(id.Value);
    }

    /// <summary>Forgets what is too old.</summary>
    public void Tick()
    {
        lock (_gate)
            Trim();
    }

    private void Trim()
    {
        while (_byAge.TryPeek(out Kept oldest) && (_bytes > most || time.GetElapsedTime(oldest.EndedAt) > KeptFor))
        {
            _byAge.Dequeue();
            _bytes -= oldest.Bytes;
            string session = oldest.Attempt.SessionId.Value;
            if (_bySession.TryGetValue(session, out List<AttemptEvents>? turns) && turns.Remove(oldest.Attempt) && turns.Count == 0)
                _bySession.Remove(session);
        }
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
