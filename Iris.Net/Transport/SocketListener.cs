using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>Accepts connections until it is disposed; no error ends it.</summary>
internal sealed class SocketListener : IListener
{
    private const int MostShedAtOnce = 64;

    private static readonly TimeSpan LeastPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly Func<Connection, Task> _run;
    private readonly Func<PeerSocket, AcceptFilter>? _filter;
    private readonly SocketTransportOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly DescriptorReserve _reserve = new();
    private readonly EpollAcceptor? _acceptor;
    private readonly Action _relieve;
    private readonly Task _accepting;
    private TaskCompletionSource? _relief;
    private long? _toldAt;

    public SocketListener(
        Socket socket, ListenEndpoint endpoint, Func<Connection, Task> run, Func<PeerSocket, AcceptFilter>? filter,
        SocketTransportOptions options)
    {
        _socket = socket;
        Endpoint = endpoint;
        _run = run;
        _filter = filter;
        _options = options;
        _relieve = Relieve;
        _acceptor = EpollLoop.Shared is { } loop ? new EpollAcceptor(loop, socket) : null;
        // Whoever listens is nobody's parent: connections do not run in its context.
        if (ExecutionContext.IsFlowSuppressed())
            _accepting = Task.Run(AcceptAsync);
        else
            using (ExecutionContext.SuppressFlow())
                _accepting = Task.Run(AcceptAsync);
    }

    public ListenEndpoint Endpoint { get; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _acceptor?.Dispose();
        _socket.Dispose();
        await _accepting.ConfigureAwait(false);
        _stop.Dispose();
        _reserve.Dispose();
        if (Endpoint.Path is not null)
            File.Delete(Endpoint.Path);
    }

    private async Task AcceptAsync()
    {
        TimeSpan pause = LeastPause;
        int shed = 0;
        while (!_stop.IsCancellationRequested)
        {
            PeerSocket? accepted = null;
            try
            {
                accepted = _acceptor is null
                    ? new PeerSocket(await _socket.AcceptAsync(_stop.Token).ConfigureAwait(false))
                    : await _acceptor.AcceptAsync().ConfigureAwait(false);
                if (_reserve.HasRoom())
                {
                    if (_acceptor is null)
                        Prepare(accepted.Socket);
                    Start(accepted);
                    (pause, shed) = (LeastPause, 0);
                    continue;
                }

                accepted.Dispose();
                Tell(new IOException("Too many open files: peers are turned away."));
                if (++shed % MostShedAtOnce != 0)
                    continue;
            }
            catch (Exception e)
            {
                accepted?.Dispose();
                if (_stop.IsCancellationRequested)
                    return;
                // A peer that was gone before it was accepted says nothing about the next.
                if (e is SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted })
                    continue;
                _reserve.Release();
                Tell(e);
            }

            await PauseAsync(pause).ConfigureAwait(false);
            pause = pause + pause < LongestPause ? pause + pause : LongestPause;
        }
    }

    // Elsewhere than on Linux a socket may inherit nothing.
    private void Prepare(Socket accepted)
    {
        accepted.Blocking = false;
        if (Endpoint.Path is null)
            accepted.NoDelay = true;
    }

    // Where the loop tells of the first bytes, nothing of a request runs before; elsewhere they may be there at once.
    private void Start(PeerSocket accepted)
    {
        if (_acceptor is not null && _filter is not null)
            _filter(accepted).Start(_relieve);
        else if (_acceptor is not null)
            Run(new SocketConnection(accepted));
        else
            ThreadPool.UnsafeQueueUserWorkItem(
                static start => start.Listener.Run(new SocketConnection(start.Socket)), (Listener: this, Socket: accepted),
                preferLocal: false);
    }

    // One action waits for the end of every connection: nothing is kept for one that is idle.
    private void Run(Connection connection) => _run(connection).ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_relieve);

    private void Relieve() => Volatile.Read(ref _relief)?.TrySetResult();

    // A connection that closes gives a descriptor back, and ends the pause.
    private async Task PauseAsync(TimeSpan pause)
    {
        var relief = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _relief, relief);
        try
        {
            await relief.Task.WaitAsync(pause, _options.Time, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // The pause is over.
        }

        Volatile.Write(ref _relief, null);
    }

    private void Tell(Exception e)
    {
        long now = _options.Time.GetTimestamp();
        if (_toldAt is { } before && _options.Time.GetElapsedTime(before, now) < QuietFor)
            return;
        _toldAt = now;
        _options.OnError?.Invoke(e);
    }
}
