using System.Collections.Concurrent;

namespace Iris.Net.Sessions;

/// <summary>The turns that this process runs: how many there may be, and the clock that watches them.</summary>
internal sealed class RunningTurns : IAsyncDisposable
{
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestTick = TimeSpan.FromMilliseconds(10);

    private readonly ConcurrentDictionary<RunningTurn, bool> _turns = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionSettings _settings;
    private readonly ITimer _timer;
    private volatile bool _draining;
    private int _count;

    public RunningTurns(SessionSettings settings)
    {
        _settings = settings;
        // A tenth of the shortest time that is watched, so that a turn is not cut much later than it should be.
        TimeSpan tick = TimeSpan.FromTicks(Math.Clamp(settings.TurnTimeout.Ticks / 10, ShortestTick.Ticks, LongestTick.Ticks));
        _timer = settings.Time.CreateTimer(static turns => ((RunningTurns)turns!).Tick(), this, tick, tick);
    }

    /// <summary>Why no turn may start at the moment.</summary>
    public Refusal Refuses() =>
        _draining ? Refusal.Draining : Volatile.Read(ref _count) >= _settings.MaxConcurrentTurns ? Refusal.Overloaded : Refusal.None;

    /// <summary>Takes a turn in, unless there are too many or the process is about to stop.</summary>
    public Refusal TryEnter(RunningTurn turn)
    {
        bool fits = Interlocked.Increment(ref _count) <= _settings.MaxConcurrentTurns;
        if (fits && !_draining)
        {
            _turns[turn] = true;
            return Refusal.None;
        }

        Left();
        return _draining ? Refusal.Draining : Refusal.Overloaded;
    }

    public void Leave(RunningTurn turn)
    {
        if (_turns.TryRemove(turn, out _))
            Left();
    }

    /// <summary>Lets no turn in any more and waits for the last; on <paramref name="cancel"/> it ends them.</summary>
    public async Task DrainAsync(CancellationToken cancel = default)
    {
        _draining = true;
        if (Volatile.Read(ref _count) == 0)
            _empty.TrySetResult();
        try
        {
            await _empty.Task.WaitAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (RunningTurn turn in _turns.Keys)
                turn.Cancel(AbortReason.Stopped);
            await _empty.Task.ConfigureAwait(false);   // the grace of a cancel bounds it
        }
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Left()
    {
        if (Interlocked.Decrement(ref _count) == 0 && _draining)
            _empty.TrySetResult();
    }

    private void Tick()
    {
        foreach ((RunningTurn turn, _) in _turns)
            turn.Tick();
    }
}
