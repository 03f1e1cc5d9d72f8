using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Tests.Sessions;

namespace Iris.Net.Tests.Stores;

/// <summary>Looks whether somebody holds the session, and takes it in a second step.</summary>
internal sealed class ClaimsInTwoSteps(IStateStore inner) : PassingStore(inner)
{
    private StrongBox<Lease>? _holder;
    private long _fence = 100;

    public override async ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
    {
        StrongBox<Lease>? holder = Volatile.Read(ref _holder);
        SessionHead head = (await FindAsync(id, cancel))!;
        await Task.Delay(1, cancel);   // long between the steps: found in the first rounds on any machine
        if (holder is not null)
            return BeginResult.Held(holder.Value, head);
        holder = new(new Lease(id, Interlocked.Increment(ref _fence), by.Owner));
        Volatile.Write(ref _holder, holder);
        return BeginResult.Begun(holder.Value, head, 1);
    }

    public override ValueTask ReleaseAsync(Lease lease, CancellationToken cancel = default)
    {
        Volatile.Write(ref _holder, null);
        return base.ReleaseAsync(lease, cancel);
    }
}

internal sealed class TakesAnyGuard(IStateStore inner) : PassingStore(inner)
{
    public override ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default) =>
        base.BeginAsync(id, default, by, cancel);
}

internal sealed class NeverLetsALeaseLapse(IStateStore inner) : PassingStore(inner)
{
    public override ValueTask<CreateResult> CreateAsync(SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default) =>
        base.CreateAsync(id, seed, by with { Ttl = TimeSpan.FromDays(365) }, cancel);
}

/// <summary>Lets anybody write who knows the session.</summary>
internal sealed class ChecksNoFence(IStateStore inner) : PassingStore(inner)
{
    private Lease _last;

    public override async ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
    {
        BeginResult begun = await base.BeginAsync(id, guard, by, cancel);
        _last = begun.Status == BeginStatus.Begun ? begun.Lease : _last;
        return begun;
    }

    public override async ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default)
    {
        await Task.Delay(1, cancel);   // whoever takes the lease is first
        return await base.AppendAsync(_last == default ? lease : _last, entries, commit, flush, cancel);
    }
}

internal sealed class ChecksNoSeq(IStateStore inner) : PassingStore(inner)
{
    public override async ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default) =>
        await base.AppendAsync(lease, entries, commit, flush, cancel) is var result && result == AppendResult.SeqConflict
            ? AppendResult.Appended
            : result;
}

/// <summary>Hands out the memory that it was given.</summary>
internal sealed class CopiesNothing(IStateStore inner) : PassingStore(inner)
{
    private readonly List<JournalEntry> _given = [];

    public override ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default)
    {
        _given.AddRange(entries.Span);
        return base.AppendAsync(lease, entries, commit, flush, cancel);
    }

    public override IAsyncEnumerable<JournalEntry> ReadAsync(SessionId id, long from, CancellationToken cancel = default) =>
        _given.ToAsyncEnumerable();
}

internal sealed class ForgetsCancels(IStateStore inner) : PassingStore(inner)
{
    public override async ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default) =>
        mail is CancelMail by
            ? await base.BeginAsync(id, default, new LeaseRequest("probe", TimeSpan.Zero), cancel)
                is { Status: BeginStatus.Held } held && held.Lease.Fence == by.Fence
            : await base.PostAsync(id, mail, cancel);
}

/// <summary>Looks whether the fence holds the lease, and cancels in a second step.</summary>
internal sealed class CancelsInTwoSteps(IStateStore inner) : PassingStore(inner)
{
    private long _held;

    public override async ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
    {
        BeginResult begun = await base.BeginAsync(id, guard, by, cancel);
        Volatile.Write(ref _held, begun.Lease.Fence);
        return begun;
    }

    public override async ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default)
    {
        AppendResult result = await base.AppendAsync(lease, entries, commit, flush, cancel);
        if (commit is not null && result == AppendResult.Appended)
            Volatile.Write(ref _held, 0);
        return result;
    }

    public override async ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default)
    {
        bool isHeld = mail is CancelMail by && Volatile.Read(ref _held) == by.Fence;
        await Task.Delay(1, cancel);   // the commit is first
        return await base.PostAsync(id, mail, cancel) || isHeld;
    }
}

internal sealed class AcceptsASignalTwice(IStateStore inner) : PassingStore(inner)
{
    public override async ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default) =>
        await base.PostAsync(id, mail, cancel)
            || (mail is SignalMail signal && await FindAsync(id, cancel) is { Turn: > 0 } head && head.Turn == signal.Turn
                && signal.Record.Seq >= head.NextSeq);
}

internal sealed class ShowsWhatIsHeldAsDue(IStateStore inner) : PassingStore(inner)
{
    public override IAsyncEnumerable<SessionId> DueAsync(DateTimeOffset now, int limit, CancellationToken cancel = default) =>
        base.ListAsync(new ListQuery(Limit: limit), cancel).Where(row => row.Head.Wait?.At <= now).Select(row => row.Id);
}

internal sealed class KeepsNoPendingWorkFromRetention(IStateStore inner, TimeProvider time) : PassingStore(inner)
{
    public override IAsyncEnumerable<SessionId> IdleAsync(DateTimeOffset since, int limit, CancellationToken cancel = default) =>
        base.ListAsync(new ListQuery(Limit: limit), cancel).Where(_ => since <= time.GetUtcNow()).Select(row => row.Id);
}

internal sealed class MakesAKeyForEveryAsker(IStateStore inner) : PassingStore(inner)
{
    public override ValueTask<ReadOnlyMemory<byte>> KeyAsync(CancellationToken cancel = default) =>
        new(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
}

internal sealed class ForgetsWhoseItWas(IStateStore inner) : PassingStore(inner)
{
    public override async ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
    {
        BeginResult begun = await base.BeginAsync(id, guard, by, cancel);
        return begun.Status == BeginStatus.Unknown ? BeginResult.Unknown(begun.Why) : begun;
    }
}

/// <summary>A memory store that outlives its users, as one on a disk does, and that several may open at once.</summary>
internal sealed class KeptStore(IStateStore inner) : PassingStore(inner)
{
    private readonly ConcurrentDictionary<SessionId, BeginResult> _gone = [];

    public override StoreTraits Traits { get; } = new("kept", Durable: true, Shared: true, KeepsPrivateRecords: false);

    public override async ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
    {
        BeginResult begun = await base.BeginAsync(id, guard, by, cancel);
        return begun.Status == BeginStatus.Unknown ? _gone.GetValueOrDefault(id, BeginResult.Unknown()) : begun;
    }

    public override async ValueTask DeleteAsync(Lease lease, Tombstone why, CancellationToken cancel = default)
    {
        _gone[lease.Session] = BeginResult.Unknown(why, (await FindAsync(lease.Session, cancel))?.Principal);
        await base.DeleteAsync(lease, why, cancel);
    }

    public override ValueTask DisposeAsync() => default;
}
