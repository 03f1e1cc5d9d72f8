using Iris.Net.Stores.Files;

namespace Iris.Net.Tests.Stores.Files;

/// <summary>A disk in memory that keeps apart what was written and what was synced, of files and of the directory's entries. It
/// fails where a test says so, and tells when a file is synced or written after its sync failed.</summary>
internal sealed class MemoryDirectory : IStoreDirectory
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Inode> _entries = [];
    private Dictionary<string, Inode> _syncedEntries = [];
    private bool _isLocked;

    /// <summary>Asked before each operation; throws where it is to fail. May write a part first.</summary>
    public Action<string>? Before { get; set; }

    /// <summary>What no store may do.</summary>
    public List<string> Misdeeds { get; } = [];

    public int Syncs { get; private set; }

    public string Path => "memory";

    public IReadOnlyList<string> Names()
    {
        lock (_gate)
            return [.. _entries.Keys];
    }

    public IStoreFile Create(string name)
    {
        Before?.Invoke("create");
        lock (_gate)
            return new File(this, _entries[name] = new Inode());
    }

    public IStoreFile Open(string name, bool writable)
    {
        lock (_gate)
            return new File(this, _entries.TryGetValue(name, out Inode? inode) ? inode : throw new FileNotFoundException(name));
    }

    public void Rename(string from, string to)
    {
        Before?.Invoke("rename");
        lock (_gate)
            if (_entries.Remove(from, out Inode? inode))
                _entries[to] = inode;
            else
                throw new FileNotFoundException(from);
    }

    public void Delete(string name)
    {
        Before?.Invoke("delete");
        lock (_gate)
            _entries.Remove(name);
    }

    public void Sync()
    {
        Before?.Invoke("directory sync");
        lock (_gate)
            _syncedEntries = new(_entries);
    }

    public IDisposable Lock(string name)
    {
        lock (_gate)
        {
            if (_isLocked)
                throw new IOException("in use");
            _isLocked = true;
        }

        return new Unlock(this);
    }

    public void Dispose()
    {
    }

    /// <summary>The bytes of a file as they were written.</summary>
    public byte[] this[string name]
    {
        get
        {
            lock (_gate)
                return _entries[name].Written.ToArray();
        }

        set
        {
            lock (_gate)
                _entries[name] = new Inode { Written = [.. value], Synced = [.. value] };
        }
    }

    /// <summary>Forgets one entry.</summary>
    public void Remove(string name)
    {
        lock (_gate)
            _entries.Remove(name);
    }

    /// <summary>The disk as another process finds it: everything that was written.</summary>
    public MemoryDirectory Copy() => Copy(_entries, inode => inode.Written.ToArray());

    /// <summary>The disk after a power cut: entries that were synced, and of what was not synced in each file some sectors, or a part.</summary>
    /// <param name="random">Says which.</param>
    /// <param name="page">Zero for sectors in their order; else the bytes of a page, and pages are lost in any order.</param>
    public MemoryDirectory CutPower(Random random, int page = 0)
    {
        lock (_gate)
            return Copy(
                random.Next(2) == 0 ? _syncedEntries : _entries, inode => page == 0 ? Left(inode, random) : Left(inode, random, page));
    }

    private MemoryDirectory Copy(Dictionary<string, Inode> entries, Func<Inode, byte[]> bytes)
    {
        MemoryDirectory copy = new();
        lock (_gate)
        {
            foreach ((string name, Inode inode) in entries)
            {
                byte[] left = bytes(inode);
                copy._entries[name] = new Inode { Written = [.. left], Synced = [.. left] };
            }
        }

        copy._syncedEntries = new(copy._entries);
        return copy;
    }

    // The length may have grown without the content, and sectors are written in any order, the last ones not.
    private static byte[] Left(Inode inode, Random random)
    {
        int synced = inode.Synced.Count;
        byte[] left = [.. inode.Written[..Math.Max(synced, random.Next(synced, inode.Written.Count + 1))]];
        inode.Synced.CopyTo(left);
        int kept = random.Next(3) switch { 0 => synced, 1 => left.Length, _ => random.Next(synced, left.Length + 1) };
        int from = Math.Max(synced, (kept + 511) / 512 * 512);
        if (from < left.Length)
            left.AsSpan(from).Clear();
        return left;
    }

    // Each page as it was written or as it was synced, whatever the others are.
    private static byte[] Left(Inode inode, Random random, int page)
    {
        byte[] left = [.. inode.Written];
        int synced = inode.Synced.Count;
        for (int start = 0; start < left.Length; start += page)
        {
            if (random.Next(2) == 0)
                continue;
            Span<byte> lost = left.AsSpan(start, Math.Min(page, left.Length - start));
            lost.Clear();
            if (start < synced)
                System.Runtime.InteropServices.CollectionsMarshal.AsSpan(inode.Synced)[start..Math.Min(synced, start + lost.Length)].CopyTo(lost);
        }

        return left[..Math.Max(synced, random.Next(synced, left.Length + 1))];
    }

    private sealed class Inode
    {
        public List<byte> Written { get; init; } = [];

        public List<byte> Synced { get; set; } = [];

        public bool IsSpoilt { get; set; }
    }

    private sealed class File(MemoryDirectory directory, Inode inode) : IStoreFile
    {
        public long Length
        {
            get
            {
                lock (directory._gate)
                    return inode.Written.Count;
            }
        }

        public int Read(Span<byte> to, long offset)
        {
            lock (directory._gate)
            {
                int length = (int)Math.Clamp(inode.Written.Count - offset, 0, to.Length);
                System.Runtime.InteropServices.CollectionsMarshal.AsSpan(inode.Written).Slice((int)Math.Min(offset, inode.Written.Count), length).CopyTo(to);
                return length;
            }
        }

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            Note("written");
            try
            {
                directory.Before?.Invoke("write");
            }
            catch
            {
                Put(bytes[..(bytes.Length / 2)], offset);   // as far as the disk took it
                inode.IsSpoilt = true;
                throw;
            }

            Put(bytes, offset);
        }

        public void Truncate(long length)
        {
            directory.Before?.Invoke("truncate");
            lock (directory._gate)
                inode.Written.RemoveRange((int)length, inode.Written.Count - (int)length);
        }

        public void Sync()
        {
            Note("synced");
            try
            {
                directory.Before?.Invoke("sync");
            }
            catch
            {
                inode.IsSpoilt = true;
                throw;
            }

            lock (directory._gate)
            {
                directory.Syncs++;
                inode.Synced = [.. inode.Written];
            }
        }

        public void Dispose()
        {
        }

        private void Put(ReadOnlySpan<byte> bytes, long offset)
        {
            lock (directory._gate)
            {
                while (inode.Written.Count < offset + bytes.Length)
                    inode.Written.Add(0);
                bytes.CopyTo(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(inode.Written)[(int)offset..]);
            }
        }

        private void Note(string what)
        {
            if (inode.IsSpoilt)
                directory.Misdeeds.Add($"{what} after it failed");
        }
    }

    private sealed class Unlock(MemoryDirectory directory) : IDisposable
    {
        public void Dispose() => directory._isLocked = false;
    }
}
