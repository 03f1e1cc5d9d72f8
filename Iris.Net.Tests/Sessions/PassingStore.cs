using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>A store that hands everything on; a test changes what it needs.</summary>
internal abstract class PassingStore(IStateStore inner) : IStateStore
{
    public virtual StoreTraits Traits => inner.Traits;

    public virtual ValueTask<CreateResult> CreateAsync(SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default) =>
        inner.CreateAsync(id, seed, by, cancel);

    public virtual ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default) =>
        inner.BeginAsync(id, guard, by, cancel);

    public virtual ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default) =>
        inner.AppendAsync(lease, entries, commit, flush, cancel);

    public virtual ValueTask<bool> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancel = default) => inner.RenewAsync(lease, ttl, cancel);

    public virtual ValueTask ReleaseAsync(Lease lease, CancellationToken cancel = default) => inner.ReleaseAsync(lease, cancel);

    public virtual ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default) => inner.FindAsync(id, cancel);

    public virtual IAsyncEnumerable<JournalEntry> ReadAsync(SessionId id, long from, CancellationToken cancel = default) =>
        inner.ReadAsync(id, from, cancel);

    public virtual ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default) => inner.PostAsync(id, mail, cancel);

    public virtual IAsyncEnumerable<SessionId> DueAsync(DateTimeOffset now, int limit, CancellationToken cancel = default) =>
        inner.DueAsync(now, limit, cancel);

    public virtual IAsyncEnumerable<ListedSession> ListAsync(ListQuery query, CancellationToken cancel = default) => inner.ListAsync(query, cancel);

    public virtual ValueTask DeleteAsync(Lease lease, Tombstone why, CancellationToken cancel = default) => inner.DeleteAsync(lease, why, cancel);

    public virtual IAsyncEnumerable<SessionId> IdleAsync(DateTimeOffset since, int limit, CancellationToken cancel = default) =>
        inner.IdleAsync(since, limit, cancel);

    public virtual ValueTask<ReadOnlyMemory<byte>> KeyAsync(CancellationToken cancel = default) => inner.KeyAsync(cancel);

    public virtual ValueTask DisposeAsync() => inner.DisposeAsync();
}
