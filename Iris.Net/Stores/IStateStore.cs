using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>Where sessions are kept: one journal and one head a session, and a lease that says who may append. Every write
/// carries the lease's fence, and a writer that lost its lease is refused. All members are safe to call concurrently.
/// An <see cref="IOException"/> means that the store cannot be reached or trusted at the moment; any other exception is taken
/// for the same.</summary>
public interface IStateStore : IAsyncDisposable
{
    /// <summary>What this store promises.</summary>
    StoreTraits Traits { get; }

    /// <summary>The key that is kept with the sessions: 32 random bytes, made at the first call and the same ever after.</summary>
    ValueTask<ReadOnlyMemory<byte>> KeyAsync(CancellationToken cancel = default);

    /// <summary>Makes a session with its first records, and leases it to the caller.</summary>
    ValueTask<CreateResult> CreateAsync(SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default);

    /// <summary>Claims a session: unknown, stale guard, held lease and begun are decided in this order by one swap. A lease
    /// that ran out is held by nobody.</summary>
    ValueTask<BeginResult> BeginAsync(SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default);

    /// <summary>Appends records whose seqs rise beyond the journal's last, all or none. With <paramref name="commit"/> the head is
    /// replaced in the same step, and the open request and the lease end. One append at a time a lease.</summary>
    ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default);

    /// <summary>Prolongs a lease; false where it is lost.</summary>
    ValueTask<bool> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancel = default);

    /// <summary>Gives a lease back; a lost one is no error.</summary>
    ValueTask ReleaseAsync(Lease lease, CancellationToken cancel = default);

    /// <summary>The head of a session; null where there is none.</summary>
    ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default);

    /// <summary>The records from a seq on, as far as they are kept.</summary>
    IAsyncEnumerable<JournalEntry> ReadAsync(SessionId id, long from, CancellationToken cancel = default);

    /// <summary>Hands mail to whoever runs the session, once. A cancel is accepted where its fence holds the lease: from then
    /// on no commit with that fence succeeds. A signal is accepted where nobody holds the lease, no turn committed since, and none was
    /// accepted before; it is durable then, and the next commit consumes it. False where the mail is not accepted.</summary>
    ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default);

    /// <summary>Sessions without a lease whose timer is due, or that have an accepted signal or an accepted request.</summary>
    IAsyncEnumerable<SessionId> DueAsync(DateTimeOffset now, int limit, CancellationToken cancel = default);

    /// <summary>Sessions without a lease, without pending work, and without a timer to wait for, that nobody used since then.</summary>
    IAsyncEnumerable<SessionId> IdleAsync(DateTimeOffset since, int limit, CancellationToken cancel = default);

    /// <summary>Sessions by status, ordered by id.</summary>
    IAsyncEnumerable<ListedSession> ListAsync(ListQuery query, CancellationToken cancel = default);

    /// <summary>Deletes the leased session, its journal and its mail. For a while <see cref="BeginAsync"/> still tells why, and whose
    /// it was.</summary>
    ValueTask DeleteAsync(Lease lease, Tombstone why, CancellationToken cancel = default);
}
