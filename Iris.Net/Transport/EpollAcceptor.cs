using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading.Tasks.Sources;

namespace Iris.Net.Transport;

/// <summary>Accepts on the thread that is told, as long as there are connections. One caller at a time; nothing is allocated but the
/// connection.</summary>
internal sealed class EpollAcceptor : IReadable, IDisposable, IValueTaskSource
{
    private readonly EpollLoop _loop;
    private readonly Socket _listening;
    private readonly bool _isUnix;
    private ManualResetValueTaskSourceCore<bool> _core;
    private int _waits;     // 1 while a wait is open; whoever takes it away ends the wait
    private volatile bool _disposed;

    public EpollAcceptor(EpollLoop loop, Socket listening)
    {
        (_loop, _listening, _isUnix) = (loop, listening, listening.AddressFamily == AddressFamily.Unix);
        listening.Blocking = false;
        loop.Register(listening.SafeHandle, this);
    }

    public long Registration { get; set; }

    /// <summary>The next connection.</summary>
    /// <exception cref="SocketException">It cannot be accepted.</exception>
    /// <exception cref="ObjectDisposedException">Nothing is accepted any more.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<PeerSocket> AcceptAsync()
    {
        while (true)
        {
            // Whoever comes from now on ends this wait; whoever came before is found now.
            _core.Reset();
            Interlocked.Exchange(ref _waits, 1);
            PeerSocket? accepted = null;
            bool isOver = true;
            try
            {
                accepted = TryAccept();
                isOver = accepted is not null;
            }
            finally
            {
                if (!isOver || !TryEndWait())
                    await new ValueTask(this, _core.Version).ConfigureAwait(false);
            }

            if (accepted is not null)
                return accepted;
        }
    }

    public void OnReadable(bool isEnding)
    {
        if (TryEndWait())
            _core.SetResult(true);
    }

    public void Dispose()
    {
        _disposed = true;
        _loop.Forget(this);
        OnReadable(isEnding: true);
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private bool TryEndWait() => Interlocked.Exchange(ref _waits, 0) != 0;

    private PeerSocket? TryAccept()
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            int accepted = Libc.Accept(_listening.SafeHandle, 0, 0, Libc.SocketNonBlocking | Libc.SocketCloseOnExec);
            int error = Marshal.GetLastPInvokeError();
            if (accepted >= 0)
                return new PeerSocket(accepted, _isUnix);
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
