using System.Security.Cryptography;
using Iris.Net.Diagnostics;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net;

/// <summary>Keeps sessions in this process's memory, lost with it. Lock-free: one compare-and-swap decides a claim. Bounded:
/// where there is no room left, sessions that were not used for a minute make it, finished and never-continued ones
/// first; whatever was not used for a day goes in any case.</summary>
public sealed partial class MemoryStateStore : IStateStore
{
    private readonly SessionTable _sessions = new();
    private readonly MemoryTombstones _gone = new();
    private readonly TimeProvider _time;
    private readonly MemoryEviction _eviction;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private long _lastFence;   // of all sessions: a lease of a deleted one must not reach its successor of the same id

    /// <summary>Makes an empty store.</summary>
    /// <param name="maxBytes">About how much memory it may take, in bytes; at least 1 MiB. Default: an eighth of what the
    /// process may use, at most 1 GiB.</param>
    /// <param name="time">Its clock; the system's where none is given.</param>
    /// <exception cref="ArgumentOutOfRangeException">Less than 1 MiB.</exception>
    public MemoryStateStore(long? maxBytes = null, TimeProvider? time = null)
    {
        MaxBytes = maxBytes ?? Math.Min(1L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBytes, 1L << 20, nameof(maxBytes));
        _time = time ?? TimeProvider.System;
        _eviction = new MemoryEviction(_sessions, MaxBytes, _time);
    }

    /// <inheritdoc/>
    public StoreTraits Traits { get; } = new("memory", Durable: false, Shared: false, KeepsPrivateRecords: false);

    /// <summary>About how much memory it may take, in bytes.</summary>
    public long MaxBytes { get; }

    /// <summary>About how much memory it takes, in bytes.</summary>
    public long Bytes => _sessions.Bytes;

    /// <summary>How many sessions it holds.</summary>
    public int Count => _sessions.Count;

    /// <summary>How many sessions made room for others, or were not used for a day.</summary>
    public long Evicted => _eviction.Count;

    /// <summary>Asks and tells somebody of every session that is to make room.</summary>
    internal void Watch(IEvictionWatch watch) => _eviction.Watch(watch);

    /// <summary>No longer.</summary>
    internal void Unwatch(IEvictionWatch watch) => _eviction.Unwatch(watch);

    private long Now => _time.GetUtcNow().UtcTicks;

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>> KeyAsync(CancellationToken cancel = default) => new(_key);

    /// <inheritdoc/>
    public ValueTask<CreateResult> CreateAsync(
        SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(seed);
        long now = Now;
        if (!_eviction.HasRoom(now))
        {
            Telemetry.Breached("MemoryStateStore.MaxBytes");
            return new(CreateResult.Full());
        }

        SessionCell.State first = new()
        {
            Head = seed.Head,
            NextSeq = seed.Entries.IsEmpty ? seed.Head.NextSeq : seed.Entries.Span[^1].Seq + 1,
            Open = default(RecordLog).Append(seed.Entries.Span),
            Pending = PendingWork.None.After(seed.Entries.Span),
            Fence = Interlocked.Increment(ref _lastFence),
            Owner = by.Owner,
            LeasedUntil = now + by.Ttl.Ticks,
            LastUsed = now,
        };
        SessionCell cell = new(first);
        while (!_sessions.TryAdd(id.Value, cell))   // again where the one that has the id is being deleted at this very moment
            if (_sessions.TryGet(id.Value, out SessionCell? other) && other.Now is { Deleted: false } taken)
                return new(CreateResult.Exists(taken.Head));
        return new(CreateResult.Created(new Lease(id, first.Fence, by.Owner), seed.Head));
    }

