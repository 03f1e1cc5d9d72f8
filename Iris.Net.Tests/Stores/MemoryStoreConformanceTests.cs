using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores;

internal sealed class MemoryStoreConformanceTests : StoreConformanceTests
{
    protected override int Rounds => 10_000;

    protected override ValueTask<IStateStore> OpenAsync(string place, TimeProvider time, CancellationToken cancel = default) =>
        new(new MemoryStateStore(time: time));
}
