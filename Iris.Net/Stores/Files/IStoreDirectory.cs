namespace Iris.Net.Stores.Files;

/// <summary>The directory of a store. Every file operation goes through here, so that a test can let any of them fail.</summary>
internal interface IStoreDirectory : IDisposable
{
    /// <summary>Where it is.</summary>
    string Path { get; }

    /// <summary>The names of its files.</summary>
    IReadOnlyList<string> Names();

    /// <summary>Makes an empty file; one that has the name is replaced.</summary>
    IStoreFile Create(string name);

    /// <summary>Opens a file that is there.</summary>
    IStoreFile Open(string name, bool writable);

    /// <summary>Renames a file; one that has the new name is replaced.</summary>
    void Rename(string from, string to);

    void Delete(string name);

    /// <summary>Returns once the directory's entries survive a power cut.</summary>
    void Sync();

    /// <summary>Keeps other processes out until it is disposed.</summary>
    /// <exception cref="IOException">Another process has it.</exception>
    IDisposable Lock(string name);
}

/// <summary>A file of a store.</summary>
internal interface IStoreFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads as much as there is, at most to the span's end; 0 at the file's.</summary>
    int Read(Span<byte> to, long offset);

    /// <summary>Writes all of it.</summary>
    void Write(ReadOnlySpan<byte> bytes, long offset);

    void Truncate(long length);

    /// <summary>Returns once what was written survives a power cut.</summary>
    void Sync();
}
