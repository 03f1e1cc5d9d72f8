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
    private readonly ConcurrentDictionary<string, AwaitedTurn> _awaited = new(StringComparer.Ordinal);
    private readonly SessionSettings _settings;
    private readonly DeltaMemory _deltas;
    private readonly ITimer _timer;
    private int _reserved;   // places of turns that are about to be made
    private volatile bool _draining;
    private bool _ends;   // those that still enter are ended at once

    public RunningTurns(SessionSettings settings, DeltaMemory deltas)
    {
        _settings = settings;
        _deltas = deltas;
        // A tenth of the shortest time that is watched, so that a turn is not cut much later than it should be.
        TimeSpan tick = TimeSpan.FromTicks(Math.Clamp(settings.TurnTimeout.Ticks / 10, ShortestTick.Ticks, LongestTick.Ticks));
        _timer = settings.Time.CreateTimer(static turns => ((RunningTurns)turns!).Tick(), this, tick, tick);
    }

    /// <summary>Whether no turn is let in any more.</summary>
    public bool IsDraining => _draining;

    /// <summary>Whether the last turn has ended and none will come: nothing is left to wait for.</summary>
    public bool IsDrained => _empty.Task.IsCompleted;

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

    /// <summary>The sessions of which this process runs a turn, at this moment.</summary>
    public ICollection<string> Sessions => _bySession.Keys;

    /// <summary>Keeps a turn's events from now on, for a reader who may come back for them.</summary>
    public void Attend(RunningTurn turn)
    {
        lock (_gate)
        {
            turn.Events.Keep();
            if (!_turns.Contains(turn))
                _deltas.Add(turn);   // it left a moment ago, when nobody followed it
        }
    }

    /// <summary>Waits for the next turn of a session that this process begins; its events are kept from the first on. Whoever
    /// waited gives it up.</summary>
    public AwaitedTurn Await(SessionId id)
    {
        lock (_gate)
        {
            if (!_awaited.TryGetValue(id.Value, out AwaitedTurn? next))
                _awaited[id.Value] = next = new();
            next.Waiters++;
            return next;
        }
    }

    /// <summary>Lets whoever waits look again: the session is there no more.</summary>
    public void Rouse(SessionId id)
    {
        lock (_gate)
            if (_awaited.TryGetValue(id.Value, out AwaitedTurn? next))
                Tell(id, next);
    }

    /// <summary>Waits no longer.</summary>
    public void GiveUp(SessionId id, AwaitedTurn awaited)
    {
        lock (_gate)
        {
            awaited = awaited.Latest;
            if (--awaited.Waiters == 0)
                _awaited.TryRemove(KeyValuePair.Create(id.Value, awaited));
        }
    }

    // Whoever waited waits for the one behind it from now on: no turn begins and ends between two looks without its events being kept.
    private void Tell(SessionId id, AwaitedTurn next)
    {
        _awaited[id.Value] = next.Next = new AwaitedTurn { Waiters = next.Waiters };
        next.Begun.SetResult();
    }

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
            _deltas.Add(turn);
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
            lock (_gate)
                _ends = true;
            foreach (RunningTurn turn in Snapshot())
                turn.Cancel(AbortReason.Stopped);
            await _empty.Task.ConfigureAwait(false);   // the grace of a cancel bounds it
        }

        lock (_gate)
            foreach ((string id, AwaitedTurn next) in _awaited)
                Tell(new(id), next);
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void Add(RunningTurn turn)
    {
        _turns.Add(turn);
        if (!turn.IsWake)
            _deltas.Settle(turn.SessionId);
        if (_ends)
            turn.Cancel(AbortReason.Stopped);
        _bySession[turn.SessionId.Value] = turn;
        if (!_awaited.IsEmpty && _awaited.TryGetValue(turn.SessionId.Value, out AwaitedTurn? next))
        {
            turn.Events.Keep();
            Tell(turn.SessionId, next);
        }
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
        _deltas.Tick();
        foreach (RunningTurn turn in Snapshot())
            turn.Tick();
    }
}

/// <summary>A turn that is waited for.</summary>
internal sealed class AwaitedTurn
{
    private AwaitedTurn? _next;

    /// <summary>Ends once it begins, or none will.</summary>
    public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How many wait for it; under the lock of <see cref="RunningTurns"/>.</summary>
    public int Waiters { get; set; }

    /// <summary>The one behind it, for which its waiters wait once it began; null before.</summary>
    public AwaitedTurn? Next { get => Volatile.Read(ref _next); set => Volatile.Write(ref _next, value); }

    /// <summary>The one that has not begun yet.</summary>
    public AwaitedTurn Latest
    {
        get
        {
            AwaitedTurn latest = this;
            while (latest.Next is { } next)
                latest = next;
            return latest;
        }
    }
}
