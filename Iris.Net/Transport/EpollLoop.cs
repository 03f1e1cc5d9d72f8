using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>Threads that wait in epoll(7) for every connection of the process, and let whoever waits for input go on at once:
/// no other thread has to wake for it. A thread that a program blocks is replaced.</summary>
internal sealed class EpollLoop
{
    private const uint Interest = Libc.EpollIn | Libc.EpollRdHup | Libc.EpollEdge;
    private const uint Ending = Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr;

    private readonly int _epoll;
    private readonly ConcurrentDictionary<long, IReadable> _readers = new();
    private readonly LoopThreads _threads;
    private long _last;

    private EpollLoop(int epoll)
    {
        _epoll = epoll;
        _threads = new LoopThreads(WaitForOne, Environment.ProcessorCount);
    }

    /// <summary>The process's one; null where the system has no epoll.</summary>
    public static EpollLoop? Shared { get; } = TryCreate();

    /// <summary>Tells the reader from now on; at once where there is something already.</summary>
    /// <returns>What <see cref="Forget"/> takes; 0 where the socket cannot be watched any more.</returns>
    public long Register(Socket socket, IReadable reader)
    {
        long registration = Interlocked.Increment(ref _last);
        _readers[registration] = reader;
        EpollEvent change = new() { Events = Interest, Data = registration };
        bool isHeld = false;
        try
        {
            socket.SafeHandle.DangerousAddRef(ref isHeld);
            if (Libc.EpollControl(_epoll, Libc.EpollAdd, (int)socket.SafeHandle.DangerousGetHandle(), ref change) == 0)
                return registration;
        }
        catch (ObjectDisposedException)
        {
            // The connection was aborted.
        }
        finally
        {
            if (isHeld)
                socket.SafeHandle.DangerousRelease();
        }

        Forget(registration);
        return 0;
    }

    /// <summary>Tells the reader nothing any more. The kernel forgets a socket that is closed.</summary>
    public void Forget(long registration) => _readers.TryRemove(registration, out _);

    private static EpollLoop? TryCreate()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        int epoll = Libc.EpollCreate(Libc.EpollCloseOnExec);
        return epoll < 0 ? null : new EpollLoop(epoll);
    }

    // One event at a time: none waits behind a program that blocks the thread.
    private bool WaitForOne(LoopThreads.Worker worker)
    {
        EpollEvent one = default;
        if (Libc.EpollWait(_epoll, ref one, 1, -1) < 1 || !_readers.TryGetValue(one.Data, out IReadable? reader))
            return true;
        worker.Enter();
        reader.OnReadable(isEnding: (one.Events & Ending) != 0);
        return worker.Leave();
    }
}
