using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Iris.Net.Transport;

/// <summary>Accepts on the thread that is told, as long as there are connections. One caller at a time.</summary>
internal sealed class EpollAcceptor : IReadable, IDisposable
{
    private readonly EpollLoop _loop;
    private readonly Socket _listening;
    private readonly long _registration;
    private TaskCompletionSource? _waiting;
    private volatile bool _disposed;

    public EpollAcceptor(EpollLoop loop, Socket listening)
    {
        (_loop, _listening) = (loop, listening);
        listening.Blocking = false;
        _registration = loop.Register(listening, this);
    }

    /// <summary>The next connection, which does not block.</summary>
    /// <exception cref="SocketException">It cannot be accepted.</exception>
    /// <exception cref="ObjectDisposedException">Nothing is accepted any more.</exception>
    public async ValueTask<Socket> AcceptAsync()
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
        _loop.Forget(_registration);
        OnReadable(isEnding: true);
    }

    private Socket? TryAccept()
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            bool isHeld = false;
            int accepted, error;
            try
            {
                _listening.SafeHandle.DangerousAddRef(ref isHeld);
                accepted = Libc.Accept(
                    (int)_listening.SafeHandle.DangerousGetHandle(), 0, 0, Libc.SocketNonBlocking | Libc.SocketCloseOnExec);
                error = Marshal.GetLastPInvokeError();
            }
            finally
            {
                if (isHeld)
                    _listening.SafeHandle.DangerousRelease();
            }

            if (accepted >= 0)
                return new Socket(new SafeSocketHandle(accepted, ownsHandle: true));
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
