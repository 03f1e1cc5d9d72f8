using System.Collections.Concurrent;
using Iris.Net.Diagnostics;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The turns that this process runs: how many there may be, and the clock that watches them.</summary>
internal sealed class RunningTurns : IAsyncDisposable
{
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestTick = TimeSpan.FromMilliseconds(10);

    private readonly Lock _gate = new();
    private readonly HashSet<RunningTurn> _turns = [];
    private readonly ConcurrentDictionary<string, RunningTurn> _bySession = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SessionSettings _settings;
    private readonly ITimer _timer;
    private int _reserved;   // places of turns that are about to be made
    private volatile bool _draining;

    public RunningTurns(SessionSettings settings)
    {
        _settings = settings;
        // A tenth of the shortest time that is watched, so that a turn is not cut much later than it should be.
        TimeSpan tick = TimeSpan.FromTicks(Math.Clamp(settings.TurnTimeout.Ticks / 10, ShortestTick.Ticks, LongestTick.Ticks));
        _timer = settings.Time.CreateTimer(static turns => ((RunningTurns)turns!).Tick(), this, tick, tick);
    }

    /// <summary>Whether no turn is let in any more.</summary>
    public bool IsDraining => _draining;

    /// <summary>Keeps a place for a turn that is still to be made. Whoever has it enters or gives it up.</summary>
    public Refusal TryReserve()
    {
        lock (_gate)
        {
            Refusal refusal = Refuses();
            if (refusal == Refusal.None)
                _reserved++;
            return refusal;
        }
    }

    /// <summary>Takes a turn in at the place that was kept for it.</summary>
    public void EnterReserved(RunningTurn turn)
    {
        lock (_gate)
        {
            _reserved--;
            Add(turn);
        }
    }

    /// <summary>The turn that this process runs of a session; null where it runs none.</summary>
    public RunningTurn? Of(SessionId id) => _bySession.GetValueOrDefault(id.Value);

    /// <summary>Gives up a place that was kept.</summary>
    public void GiveUp()
    {
        lock (_gate)
        {
            _reserved--;
            TellWhereEmpty();
        }
    }

    /// <summary>Takes a turn in, unless there are too many or the process is about to stop.</summary>
    public Refusal TryEnter(RunningTurn turn)
    {
        lock (_gate)
        {
            Refusal refusal = Refuses();
            if (refusal == Refusal.None)
                Add(turn);
            return refusal;
        }
    }

    public void Leave(RunningTurn turn)
    {
        lock (_gate)
        {
            _turns.Remove(turn);
            // Its session may have another by now, where this one lost its lease.
            _bySession.TryRemove(KeyValuePair.Create(turn.SessionId.Value, turn));
            TellWhereEmpty();
        }
    }

    /// <summary>Lets no turn in any more and waits for the last; on <paramref name="cancel"/> it ends them.</summary>
    public async Task DrainAsync(CancellationToken cancel = default)
    {
        lock (_gate)
        {
            _draining = true;
            TellWhereEmpty();
        }

        try
        {
            await _empty.Task.WaitAsync(cancel).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            foreach (RunningTurn turn in Snapshot())
                turn.Cancel(AbortReason.Stopped);
            await _empty.Task.ConfigureAwait(false);   // the grace of a cancel bounds it
        }
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Add(RunningTurn turn)
    {
        _turns.Add(turn);
        _bySession[turn.SessionId.Value] = turn;
    }

    private Refusal Refuses()
    {
        if (_draining)
            return Refusal.Draining;
        if (_turns.Count + _reserved < _settings.MaxConcurrentTurns)
            return Refusal.None;
        Telemetry.Breached(nameof(SessionSettings.MaxConcurrentTurns));
        return Refusal.Overloaded;
    }

    private void TellWhereEmpty()
    {
        if (_draining && _turns.Count + _reserved == 0)
            _empty.TrySetResult();
    }

    private RunningTurn[] Snapshot()
    {
        lock (_gate)
            return [.. _turns];
    }

    private void Tick()
    {
        foreach (RunningTurn turn in Snapshot())
            turn.Tick();
    }
}
