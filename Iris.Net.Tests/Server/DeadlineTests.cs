using Iris.Net.Server;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Server;

[Parallelizable(ParallelScope.All)]
public class DeadlineTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    [TestCase("", 30, 0)]
    [TestCase(Get, 120, 0)]
    [TestCase("GET / HT", 30, 408)]
    [TestCase("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\nxy", 5, 408)]
    [TestCase("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo", 5, 408)]
    public async Task A_peer_that_stops_is_cut_in_time_and_not_earlier(string sent, int seconds, int status)
    {
        var time = new ManualTime();
        await using TestServer server = await TestServer.StartEchoAsync(new HttpServerOptions { Time = time });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(sent);
        if (sent == Get)
            await client.ReadAsync();
        await AwaitAsync(server, sent);
        time.Advance(seconds - 1);
        Assert.That(client.Socket.Poll(TimeSpan.FromMilliseconds(50), System.Net.Sockets.SelectMode.SelectRead), Is.False);
        time.Advance(2);
        if (status != 0)
        {
            RawResponse response = await client.ReadAsync();
            Assert.That((response.Status, response["Connection"]), Is.EqualTo((status, "close")));
        }

        Assert.That(await client.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task A_body_that_is_fast_enough_may_take_its_time_until_the_whole_request_must_be_there()
    {
        var time = new ManualTime();
        await using TestServer server = await TestServer.StartEchoAsync(new HttpServerOptions { Time = time });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
        await client.SendAsync(new string('x', 90000));
        await Patience.Until(() => server.Server.Deadlines.Snapshot() is [HttpConnection { BodyReceived: 90000, WaitsFor: Wait.Body }]);
        time.Advance(299);
        Assert.That(client.Socket.Poll(TimeSpan.FromMilliseconds(50), System.Net.Sockets.SelectMode.SelectRead), Is.False);
        time.Advance(2);
        Assert.That((await client.ReadAsync()).Status, Is.EqualTo(408));
    }

    [Test]
    public async Task A_peer_that_takes_nothing_is_aborted()
    {
        var time = new ManualTime();
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously), cut = new();
        await using TestServer server = await TestServer.StartAsync(
            async (exchange, disconnected) =>
            {
                disconnected.Register(cut.SetResult);
                begun.SetResult();
                await exchange.Response.SendAsync(new byte[16 * 1024 * 1024], disconnected);
            },
            new HttpServerOptions { Time = time });
        using RawClient client = await server.ConnectAsync(receiveBuffer: 4096);
        await client.SendAsync(Get);
        await begun.Task;
        // The clock starts to count when the send stands still, which only the ticks themselves see.
        await Patience.Until(() =>
        {
            time.Advance(1);
            return cut.Task.IsCompleted;
        });

        Assert.That(async () => await client.ReadToEndAsync(), Throws.Exception);
        Assert.That(server.Errors, Is.Empty);
    }

    // Until the server has read what was sent, and waits.
    private static async Task AwaitAsync(TestServer server, string sent)
    {
        Wait wait = sent switch
        {
            "" => Wait.FirstByte,
            Get => Wait.NextRequest,
            _ when sent.StartsWith("GET", StringComparison.Ordinal) => Wait.Head,
            _ => Wait.Body,
        };
        await Patience.Until(() => server.Server.Deadlines.Snapshot() is [IPeer peer] && peer.WaitsFor == wait
            && !(wait == Wait.Body && peer is HttpConnection { BodyReceived: 0 }));
    }
}
