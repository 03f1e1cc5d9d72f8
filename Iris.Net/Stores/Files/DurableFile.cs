namespace Iris.Net.Stores.Files;

/// <summary>A file on disk, read and written at offsets; the stream only keeps its handle.</summary>
internal sealed class DurableFile(FileStream file) : IStoreFile
{
    public long Length => RandomAccess.GetLength(file.SafeFileHandle);

    public int Read(Span<byte> to, long offset)
    {
        int total = 0;
        while (total < to.Length && RandomAccess.Read(file.SafeFileHandle, to[total..], offset + total) is int read and > 0)
            total += read;
        return total;
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(file.SafeFileHandle, bytes, offset);

    public void Truncate(long length) => RandomAccess.SetLength(file.SafeFileHandle, length);

    public void Sync()
    {
        if (OperatingSystem.IsLinux())
            Libc.Sync(file.SafeFileHandle, file.Name);
        else
            RandomAccess.FlushToDisk(file.SafeFileHandle);
    }

    public void Dispose() => file.Dispose();
}
