using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Iris.Net.Stores.Files;

/// <summary>What the base library hides or lacks on Linux: the error of an fsync(2), and a directory's own.</summary>
internal static partial class Libc
{
    private const int ReadOnly = 0, CloseOnExec = 0x80000;

    /// <summary>Syncs an open file.</summary>
    public static void Sync(SafeFileHandle file, string path)
    {
        // Not again where it was interrupted: what it had done by then is not known.
        if (FSync(file) != 0)
            throw Failed("fsync", path);
    }

    /// <summary>Syncs a directory's entries.</summary>
    public static void SyncDirectory(string path)
    {
        int descriptor = Open(path, ReadOnly | CloseOnExec);
        if (descriptor < 0)
            throw Failed("open", path);
        using SafeFileHandle directory = new(descriptor, ownsHandle: true);
        Sync(directory, path);
    }

    private static IOException Failed(string call, string path)
    {
        int error = Marshal.GetLastPInvokeError();
        return new IOException($"{call} of '{path}' failed: {Marshal.GetPInvokeErrorMessage(error)} ({error})");
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);
}
