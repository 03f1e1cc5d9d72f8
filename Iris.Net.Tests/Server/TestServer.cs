using System.Collections.Concurrent;
using System.Net;
using Iris.Net.Server;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Server;

/// <summary>A server on a free port.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private TestServer(Router router, HttpServerOptions options) =>
        Server = new HttpServer(router, options with { Log = line => Errors.Add(line.Exception!) });

    public HttpServer Server { get; }

    public Uri Url { get; private set; } = null!;

    public ConcurrentBag<Exception> Errors { get; } = [];

    public static async Task<TestServer> StartAsync(Action<Router> map, HttpServerOptions? options = null, ListenEndpoint? at = null)
    {
        var router = new Router();
        map(router);
        var server = new TestServer(router, options ?? new HttpServerOptions());
        server.Url = await server.Server.ListenAsync(at ?? ListenEndpoint.Tcp(IPAddress.Loopback, 0));
        return server;
    }

    public static Task<TestServer> StartAsync(HttpHandler handler, HttpServerOptions? options = null) =>
        StartAsync(router => router.Map("GET", "/", handler).Map("POST", "/", handler), options);

    public static Task<TestServer> StartEchoAsync(HttpServerOptions? options = null) => StartAsync(EchoAsync, options);

    /// <summary>Answers with the body, or with "hello" where there is none.</summary>
    public static async ValueTask EchoAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        RequestBody body = await exchange.Request.ReadBodyAsync(cancel: disconnected);
        if (body.IsComplete)
            await exchange.Response.SendAsync(body.Bytes.IsEmpty ? "hello"u8.ToArray() : body.Bytes, disconnected);
    }

    public Task<RawClient> ConnectAsync(int? receiveBuffer = null) => RawClient.ConnectAsync(Url, receiveBuffer);

    /// <summary>Sends a request on a connection of its own, and reads one response.</summary>
    public async Task<RawResponse> AskAsync(string request)
    {
        using RawClient client = await ConnectAsync();
        await client.SendAsync(request);
        return await client.ReadAsync(toHead: request.StartsWith("HEAD ", StringComparison.Ordinal));
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
