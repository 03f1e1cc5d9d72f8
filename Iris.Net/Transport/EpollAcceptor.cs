using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Iris.Net.Transport;

/// <summary>Accepts on the thread that is told, as long as there are connections. One caller at a time.</summary>
internal sealed class EpollAcceptor : IReadable, IDisposable
{
    private readonly EpollLoop _loop;
    private readonly Socket _listening;
    private TaskCompletionSource? _waiting;
    private volatile bool _disposed;

    public EpollAcceptor(EpollLoop loop, Socket listening)
    {
        (_loop, _listening) = (loop, listening);
        listening.Blocking = false;
        loop.Register(listening.SafeHandle, this);
    }

    public long Registration { get; set; }

    /// <summary>The next connection, which does not block.</summary>
    /// <exception cref="SocketException">It cannot be accepted.</exception>
    /// <exception cref="ObjectDisposedException">Nothing is accepted any more.</exception>
    public async ValueTask<SafeSocketHandle> AcceptAsync()
    {
        while (true)
        {
            if (TryAccept() is { } accepted)
                return accepted;
            // Whoever comes from now on ends this wait; whoever came before is found now.
            TaskCompletionSource waiting = new();
            Volatile.Write(ref _waiting, waiting);
            if (TryAccept() is { } late)
                return late;
            await waiting.Task.ConfigureAwait(false);
        }
    }

    public void OnReadable(bool isEnding) => Volatile.Read(ref _waiting)?.TrySetResult();

    public void Dispose()
    {
        _disposed = true;
        _loop.Forget(this);
        OnReadable(isEnding: true);
    }

    private SafeSocketHandle? TryAccept()
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            int accepted = Libc.Accept(_listening.SafeHandle, 0, 0, Libc.SocketNonBlocking | Libc.SocketCloseOnExec);
            int error = Marshal.GetLastPInvokeError();
            if (accepted >= 0)
                return new SafeSocketHandle(accepted, ownsHandle: true);
            if (error == Libc.TryAgain)
                return null;
            if (error != Libc.Interrupted)
                throw new SocketException((int)(error switch
                {
                    Libc.Aborted or Libc.Protocol => SocketError.ConnectionAborted,   // the peer is gone again
                    Libc.TooManyInProcess or Libc.TooManyInSystem => SocketError.TooManyOpenSockets,
                    _ => SocketError.SocketError,
                }));
        }
    }
}
