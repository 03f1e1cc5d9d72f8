using Iris.Net.Server;

namespace Iris.Net.Tests.Server;

[Parallelizable(ParallelScope.All)]
public class StopTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    [Test]
    public async Task Idle_connections_are_closed_and_running_exchanges_end_first()
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously), finish = new();
        await using TestServer server = await TestServer.StartAsync(async (exchange, disconnected) =>
        {
            if (!exchange.Request.Query.IsEmpty)
            {
                begun.SetResult();
                await finish.Task;
            }

            await exchange.Response.SendAsync("done"u8, disconnected);
        });
        using RawClient fresh = await server.ConnectAsync();
        using RawClient idle = await server.ConnectAsync();
        await idle.SendAsync(Get);
        await idle.ReadAsync();
        using RawClient busy = await server.ConnectAsync();
        await busy.SendAsync("GET /?wait HTTP/1.1\r\nHost: a\r\n\r\n");
        await begun.Task;

        Task stopping = server.Server.StopAsync(Long);
        Assert.That(await idle.ReadToEndAsync(), Is.Empty);
        Assert.That(await fresh.ReadToEndAsync(), Is.Empty);
        Assert.That(stopping.IsCompleted, Is.False);
        Assert.That(async () => await server.ConnectAsync(), Throws.Exception);
        finish.SetResult();
        RawResponse last = await busy.ReadAsync();
        Assert.That((last.Body, last["Connection"]), Is.EqualTo(("done", "close")));
        busy.Dispose();
        await stopping;
        Assert.That(server.Errors, Is.Empty);
    }

    [Test]
    public async Task What_does_not_end_in_time_is_aborted()
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously),
            cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(async (_, disconnected) =>
        {
            disconnected.Register(cancelled.SetResult);
            begun.SetResult();
            await cancelled.Task;
            disconnected.ThrowIfCancellationRequested();
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Get);
        await begun.Task;
        await server.Server.StopAsync(TimeSpan.Zero);
        Assert.That(cancelled.Task.IsCompleted, Is.True);
        Assert.That(async () => await client.ReadToEndAsync(), Throws.Exception);
    }

    [Test]
    public async Task Idle_WebSockets_are_told_1001_and_busy_ones_when_they_are_done()
    {
        TaskCompletionSource finish = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(router => router.MapWebSocket("/ws", async (socket, disconnected) =>
        {
            while (await socket.ReceiveAsync(disconnected) is { Kind: WebSocketMessageKind.Text })
            {
                socket.IsBusy = true;
                await socket.SendTextAsync("begun"u8, disconnected);
                await finish.Task;
                await socket.SendTextAsync("ended"u8, disconnected);
                socket.IsBusy = false;
            }
        }));
        using RawClient idle = await server.ConnectAsync();
        await idle.SendAsync(Upgrade);
        await idle.ReadAsync();
        using RawClient busy = await server.ConnectAsync();
        await busy.SendAsync(Upgrade);
        await busy.SendAsync("\u0081\u0081\0\0\0\0x");
        await busy.ReadAsync();
        Assert.That(await busy.ReadBytesAsync(7), Is.EqualTo("\u0081\u0005begun"));

        Task stopping = server.Server.StopAsync(Long);
        Assert.That(await idle.ReadBytesAsync(4), Is.EqualTo("\u0088\u0002\u0003\u00E9"));
        await idle.SendAsync("\u0088\u0080\0\0\0\0");
        Assert.That(await idle.ReadToEndAsync(), Is.Empty);
        finish.SetResult();
        Assert.That(await busy.ReadBytesAsync(11), Is.EqualTo("\u0081\u0005ended\u0088\u0002\u0003\u00E9"));
        await busy.SendAsync("\u0088\u0080\0\0\0\0");
        Assert.That(await busy.ReadToEndAsync(), Is.Empty);
        await stopping;
    }

    [Test]
    public async Task Connections_over_the_limit_are_told_503()
    {
        await using TestServer server = await TestServer.StartEchoAsync(
            new HttpServerOptions { Limits = new HttpServerLimits { MaxConcurrentConnections = 1 } });
        using RawClient first = await server.ConnectAsync();
        await first.SendAsync(Get);
        await first.ReadAsync();
        using (RawClient second = await server.ConnectAsync())
        {
            Assert.That((await second.ReadAsync()).Status, Is.EqualTo(503));
            Assert.That(await second.ReadToEndAsync(), Is.Empty);
        }

        await first.SendAsync(Get);
        Assert.That((await first.ReadAsync()).Body, Is.EqualTo("hello"));
    }

    [Test]
    public async Task A_second_stop_is_the_first_and_disposing_ends_its_grace()
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await TestServer.StartAsync(async (_, disconnected) =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, disconnected);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Get);
        await begun.Task;
        Task first = server.Server.StopAsync(Long);
        Assert.That(server.Server.StopAsync(TimeSpan.Zero), Is.SameAs(first));
        Assert.That(first.IsCompleted, Is.False);
        await server.Server.DisposeAsync();
        Assert.That(first.IsCompletedSuccessfully, Is.True);
    }
}
