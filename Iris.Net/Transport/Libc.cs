using System.Runtime.InteropServices;

namespace Iris.Net.Transport;

/// <summary>What the base library does not give of Linux: epoll(7), and an accept that neither waits nor throws.</summary>
internal static partial class Libc
{
    public const uint EpollIn = 0x1, EpollErr = 0x8, EpollHup = 0x10, EpollRdHup = 0x2000, EpollEdge = 1u << 31;
    public const int EpollAdd = 1, EpollCloseOnExec = 0x80000;

    public const int SocketNonBlocking = 0x800, SocketCloseOnExec = 0x80000;

    public const int Interrupted = 4, TryAgain = 11, TooManyInSystem = 23, TooManyInProcess = 24, Protocol = 71, Aborted = 103;

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    public static partial int Accept(int listening, nint address, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, ref EpollEvent change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, ref EpollEvent first, int room, int milliseconds);
}

/// <summary>What the kernel calls <c>epoll_event</c>: packed on x86-64 alone.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct EpollEvent
{
    [FieldOffset(0)]
    public uint Events;

    [FieldOffset(4)]
    private long _packed;

    [FieldOffset(8)]
    private long _aligned;

    /// <summary>What was given at registration.</summary>
    public long Data
    {
        readonly get => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? _packed : _aligned;
        set
        {
            if (RuntimeInformation.ProcessArchitecture == Architecture.X64)
                _packed = value;
            else
                _aligned = value;
        }
    }
}
