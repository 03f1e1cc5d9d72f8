using System.Runtime.CompilerServices;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>What goes wrong at one call of a store.</summary>
internal enum Fault
{
    /// <summary>The call fails; nothing was done.</summary>
    FailsBefore,

    /// <summary>The call fails; all the same it was done.</summary>
    FailsAfter,

    /// <summary>The call fails with an exception that no store should throw.</summary>
    Breaks,

    /// <summary>The answer to an append; nothing was done.</summary>
    Cancelled,
    StaleFence,
    SeqConflict,
    Unknown,

    /// <summary>An append is done and answered as unknown.</summary>
    UnknownAfter,
}

/// <summary>A store whose k-th call goes wrong.</summary>
internal sealed class FaultyStore(IStateStore inner) : IStateStore
{
    private int _calls;

    /// <summary>What was appended and kept: when it had to be synced, its kinds of records, and whether it committed.</summary>
    public List<string> Appends { get; } = [];

    /// <summary>Which call goes wrong, from 1; 0 for none.</summary>
    public int At { get; set; }

    public Fault Fault { get; set; }

    /// <summary>From <see cref="At"/> on every call goes wrong.</summary>
    public bool Lasts { get; set; }

    /// <summary>True once a call went wrong.</summary>
    public bool Struck { get; private set; }

    /// <summary>The operation that went wrong last.</summary>
    public string? StruckAt { get; private set; }

    public StoreTraits Traits => inner.Traits;

    public ValueTask<CreateResult> CreateAsync(SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default) =>
        RunAsync(() => inner.CreateAsync(id, seed, by, cancel));

    public ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default) =>
        RunAsync(() => inner.BeginAsync(id, guard, by, cancel));

    public ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default) =>
        RunAsync(() => KeepAsync(lease, entries, commit, flush, cancel), fault => fault switch
        {
            Fault.Cancelled when commit is not null => AppendResult.Cancelled,
            Fault.Cancelled or Fault.StaleFence => AppendResult.StaleFence,
            Fault.SeqConflict => AppendResult.SeqConflict,
            _ => AppendResult.Unknown,
        });

    public ValueTask<bool> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancel = default) =>
        RunAsync(() => inner.RenewAsync(lease, ttl, cancel), _ => false);

    public async ValueTask ReleaseAsync(Lease lease, CancellationToken cancel = default) =>
        await RunAsync(async () =>
        {
            await inner.ReleaseAsync(lease, cancel);
            return true;
        });

    public ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default) =>
        RunAsync(() => inner.FindAsync(id, cancel));

    public async IAsyncEnumerable<JournalEntry> ReadAsync(
        SessionId id, long from, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await RunAsync(() => ValueTask.FromResult(true));
        await foreach (JournalEntry entry in inner.ReadAsync(id, from, cancel))
            yield return entry;
    }

    public ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default) =>
        RunAsync(() => inner.PostAsync(id, mail, cancel));

    public IAsyncEnumerable<SessionId> DueAsync(DateTimeOffset now, int limit, CancellationToken cancel = default) =>
        inner.DueAsync(now, limit, cancel);

    public IAsyncEnumerable<ListedSession> ListAsync(ListQuery query, CancellationToken cancel = default) =>
        inner.ListAsync(query, cancel);

    public ValueTask DeleteAsync(Lease lease, Tombstone why, CancellationToken cancel = default) =>
        inner.DeleteAsync(lease, why, cancel);

    public IAsyncEnumerable<SessionId> IdleAsync(DateTimeOffset since, int limit, CancellationToken cancel = default) =>
        inner.IdleAsync(since, limit, cancel);

    public ValueTask<ReadOnlyMemory<byte>> KeyAsync(CancellationToken cancel = default) => inner.KeyAsync(cancel);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<AppendResult> KeepAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel)
    {
        string kinds = string.Join(' ', entries.ToArray().Select(e => e.Kind));
        AppendResult result = await inner.AppendAsync(lease, entries, commit, flush, cancel);
        if (result == AppendResult.Appended)
            Appends.Add($"{flush}: {kinds}{(commit is null ? "" : " commit")}");
        return result;
    }

    private async ValueTask<T> RunAsync<T>(
        Func<ValueTask<T>> call, Func<Fault, T>? answer = null, [CallerMemberName] string operation = "")
    {
        await Task.Yield();   // a store that has to wait, as real ones do
        int number = Interlocked.Increment(ref _calls);
        if (At == 0 || (Lasts ? number < At : number != At))
            return await call();
        (Struck, StruckAt) = (true, operation);
        switch (Fault)
        {
            case Fault.FailsAfter:
                await call();
                throw new IOException("The disk failed, after the write.");
            case Fault.Breaks:
                throw new TimeoutException("Not what a store throws.");
            case Fault.UnknownAfter when answer is not null:
                await call();
                return answer(Fault.Unknown);
            case Fault.Cancelled or Fault.StaleFence or Fault.SeqConflict or Fault.Unknown when answer is not null:
                return answer(Fault);
            default:
                throw new IOException("The disk failed.");
        }
    }
}
