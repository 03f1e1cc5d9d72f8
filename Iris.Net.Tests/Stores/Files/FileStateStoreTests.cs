using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores.Files;

/// <summary>What every store promises, of the one in files.</summary>
internal sealed class FileStateStoreTests : StateStoreTests
{
    private readonly List<TempDirectory> _directories = [];

    protected override IStateStore Make(TimeProvider time)
    {
        _directories.Add(new TempDirectory());
        return new FileStateStore(_directories[^1].Path, new FileStoreOptions { Time = time });
    }

    [OneTimeTearDown]
    public void RemoveDirectories() => _directories.ForEach(directory => directory.Dispose());

    [Test]
    public void ItSaysThatItIsDurable() => Assert.That(
        Store.Traits,
        Is.EqualTo(new StoreTraits($"file:{_directories[^1].Path}", Durable: true, Shared: false, KeepsPrivateRecords: true)));
}
