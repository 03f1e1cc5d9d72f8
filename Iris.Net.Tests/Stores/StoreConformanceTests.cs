using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores;

/// <summary>Runs every check on one store. A store's own fixture derives from this one and opens it.</summary>
internal abstract class StoreConformanceTests
{
    public static IEnumerable<TestCaseData> Checks => StoreConformance.Checks.Select(check => new TestCaseData(check).SetName(check.Name));

    /// <summary>How often a race is run.</summary>
    protected virtual int Rounds => StoreCheck.DefaultRounds;

    /// <summary>Opens the store of a place, as <see cref="StoreOpener"/> says.</summary>
    protected abstract ValueTask<IStateStore> OpenAsync(string place, TimeProvider time, CancellationToken cancel = default);

    [TestCaseSource(nameof(Checks))]
    public async Task ItKeeps(StoreCheck check)
    {
        if (!await check.RunAsync(OpenAsync, Rounds))
            Assert.Ignore("Its traits do not promise this.");
    }
}
