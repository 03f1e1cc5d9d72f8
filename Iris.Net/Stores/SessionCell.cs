using System.Security.Cryptography;
using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>One session in memory: an immutable state, replaced by one compare-and-swap. Losing the swap means that somebody
/// else decided first.</summary>
internal sealed class SessionCell(SessionCell.State state)
{
    private State _state = state;

    public State Now => Volatile.Read(ref _state);

    public bool TrySwap(State from, State to) =>
        ReferenceEquals(Interlocked.CompareExchange(ref _state, to, from), from);

    /// <summary>All that is known of the session.</summary>
    public sealed record State
    {
        private const int FixedSize = 640;   // the cell, its key and its place in the dictionary, this state, its head

        public required SessionHead Head { get; init; }

        public required long NextSeq { get; init; }

        /// <summary>The public records of what is over.</summary>
        public RecordLog Closed { get; init; }

        /// <summary>Every record of the open request.</summary>
        public RecordLog Open { get; init; }

        /// <summary>Who appends to the two logs: one at a time.</summary>
        public LogWriter Writer { get; init; } = new();

        public long Fence { get; init; }

        /// <summary>Who holds the lease; null where nobody does.</summary>
        public string? Owner { get; init; }

        /// <summary>When the lease runs out, and when the session was last used: the store's clock in ticks.</summary>
        public long LeasedUntil { get; init; }

        public long LastUsed { get; init; }

        public long CancelledFence { get; init; }

        public PendingWork Pending { get; init; }

        public bool Deleted { get; init; }

        /// <summary>About how much memory the session takes.</summary>
        public long Size =>
            Deleted ? 0 : FixedSize + Closed.Capacity + Open.Capacity + Head.State.Length + Head.Reply.Length;

        /// <summary>When the session has to be looked at.</summary>
        public Due LookAt => Deleted ? Due.Never : new(Pending.WakesAt(Head.Wait?.At?.UtcTicks ?? DueIndex.NoTimer), Pending.IsDue());

        /// <summary>Since when nobody used it or waited for its timer.</summary>
        public long IdleSince => Math.Max(LastUsed, Head.Wait?.At?.UtcTicks ?? 0);

        public bool IsLeased(long now) => Owner is not null && now < LeasedUntil;

        public bool Holds(Lease lease) => !Deleted && Owner is not null && Fence == lease.Fence;

        public bool Matches(ReadOnlySpan<byte> guard) => CryptographicOperations.FixedTimeEquals(guard, Head.Guard.Span);
    }

    /// <summary>Keeps a second append with the same lease from writing where the first one writes.</summary>
    public sealed class LogWriter
    {
        private int _busy;

        public bool TryEnter() => Interlocked.Exchange(ref _busy, 1) == 0;

        public void Exit() => Volatile.Write(ref _busy, 0);
    }
}
