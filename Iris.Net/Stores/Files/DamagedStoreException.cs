namespace Iris.Net;

/// <summary>A file of a store does not hold what was written to it, and not because a write was cut short.</summary>
public sealed class DamagedStoreException : IOException
{
    internal DamagedStoreException(string file, long offset, string what)
        : base($"The store is damaged: '{file}' at offset {offset}: {what}.") => (File, Offset, What) = (file, offset, what);

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>Where in the file the first record begins that is not as it was written, in bytes.</summary>
    public long Offset { get; }

    /// <summary>What is wrong there.</summary>
    public string What { get; }
}
