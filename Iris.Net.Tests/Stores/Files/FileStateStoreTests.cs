using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores.Files;

/// <summary>What every store promises, of the one in files.</summary>
internal sealed class FileStateStoreTests : StoreConformanceTests
{
    private readonly TempDirectory _directory = new();

    // Each round waits for the disk several times.
    protected override int Rounds => 100;

    [OneTimeTearDown]
    public void RemoveDirectory() => _directory.Dispose();

    protected override ValueTask<IStateStore> OpenAsync(string place, TimeProvider time, CancellationToken cancel = default) =>
        new(new FileStateStore(Path.Combine(_directory.Path, place), new FileStoreOptions { Time = time }));

    [Test]
    public async Task ItSaysThatItIsDurable()
    {
        await using IStateStore store = await OpenAsync("traits", TimeProvider.System);
        Assert.That(store.Traits, Is.EqualTo(new StoreTraits(
            $"file:{Path.Combine(_directory.Path, "traits")}", Durable: true, Shared: false, KeepsPrivateRecords: true)));
    }
}
