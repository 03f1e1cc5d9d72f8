namespace Iris.Net.Stores.Files;

/// <summary>A directory on disk, made where it is missing.</summary>
internal sealed class DurableDirectory : IStoreDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path;

    public DurableDirectory(string path, bool create)
    {
        _path = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (!Directory.Exists(_path) && !create)
            throw new DirectoryNotFoundException($"There is no directory '{_path}'.");
        Make(_path);
    }

    public string Path => _path;

    public IReadOnlyList<string> Names() => [.. Directory.EnumerateFiles(_path).Select(path => System.IO.Path.GetFileName(path))];

    public IStoreFile Create(string name) => Open(name, FileMode.Create, FileAccess.ReadWrite);

    public IStoreFile Open(string name, bool writable) =>
        Open(name, FileMode.Open, writable ? FileAccess.ReadWrite : FileAccess.Read);

    public void Rename(string from, string to) => File.Move(Of(from), Of(to), overwrite: true);

    public void Delete(string name) => File.Delete(Of(name));

    public void Sync() => Sync(_path);

    public IDisposable Lock(string name)
    {
        try
        {
            return new FileStream(Of(name), Options(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e)
        {
            throw new IOException($"The directory '{_path}' is in use by another process, or cannot be locked: {e.Message}", e);
        }
    }

    public void Dispose()
    {
    }

    private static void Make(string path)
    {
        if (Directory.Exists(path))
            return;
        string? parent = System.IO.Path.GetDirectoryName(path);
        if (parent is not null)
            Make(parent);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        if (parent is not null)
            Sync(parent);
    }

    // Elsewhere a directory cannot be synced, and its entries are as safe as the system makes them.
    private static void Sync(string path)
    {
        if (OperatingSystem.IsLinux())
            Libc.SyncDirectory(path);
    }

    private static FileStreamOptions Options(FileMode mode, FileAccess access, FileShare share)
    {
        FileStreamOptions options = new() { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
            options.UnixCreateMode = OwnerOnly;
        return options;
    }

    private string Of(string name) => System.IO.Path.Combine(_path, name);

    private DurableFile Open(string name, FileMode mode, FileAccess access) =>
        new(new FileStream(Of(name), Options(mode, access, FileShare.ReadWrite | FileShare.Delete)));
}
