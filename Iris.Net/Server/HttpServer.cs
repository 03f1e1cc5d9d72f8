using System.Net.Security;
using Iris.Net.Diagnostics;
using Iris.Net.Http;
using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>An HTTP/1.1 and WebSocket server.</summary>
public sealed class HttpServer : IAsyncDisposable
{
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly List<Uri> _endpoints = [];
    private readonly List<IListener> _listeners = [];
    private readonly HttpDate _date = new();
    private readonly SocketTransportOptions _transportOptions;
    private readonly SocketTransport _transport;
    private readonly int _maxConnections;
    private readonly int _maxWebSockets;
    private int _webSockets;
    private readonly CancellationTokenSource _noGrace = new();
    private TaskCompletionSource? _empty;
    private Task? _stopped;
    private volatile bool _isStopping;

    /// <summary>Makes a server that does not listen yet. The router cannot be changed any more.</summary>
    public HttpServer(Router router, HttpServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(router);
        router.Use();
        Router = router;
        Options = options ?? new HttpServerOptions();
        HttpServerLimits limits = Options.Limits;
        HeadLimits = new RequestHeadLimits
        {
            RequestLine = limits.MaxRequestLineSize,
            HeadersTotal = limits.MaxRequestHeadersTotalSize,
            HeaderCount = limits.MaxRequestHeaderCount,
            LeadingEmptyLines = limits.MaxLeadingEmptyLines,
        };
        ChunkedLimits = new ChunkedLimits
        {
            Overhead = limits.MaxChunkOverhead,
            TrailersTotal = limits.MaxRequestHeadersTotalSize,
            TrailerCount = limits.MaxRequestHeaderCount,
        };
        _maxConnections = limits.MaxConcurrentConnections ?? DescriptorLimit.ShareForConnections;
        _maxWebSockets = limits.MaxConcurrentWebSockets ?? _maxConnections;
        _transportOptions = new SocketTransportOptions
        {
            SendBuffer = limits.SocketSendBuffer,
            Time = Options.Time,
            OnError = Report,
        };
        _transport = new SocketTransport(_transportOptions);
        Deadlines = new Deadlines(Options.Time, Report);
    }

    /// <summary>Where the server listens.</summary>
    public IReadOnlyList<Uri> Endpoints
    {
        get
        {
            lock (_lock)
                return [.. _endpoints];
        }
    }

    internal Router Router { get; }

    internal HttpServerOptions Options { get; }

    internal RequestHeadLimits HeadLimits { get; }

    internal ChunkedLimits ChunkedLimits { get; }

    internal Deadlines Deadlines { get; }

    internal bool IsStopping => _isStopping;

    internal ReadOnlySpan<byte> Date => _date.Of(Options.Time.GetUtcNow());

    /// <summary>Binds one more endpoint and serves it; returns its URL, <c>http://…</c>, <c>https://…</c> or
    /// <c>unix:…</c>.</summary>
    /// <exception cref="IOException">The endpoint cannot be bound.</exception>
    /// <exception cref="ObjectDisposedException">The server was stopped.</exception>
    public async ValueTask<Uri> ListenAsync(ListenEndpoint at, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(at);
        ObjectDisposedException.ThrowIf(_isStopping, this);
        TlsTerms? tls = at.Certificate is { } certificate
            ? new TlsTerms(certificate, [SslApplicationProtocol.Http11], _transportOptions)
            : null;
        IListener listener = await _transport.BindAsync(at, Run, tls is null ? Filter : null, cancel).ConfigureAwait(false);
        ListenEndpoint bound = listener.Endpoint;
        Uri url = bound.Path is null
            ? new UriBuilder(tls is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, bound.Address!.ToString(), bound.Port).Uri
            : new Uri("unix:" + Path.GetFullPath(bound.Path));
        bool stopped;
        lock (_lock)
        {
            stopped = _isStopping;
            if (!stopped)
            {
                _listeners.Add(listener);
                _endpoints.Add(url);
            }
        }

        if (stopped)
            await listener.DisposeAsync().ConfigureAwait(false);
        ObjectDisposedException.ThrowIf(stopped, this);
        return url;

        Task Run(Connection connection) =>
            new HttpConnection(
                this, tls is null ? connection : new TlsConnection(connection, tls), ConnectionMeasure.Begin(connection.IsUnix)).RunAsync();

        HeadFilter Filter(PeerSocket socket) => new(this, socket);
    }

