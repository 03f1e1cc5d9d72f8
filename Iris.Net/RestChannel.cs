using System.Net;
using Iris.Net.Endpoints;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.Transport;

namespace Iris.Net;

/// <summary>Serves durable sessions over HTTP, server-sent events and WebSocket, inside this process:
/// <c>await using var channel = new RestChannel(adapter); await channel.ListenAsync();</c></summary>
public sealed class RestChannel : IAsyncDisposable
{
    // What a reply that is ready still needs to leave, once the last turn is over.
    private static readonly TimeSpan LeastReplyGrace = TimeSpan.FromSeconds(5);

    private readonly RestChannelOptions _options;
    private readonly ListenEndpoint[] _listen;
    private readonly IPAddress _bind;
    private readonly IStateStore? _ownStore;
    private readonly SessionHost _sessions;
    private readonly HttpServer _server;
    private Task? _stopped;

    /// <summary>Makes a channel that does not listen yet.</summary>
    /// <param name="adapter">Runs the turns; <see cref="HostAdapter.Create"/> makes one of a function.</param>
    /// <param name="options">How the channel behaves.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public RestChannel(IHostAdapter adapter, RestChannelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        _options = options ?? new RestChannelOptions();
        Check(_options);
        _listen = [.. _options.Listen.Count > 0 ? _options.Listen : Simple(_options)];
        // One endpoint that others reach makes the channel one that others reach.
        _bind = _listen.Select(at => at.Address).FirstOrDefault(address => address is not null && !IPAddress.IsLoopback(address))
            ?? IPAddress.Loopback;
        IStateStore store = _options.Store ?? (_ownStore = new MemoryStateStore(time: _options.Time));
        _sessions = new SessionHost(new SessionSettings
        {
            Adapter = adapter,
            Store = store,
            Time = _options.Time,
            TurnTimeout = _options.TurnTimeout,
            MaxConcurrentTurns = _options.Limits.MaxConcurrentTurns,
            MaxStepsPerTurn = _options.Limits.MaxStepsPerTurn,
            MaxDeltaMemory = _options.Compatibility == Compatibility.Full ? _options.Limits.MaxDeltaMemory : 0,
            MaxReadersPerSession = _options.Limits.MaxReadersPerSession,
            SseHeartbeat = _options.Limits.SseHeartbeat,
            Keys = _options.Keys,
            SessionTtl = _options.SessionTtl,
            ContendedRetry = _options.ContendedRetry,
            Receipts = _options.Receipts && _options.Compatibility == Compatibility.Full,
            MintSessionId = _options.MintSessionId,
            MintToken = _options.MintToken,
            Queue = LoopThreads.Queue,
            Failed = LogFailure,
        });
        ChannelWire wire = new(
            _sessions, _options.Compatibility == Compatibility.SeedExact, _options.ExposeErrors, _options.Limits.MaxJsonDepth);
        HostNames hosts = new(_bind, _options.AllowedHosts);
        Access access = new(
            wire, hosts, new CrossOrigin(hosts, new AllowedOrigins(_options.AllowedOrigins)), _options.Authorize,
            (id, e) => Log(ChannelLogLevel.Error, $"Authorize threw (errorId={id})", e));
        bool servesSockets = adapter.Capabilities.WebSockets;
        SessionRoutes routes = new(wire, access, new Discovery(wire, servesSockets, Extensions(_options), Numbers(_options)), servesSockets, _options.AdminAuthorize);
        Router router = new();
        routes.MapTo(router, new WebSocketOptions
        {
            AcceptBinary = false,
            Compression = _options.WebSocketCompression,
            MaxMessageSize = _options.Limits.MaxWebSocketMessageSize,
            MaxFragmentsPerMessage = _options.Limits.MaxFragmentsPerMessage,
        });
        _server = new HttpServer(router, new HttpServerOptions
        {
            Limits = _options.Limits.Http,
            Time = _options.Time,
            Before = routes.CheckAsync,
            OnRejected = routes.Reject,
            OnUpgradeRefused = routes.RejectUpgrade,
            Log = _options.Log,
        });
    }

    /// <summary>The URLs that the channel listens on.</summary>
    public IReadOnlyList<Uri> Endpoints => _server.Endpoints;

    /// <summary>Binds the configured endpoints and serves them; returns the first one's URL.</summary>
    /// <exception cref="IOException">An endpoint cannot be bound.</exception>
    /// <exception cref="InvalidOperationException">The channel listens already, or was stopped.</exception>
    public async ValueTask<Uri> ListenAsync(CancellationToken cancel = default)
    {
        if (Endpoints.Count > 0)
            throw new InvalidOperationException("The channel listens already.");
        if (!IPAddress.IsLoopback(_bind) && _options.AllowedHosts.Count == 0)
            Log(ChannelLogLevel.Warning, "AllowedHosts is empty: requests for any host are served");
        await _sessions.OpenAsync(cancel).ConfigureAwait(false);
        Uri? first = null;
        foreach (ListenEndpoint at in _listen)
        {
            Uri url = await _server.ListenAsync(at, cancel).ConfigureAwait(false);
            first ??= url;
        }

        foreach (Uri endpoint in Endpoints)
            Log(ChannelLogLevel.Information, $"listening on {endpoint}");
        return first!;
    }

    /// <summary>Refuses new turns, lets running ones end for <see cref="RestChannelOptions.ShutdownGrace"/>, aborts the others,
    /// and closes all connections. On <paramref name="cancel"/> it does not wait.</summary>
    public Task StopAsync(CancellationToken cancel = default)
    {
        lock (_sessions)
            return _stopped ??= DrainAsync(cancel);
    }

    /// <summary>Stops, and disposes the store where it is the channel's own.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await _server.DisposeAsync().ConfigureAwait(false);
        await _sessions.DisposeAsync().ConfigureAwait(false);
        if (_ownStore is not null)
            await _ownStore.DisposeAsync().ConfigureAwait(false);
    }

    private async Task DrainAsync(CancellationToken cancel)
    {
        Log(ChannelLogLevel.Information, "stopping");
        long begun = _options.Time.GetTimestamp();
        using CancellationTokenSource grace = new(_options.ShutdownGrace, _options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(grace.Token, cancel);
        await _sessions.DrainAsync(either.Token).ConfigureAwait(false);
        TimeSpan left = _options.ShutdownGrace - _options.Time.GetElapsedTime(begun);
        await _server.StopAsync(left > LeastReplyGrace ? left : LeastReplyGrace, cancel).ConfigureAwait(false);
        Log(ChannelLogLevel.Information, "stopped");
    }

    private void Log(ChannelLogLevel level, string text, Exception? e = null, string category = "Iris.Net.Channel") =>
        ChannelLog.Tell(_options.Log, level, category, text, e);

    private void LogFailure(string what, Exception e, string? session)
    {
        (ChannelLogLevel level, string text) = what switch
        {
            "store" => (ChannelLogLevel.Error, "the store failed"),
            "lease" => (ChannelLogLevel.Warning, "a lease could not be renewed"),
            "aborted" => (ChannelLogLevel.Warning, "a turn was aborted"),
            "admin" => (ChannelLogLevel.Error, "AdminAuthorize threw"),
            "abandoned" => (ChannelLogLevel.Warning, "a program that was given up threw"),
            _ => (ChannelLogLevel.Error, $"a turn failed (errorId={what})"),
        };
        Log(level, session is null ? text : $"{text} (session={session})", e, "Iris.Net.Turns");
    }

    private static IEnumerable<string> Extensions(RestChannelOptions options) =>
    [
        "refusal-codes", "problem-json", "ready", "openapi", "idempotency-key", "respond-async", "resume", "cancel", "interrupt", "read-back",
        "delete", "attach", "tickets", "strict",
        .. options.Receipts ? ["receipts"] : Array.Empty<string>(),
        .. options.AllowedOrigins.Count > 0 ? ["cors"] : Array.Empty<string>(),
        .. options.Authorize is not null ? ["principals"] : Array.Empty<string>(),
    ];

    private static IEnumerable<(string Name, long Value)> Numbers(RestChannelOptions options) =>
    [
        ("maxRequestLineSize", options.Limits.Http.MaxRequestLineSize),
        ("maxRequestHeadersTotalSize", options.Limits.Http.MaxRequestHeadersTotalSize),
        ("maxRequestHeaderCount", options.Limits.Http.MaxRequestHeaderCount),
        ("maxRequestBodySize", options.Limits.Http.MaxRequestBodySize),
        ("maxJsonDepth", options.Limits.MaxJsonDepth),
        ("maxSessionIdLength", SessionId.MaxLength),
        ("maxTokenLength", Minting.MaxTokenLength),
        ("maxConcurrentTurns", options.Limits.MaxConcurrentTurns),
        ("maxStepsPerTurn", options.Limits.MaxStepsPerTurn),
        ("turnTimeoutSeconds", (long)options.TurnTimeout.TotalSeconds),
        ("maxWebSocketMessageSize", options.Limits.MaxWebSocketMessageSize),
        ("maxFragmentsPerMessage", options.Limits.MaxFragmentsPerMessage),
    ];

    private static IEnumerable<ListenEndpoint> Simple(RestChannelOptions options)
    {
        yield return ListenEndpoint.Tcp(AddressOf(options.Host), options.Port) with { Certificate = options.Certificate };
        if (options.UnixSocketPath is { } path)
            yield return ListenEndpoint.UnixSocket(path);
    }

    private static IPAddress AddressOf(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback : IPAddress.Parse(host);

    private static void Check(RestChannelOptions options)
    {
        if (options.Port is < 0 or > IPEndPoint.MaxPort)
            throw new ArgumentException($"Port is 0 to {IPEndPoint.MaxPort}, not {options.Port}.", nameof(options));
        if (!options.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) && !IPAddress.TryParse(options.Host, out _))
            throw new ArgumentException($"Host is an IP address or localhost, not '{options.Host}'.", nameof(options));
        if (options.Listen.Count > 0 && (options.UnixSocketPath is not null || options.Certificate is not null))
            throw new ArgumentException("Listen stands instead of UnixSocketPath and Certificate.", nameof(options));
        if (options.TurnTimeout <= TimeSpan.Zero)
            throw new ArgumentException("TurnTimeout is more than zero.", nameof(options));
        if (options.SessionTtl <= TimeSpan.Zero)
            throw new ArgumentException("SessionTtl is more than zero.", nameof(options));
        if (options.Keys.Any(key => key.Length < ChannelKey.LeastSize))
            throw new ArgumentException($"A key has at least {ChannelKey.LeastSize} bytes.", nameof(options));
        if (options.ShutdownGrace < TimeSpan.Zero || options.ContendedRetry < TimeSpan.Zero)
            throw new ArgumentException("ShutdownGrace and ContendedRetry are not negative.", nameof(options));
        if (options.Limits.MaxJsonDepth is < 1 or > 64)
            throw new ArgumentException("MaxJsonDepth is 1 to 64.", nameof(options));
        if (options.Limits.MaxDeltaMemory < 0 || options.Limits.MaxReadersPerSession < 1 || options.Limits.SseHeartbeat <= TimeSpan.Zero)
            throw new ArgumentException("MaxDeltaMemory is not negative, MaxReadersPerSession at least 1, SseHeartbeat more than zero.", nameof(options));
        if (options.Limits.MaxConcurrentTurns < 1 || options.Limits.MaxStepsPerTurn < 1)
            throw new ArgumentException("MaxConcurrentTurns and MaxStepsPerTurn are at least 1.", nameof(options));
    }
}
