using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>An HTTP/1.1 and WebSocket server.</summary>
public sealed class HttpServer : IAsyncDisposable
{
    private readonly List<Uri> _endpoints = [];

    /// <summary>Makes a server that does not listen yet. The router cannot be changed any more.</summary>
    public HttpServer(Router router, HttpServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(router);
        Router = router;
        Options = options ?? new HttpServerOptions();
    }

    /// <summary>Where the server listens.</summary>
    public IReadOnlyList<Uri> Endpoints => _endpoints;

    internal Router Router { get; }

    internal HttpServerOptions Options { get; }

    /// <summary>Binds one more endpoint and serves it; returns its URL, <c>http://…</c> or <c>unix:…</c>.</summary>
    /// <exception cref="IOException">The endpoint cannot be bound.</exception>
    /// <exception cref="InvalidOperationException">The server was stopped.</exception>
    public ValueTask<Uri> ListenAsync(ListenEndpoint at, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Stops accepting, closes idle connections, lets running exchanges end, closes WebSockets with 1001, and aborts
    /// whatever is left after <paramref name="grace"/> or on <paramref name="cancel"/>.</summary>
    public Task StopAsync(TimeSpan grace, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Stops without grace.</summary>
    public ValueTask DisposeAsync() => new(StopAsync(TimeSpan.Zero));
}
