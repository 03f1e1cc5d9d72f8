using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>A memory store that is treated as one that outlives its process: derived tokens, and every record in the journal.
/// Each call has to wait, as those of real ones do.</summary>
internal sealed class DurableMemory(IStateStore inner) : PassingStore(inner)
{
    public override StoreTraits Traits => base.Traits with { Durable = true, KeepsPrivateRecords = true };

    public override async ValueTask<CreateResult> CreateAsync(
        SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default)
    {
        CreateResult created = await base.CreateAsync(id, seed, by, cancel);
        await Task.Yield();
        return created;
    }

    public override async ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
    {
        BeginResult begun = await base.BeginAsync(id, guard, by, cancel);
        await Task.Yield();
        return begun;
    }
}
