using System.Runtime.InteropServices;

namespace Iris.Net.Transport;

/// <summary>Threads that wait in epoll(7) for every connection of the process, and let whoever waits for input go on at once:
/// no other thread has to wake for it. A thread that a program blocks is replaced.</summary>
internal sealed class EpollLoop
{
    private const uint Interest = Libc.EpollIn | Libc.EpollRdHup | Libc.EpollEdge;
    private const int SlotBits = 32;    // of a registration; the rest numbers it
    private const uint Ending = Libc.EpollRdHup | Libc.EpollHup | Libc.EpollErr;

    private readonly int _epoll;
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = [];
    private IReadable?[] _readers = new IReadable?[64];     // by the lower half of their registrations
    private int _used;
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
    /// <returns>False where the socket cannot be watched any more.</returns>
    public bool Register(SafeHandle socket, IReadable reader)
    {
        lock (_gate)
        {
            int slot = _free.TryPop(out int free) ? free : _used++;
            if (slot == _readers.Length)
                Array.Resize(ref _readers, slot * 2);
            reader.Registration = ++_last << SlotBits | (uint)slot;
            _readers[slot] = reader;
        }

        EpollEvent change = new() { Events = Interest, Data = reader.Registration };
        try
        {
            if (Libc.EpollControl(_epoll, Libc.EpollAdd, socket, ref change) == 0)
                return true;
        }
        catch (ObjectDisposedException)
        {
            // The connection was aborted.
        }

        Forget(reader);
        return false;
    }

    /// <summary>Tells the reader nothing any more. The kernel forgets a socket that is closed.</summary>
    public void Forget(IReadable reader)
    {
        lock (_gate)
        {
            if (reader.Registration == 0)
                return;
            int slot = (int)(uint)reader.Registration;
            reader.Registration = 0;
            _readers[slot] = null;
            _free.Push(slot);
        }
    }

    /// <summary>Tells another reader of the socket from now on. Who was told until now may be told once more even so, of what came
    /// before, and hands it on.</summary>
    public void Replace(IReadable reader, IReadable heir)
    {
        lock (_gate)
        {
            heir.Registration = reader.Registration;
            if (heir.Registration != 0)
                Volatile.Write(ref _readers[(int)(uint)heir.Registration], heir);
        }
    }

    // What the kernel still tells of one that was forgotten is nobody's, whoever has its slot now.
    private IReadable? Find(long registration) =>
        Volatile.Read(ref _readers)[(int)(uint)registration] is { } reader && reader.Registration == registration ? reader : null;

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
        if (Libc.EpollWait(_epoll, ref one, 1, -1) < 1 || Find(one.Data) is not { } reader)
            return true;
        worker.Enter();
        reader.OnReadable(isEnding: (one.Events & Ending) != 0);
        return worker.Leave();
    }
}
