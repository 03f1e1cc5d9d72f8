using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Iris.Net.Transport;

/// <summary>What the base library does not give of Linux: epoll(7), an accept that neither waits nor throws, and bytes in and out of
/// a mere descriptor, to its end.</summary>
internal static partial class Libc
{
    public const uint EpollIn = 0x1, EpollErr = 0x8, EpollHup = 0x10, EpollRdHup = 0x2000, EpollEdge = 1u << 31;
    public const int EpollAdd = 1, EpollCloseOnExec = 0x80000;

    public const int SocketNonBlocking = 0x800, SocketCloseOnExec = 0x80000;

    public const int NoSignal = 0x4000, ShutdownWrite = 1;

    public const int Interrupted = 4, TryAgain = 11, TooManyInSystem = 23, TooManyInProcess = 24, Protocol = 71, Aborted = 103;

    private const int MostBlocks = 64;   // in one send
    private const int SocketLevel = 1, Linger = 13;

    /// <summary>Sends several blocks in one call, or as many of them as one call takes.</summary>
    public static unsafe nint Send(SafeHandle socket, ReadOnlySpan<ArraySegment<byte>> several)
    {
        several = several[..Math.Min(several.Length, MostBlocks)];
        Span<GCHandle> pins = stackalloc GCHandle[several.Length];
        IoBlock* blocks = stackalloc IoBlock[several.Length];
        for (int i = 0; i < several.Length; i++)
        {
            pins[i] = GCHandle.Alloc(several[i].Array, GCHandleType.Pinned);
            blocks[i] = new IoBlock(pins[i].AddrOfPinnedObject() + several[i].Offset, (nuint)several[i].Count);
        }

        try
        {
            MessageHead head = new(0, 0, (nint)blocks, (nuint)several.Length, 0, 0, 0);
            return SendMessage(socket, ref head, NoSignal);
        }
        finally
        {
            foreach (GCHandle pin in pins)
                pin.Free();
        }
    }

    /// <summary>Lets a close throw away what was not sent, and reset the connection.</summary>
    public static void LingerNot(SafeHandle socket)
    {
        LingerTime none = new(1, 0);
        _ = SetOption(socket, SocketLevel, Linger, in none, 2 * sizeof(int));
    }

    /// <summary>The base library's name of an error; of those that end a connection one stands for all.</summary>
    public static SocketError ErrorOf(int error) => error switch
    {
        TryAgain => SocketError.WouldBlock,
        Interrupted => SocketError.Interrupted,
        _ => SocketError.ConnectionReset,
    };

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(SafeHandle socket, Span<byte> room, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(SafeHandle socket, ReadOnlySpan<byte> bytes, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    private static partial nint SendMessage(SafeHandle socket, ref MessageHead head, int flags);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    public static partial int Shutdown(SafeHandle socket, int how);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    private static partial int SetOption(SafeHandle socket, int level, int name, in LingerTime value, uint length);

    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    public static partial int Accept(SafeHandle listening, nint address, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, SafeHandle watched, ref EpollEvent change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, ref EpollEvent first, int room, int milliseconds);
}

/// <summary>What the kernel calls <c>iovec</c>.</summary>
internal readonly record struct IoBlock(nint Start, nuint Length);

/// <summary>What the kernel calls <c>linger</c>.</summary>
internal readonly record struct LingerTime(int IsOn, int Seconds);

/// <summary>What the kernel calls <c>msghdr</c>.</summary>
internal readonly record struct MessageHead(
    nint Name, uint NameLength, nint Blocks, nuint BlockCount, nint Control, nuint ControlLength, int Flags);

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