    /// <inheritdoc/>
    public ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
    {
        if (!_sessions.TryGet(id.Value, out SessionCell? cell))
            return new(_gone.Of(id.Value, Now));
        for (; ; )
        {
            SessionCell.State state = cell.Now;
            if (state.Deleted)
                return new(BeginResult.Unknown(Tombstone.Deleted, state.Head.Principal));
            if (!guard.IsEmpty && !state.Matches(guard.Span))
                return new(BeginResult.Stale(state.Head));
            long now = Now;
            if (state.IsLeased(now))
                return new(BeginResult.Held(new Lease(id, state.Fence, state.Owner!), state.Head));
            bool lapsed = state.Owner is not null;
            SessionCell.State begun = state with
            {
                Fence = Interlocked.Increment(ref _lastFence),
                Owner = by.Owner,
                LeasedUntil = now + by.Ttl.Ticks,
                LastUsed = now,
                // A writer that outlived its lease may still be writing behind the end of these logs.
                Open = lapsed ? state.Open.Copy() : state.Open,
                Closed = lapsed ? state.Closed.Copy() : state.Closed,
                Writer = lapsed ? new() : state.Writer,
            };
            if (_sessions.TrySwap(id.Value, cell, state, begun))
                return new(BeginResult.Begun(new Lease(id, begun.Fence, by.Owner), begun.Head, begun.NextSeq));
        }
    }

    /// <inheritdoc/>
    public ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default)
    {
        if (!_sessions.TryGet(lease.Session.Value, out SessionCell? cell))
            return new(AppendResult.Unknown);
        for (; ; )
        {
            SessionCell.State state = cell.Now;
            if (!state.Holds(lease))
                return new(state.Deleted ? AppendResult.Unknown : AppendResult.StaleFence);
            if (commit is not null && state.CancelledFence == lease.Fence)
                return new(AppendResult.Cancelled);
            if (!MemoryAppend.Follows(state.NextSeq, entries.Span) || !state.Writer.TryEnter())
                return new(AppendResult.SeqConflict);
            try
            {
                if (ReferenceEquals(cell.Now, state)
                    && _sessions.TrySwap(lease.Session.Value, cell, state, MemoryAppend.Apply(state, entries.Span, commit, Now)))
                    return new(AppendResult.Appended);
            }
            finally
            {
                state.Writer.Exit();
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancel = default) =>
        new(Update(lease, state => state with { LeasedUntil = Now + ttl.Ticks }));

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(Lease lease, CancellationToken cancel = default)
    {
        Update(lease, state => state with { Owner = null, LastUsed = Now });
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default) =>
        new(_sessions.TryGet(id.Value, out SessionCell? cell) && cell.Now is { Deleted: false } state ? state.Head : null);

    /// <inheritdoc/>
    public ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default)
    {
        if (!_sessions.TryGet(id.Value, out SessionCell? cell))
            return new(false);
        for (; ; )
        {
            SessionCell.State state = cell.Now;
            if (state.Deleted)
                return new(false);
            SessionCell.State? posted = mail switch
            {
                CancelMail c when state.Owner is not null && state.Fence == c.Fence => state with { CancelledFence = c.Fence },
                SignalMail signal => Accept(state, signal),
                _ => null,
            };
            if (posted is null)
                return new(false);
            if (_sessions.TrySwap(id.Value, cell, state, posted))
                return new(true);
        }
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(Lease lease, Tombstone why, CancellationToken cancel = default)
    {
        if (_sessions.TryGet(lease.Session.Value, out SessionCell? cell))
            while (cell.Now is { } state && state.Holds(lease))
                if (_sessions.TryRemove(lease.Session.Value, cell, state))
                    _gone.Add(lease.Session.Value, why, state.Head.Principal, Now);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _eviction.DisposeAsync();

    // Into an array of its own: appended beside other writers, of whom one swap keeps one.
    private SessionCell.State? Accept(SessionCell.State state, SignalMail signal) =>
        state.IsLeased(Now) || state.Head.Turn != signal.Turn || state.Pending.HasFlag(PendingWork.Signal)
            || signal.Record.Kind != RecordKind.Signal || signal.Record.Seq < state.NextSeq
            ? null
            : MemoryAppend.Apply(state with { Open = state.Open.Copy() }, [signal.Record], commit: null, Now);

    private bool Update(Lease lease, Func<SessionCell.State, SessionCell.State> change)
    {
        if (!_sessions.TryGet(lease.Session.Value, out SessionCell? cell))
            return false;
        while (cell.Now is { } state && state.Holds(lease))
            if (cell.TrySwap(state, change(state)))
                return true;
        return false;
    }
}