    /// <summary>Stops accepting, closes idle connections, lets running exchanges end, closes WebSockets with 1001, and aborts
    /// whatever is left after <paramref name="grace"/> or on <paramref name="cancel"/>. A second call returns the task of the first.</summary>
    /// <param name="grace">How long running exchanges may take.</param>
    /// <param name="cancel">Ends the grace.</param>
    public Task StopAsync(TimeSpan grace, CancellationToken cancel = default)
    {
        lock (_lock)
            return _stopped ??= DrainAsync(grace, cancel);
    }

    /// <summary>Stops without grace, and ends the grace of a stop that is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _noGrace.CancelAsync().ConfigureAwait(false);
        await StopAsync(TimeSpan.Zero).ConfigureAwait(false);
    }

    /// <summary>Counts a connection in; false where there are too many.</summary>
    internal bool TryAdd(Timed connection)
    {
        Deadlines.Add(connection);
        return Deadlines.Count <= _maxConnections;
    }

    /// <summary>Counts a WebSocket in; false where there are too many.</summary>
    internal bool TryAddWebSocket(HttpConnection connection)
    {
        if (Interlocked.Increment(ref _webSockets) <= _maxWebSockets)
            return connection.IsWebSocket = true;
        Interlocked.Decrement(ref _webSockets);
        Telemetry.Breached(nameof(HttpServerLimits.MaxConcurrentWebSockets));
        return false;
    }

    internal void Remove(Timed connection)
    {
        if (connection is HttpConnection { IsWebSocket: true })
            Interlocked.Decrement(ref _webSockets);
        Deadlines.Remove(connection);
        if (_isStopping && Deadlines.Count == 0)
            Volatile.Read(ref _empty)?.TrySetResult();
    }

    /// <summary>Logs what went wrong below the handlers.</summary>
    internal void Report(Exception e) => Log(ChannelLogLevel.Warning, "the server met an error", e);

    /// <summary>Logs what a handler threw.</summary>
    internal void ReportHandler(Exception e) => Log(ChannelLogLevel.Error, "a handler failed", e);

    private void Log(ChannelLogLevel level, string text, Exception e) => ChannelLog.Tell(Options.Log, level, "Iris.Net.Server", text, e);

    private async Task DrainAsync(TimeSpan grace, CancellationToken cancel)
    {
        using var noGrace = CancellationTokenSource.CreateLinkedTokenSource(_noGrace.Token, cancel);
        _isStopping = true;
        IListener[] listeners = [.. _listeners];
        _listeners.Clear();
        foreach (IListener listener in listeners)
            await listener.DisposeAsync().ConfigureAwait(false);
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _empty, empty);
        if (Deadlines.Count == 0)
            empty.TrySetResult();
        foreach (Timed member in Deadlines.Snapshot())
            ((IPeer)member).CloseWhereIdle();
        await WaitAsync(empty.Task, grace, noGrace.Token).ConfigureAwait(false);
        foreach (Timed member in Deadlines.Snapshot())
            ((IPeer)member).GoAway();
        await WaitAsync(empty.Task, LastMoment, CancellationToken.None).ConfigureAwait(false);
        foreach (Timed member in Deadlines.Snapshot())
            ((IPeer)member).Abort();
        // A handler that does not end even now is left behind.
        await WaitAsync(empty.Task, LastMoment, CancellationToken.None).ConfigureAwait(false);
        Deadlines.Dispose();
    }

    private async Task WaitAsync(Task whenEmpty, TimeSpan time, CancellationToken cancel)
    {
        try
        {
            await whenEmpty.WaitAsync(time, Options.Time, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // The grace is over.
        }
    }
}
