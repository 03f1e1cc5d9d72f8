using System.Collections.Immutable;
using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>Makes room where memory is short, and drops what nobody used for a day.</summary>
internal sealed class MemoryEviction : IAsyncDisposable
{
    private static readonly TimeSpan EvictableAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan DroppedAfter = TimeSpan.FromHours(24);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(10);

    private readonly SessionTable _sessions;
    private readonly long _maxBytes;
    private readonly TimeProvider _time;
    private readonly ITimer _sweep;
    private ImmutableArray<IEvictionWatch> _watches = [];
    private long _count, _fruitlessAt;

    public MemoryEviction(SessionTable sessions, long maxBytes, TimeProvider time)
    {
        (_sessions, _maxBytes, _time) = (sessions, maxBytes, time);
        _sweep = time.CreateTimer(static eviction => ((MemoryEviction)eviction!).DropOld(), this, SweepEvery, SweepEvery);
    }

    /// <summary>How many sessions went.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Asks and tells somebody of every session that is to go, from now on.</summary>
    public void Watch(IEvictionWatch watch) => ImmutableInterlocked.Update(ref _watches, watches => watches.Add(watch));

    /// <summary>No longer.</summary>
    public void Unwatch(IEvictionWatch watch) => ImmutableInterlocked.Update(ref _watches, watches => watches.Remove(watch));

    /// <summary>Whether there is room for one more session, if need be after others went.</summary>
    public bool HasRoom(long now)
    {
        if (_sessions.Bytes <= _maxBytes)
            return true;
        // A full store that found nothing looks again a second later, not for each session.
        if (now - Volatile.Read(ref _fruitlessAt) < TimeSpan.TicksPerSecond)
            return false;
        Evict(now - EvictableAfter.Ticks, now, downTo: _maxBytes / 10 * 9);
        if (_sessions.Bytes <= _maxBytes)
            return true;
        Volatile.Write(ref _fruitlessAt, now);
        return false;
    }

    public ValueTask DisposeAsync() => _sweep.DisposeAsync();

    private void DropOld()
    {
        long now = _time.GetUtcNow().UtcTicks;
        Evict(now - DroppedAfter.Ticks, now, downTo: long.MinValue);
    }

    private void Evict(long usedBefore, long now, long downTo)
    {
        foreach ((string id, SessionCell cell, SessionCell.State state) in Candidates(usedBefore, now))
        {
            if (_sessions.Bytes <= downTo)
                return;
            SessionId session = new(id);
            if (_watches.Any(watch => watch.IsRead(session)) || !_sessions.TryRemove(id, cell, state))
                continue;
            Interlocked.Increment(ref _count);
            StoreInstruments.Evicted();
            foreach (IEvictionWatch watch in _watches)   // a reader may have come in between
                watch.Evicted(session);
        }
    }

    // The ones that are missed least first: finished and never-continued ones before others, then the least recently used.
    private IEnumerable<(string Id, SessionCell Cell, SessionCell.State State)> Candidates(long usedBefore, long now) =>
        from pair in _sessions
        let state = pair.Value.Now
        where state.IdleSince < usedBefore && !state.Deleted && !state.IsLeased(now) && !state.Pending.KeepsSession()
        orderby IsMissed(state), state.IdleSince
        select (pair.Key, pair.Value, state);

    private static bool IsMissed(SessionCell.State state) => state.Head.Status != SessionStatus.Finished && state.Head.ClientTurns > 1;
}
