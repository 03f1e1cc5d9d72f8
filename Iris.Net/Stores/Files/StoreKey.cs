using System.Security.Cryptography;

namespace Iris.Net.Stores.Files;

/// <summary>The key that is kept with the sessions: a file of its own, made when it is asked for.</summary>
internal sealed class StoreKey(IStoreDirectory directory)
{
    private const string Name = "key", UnfinishedName = "key.new";
    private const int Size = 32;

    private readonly Lock _gate = new();
    private byte[]? _key;

    /// <exception cref="IOException">It cannot be read or kept, or is not whole.</exception>
    public ReadOnlyMemory<byte> Get()
    {
        lock (_gate)
            return _key ??= directory.Names().Contains(Name) ? Read() : Make();
    }

    private byte[] Read()
    {
        using IStoreFile file = directory.Open(Name, writable: false);
        byte[] key = new byte[Size + 1];
        int length = file.Read(key, 0);
        return length == Size ? key[..Size]
            : throw new DamagedStoreException(Path.Combine(directory.Path, Name), 0, $"a key has {Size} bytes");
    }

    private byte[] Make()
    {
        byte[] key = RandomNumberGenerator.GetBytes(Size);
        using (IStoreFile file = directory.Create(UnfinishedName))
        {
            file.Write(key, 0);
            file.Sync();
        }

        directory.Rename(UnfinishedName, Name);
        directory.Sync();
        return key;
    }
}
