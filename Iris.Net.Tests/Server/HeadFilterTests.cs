using Iris.Net.Server;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Server;

/// <summary>Connections whose first head has not come yet.</summary>
[Platform("Linux"), Parallelizable(ParallelScope.All)]
public class HeadFilterTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";

    [Test]
    public async Task A_first_request_may_be_split_at_each_position_and_costs_a_filter_alone_until_its_head_is_whole()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        int head = Post.Length - 4;
        for (int split = 1; split < Post.Length; split++)
        {
            using RawClient client = await server.ConnectAsync();
            await client.SendAsync(Post[..split]);
            Wait wait = split < head ? Wait.Head : Wait.Body;
            await AwaitAsync(server, peer => peer.WaitsFor == wait);
            Assert.That(server.Server.Deadlines.Snapshot().Single(), split < head ? Is.TypeOf<HeadFilter>() : Is.TypeOf<HttpConnection>());
            await client.SendAsync(Post[split..] + Get);
            Assert.That((await client.ReadAsync()).Body, Is.EqualTo("body"), $"split at {split}");
            Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"), $"split at {split}");
            client.Dispose();
            await AwaitNobodyAsync(server);
        }
    }

    [TestCase(BlockPool.BlockSize - 1)]
    [TestCase(BlockPool.BlockSize)]
    [TestCase(BlockPool.BlockSize + 1)]
    [TestCase(3 * BlockPool.BlockSize)]
    public async Task A_first_head_may_fill_its_block_and_more(int size)
    {
        const string start = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
        string head = start + new string('x', size - start.Length - 4) + "\r\n\r\n";
        await using TestServer server = await TestServer.StartEchoAsync();
        foreach (int first in (int[])[1, BlockPool.BlockSize - 1, BlockPool.BlockSize, size - 1, size])
        {
            using RawClient client = await server.ConnectAsync();
            await client.SendAsync(head[..Math.Min(first, size)]);
            await AwaitAsync(server, peer => peer.WaitsFor is not Wait.FirstByte);
            await client.SendAsync(head[Math.Min(first, size)..]);
            Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"), $"{first} bytes first");
            client.Dispose();
            await AwaitNobodyAsync(server);
        }
    }

    [TestCase("", "")]
    [TestCase("GET / HT", "400")]
    [TestCase(Get, "200")]
    public async Task Whoever_ends_its_side_gets_the_answer_to_what_it_sent(string sent, string status)
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        for (int run = 0; run < 20; run++)
        {
            using RawClient client = await server.ConnectAsync();
            if (run % 2 == 0)
                await AwaitAsync(server, peer => peer.WaitsFor == Wait.FirstByte);
            await client.SendAsync(sent);
            client.ShutdownSend();
            Assert.That(await client.ReadToEndAsync(), status.Length == 0 ? Is.Empty : Does.StartWith($"HTTP/1.1 {status} "));
            await AwaitNobodyAsync(server);
        }

        Assert.That(server.Errors, Is.Empty);
    }

    [Test]
    public async Task A_reset_peer_is_gone_at_once()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        foreach (string sent in (string[])["", "G", "GET / HTTP/1.1\r\nHos"])
        {
            using RawClient client = await server.ConnectAsync();
            await client.SendAsync(sent);
            await AwaitAsync(server, peer => peer.WaitsFor == (sent.Length == 0 ? Wait.FirstByte : Wait.Head));
            client.Reset();
            await AwaitNobodyAsync(server);
        }

        Assert.That(server.Errors, Is.Empty);
    }

    [Test]
    public async Task Peers_that_sent_nothing_count_as_connections_and_one_too_many_is_told_so()
    {
        await using TestServer server = await TestServer.StartEchoAsync(
            new HttpServerOptions { Limits = new HttpServerLimits { MaxConcurrentConnections = 2 } });
        using RawClient silent = await server.ConnectAsync();
        using RawClient slow = await server.ConnectAsync();
        await slow.SendAsync(Get[..9]);
        await Patience.Until(() => server.Server.Deadlines.Count == 2);
        using (RawClient third = await server.ConnectAsync())
        {
            Assert.That((await third.ReadAsync()).Status, Is.EqualTo(503));
            Assert.That(await third.ReadToEndAsync(), Is.Empty);
        }

        await slow.SendAsync(Get[9..]);
        Assert.That((await slow.ReadAsync()).Status, Is.EqualTo(200));
        silent.Reset();
        await Patience.Until(() => server.Server.Deadlines.Count == 1);
        Assert.That((await server.AskAsync(Get)).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_server_that_stops_closes_the_silent_and_serves_whoever_has_begun()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient silent = await server.ConnectAsync();
        using RawClient slow = await server.ConnectAsync();
        await slow.SendAsync(Get[..9]);
        await Patience.Until(() =>
            server.Server.Deadlines.Count == 2 && server.Server.Deadlines.Snapshot().Any(peer => ((IPeer)peer).WaitsFor == Wait.Head));
        Task stopping = server.Server.StopAsync(TimeSpan.FromMinutes(5));
        Assert.That(await silent.ReadToEndAsync(), Is.Empty);
        await slow.SendAsync(Get[9..]);
        RawResponse answer = await slow.ReadAsync();
        Assert.That((answer.Status, answer["Connection"]), Is.EqualTo((200, "close")));
        slow.Dispose();
        await stopping;
        Assert.That(server.Errors, Is.Empty);
    }

    [Test]
    public async Task A_head_that_does_not_come_within_the_grace_is_cut_off()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient slow = await server.ConnectAsync();
        await slow.SendAsync(Get[..9]);
        await AwaitAsync(server, peer => peer.WaitsFor == Wait.Head);
        await server.Server.StopAsync(TimeSpan.Zero);
        Assert.That(async () => await slow.ReadToEndAsync(), Throws.Exception);
    }

    [Test]
    public async Task Of_the_last_bytes_and_the_clock_exactly_one_comes_first()
    {
        for (int run = 0; run < 100; run++)
        {
            var time = new ManualTime();
            await using TestServer server = await TestServer.StartEchoAsync(new HttpServerOptions { Time = time });
            using RawClient client = await server.ConnectAsync();
            await client.SendAsync(Get[..9]);
            await AwaitAsync(server, peer => peer.WaitsFor == Wait.Head);
            Task late = Task.Run(() => time.Advance(31));
            await client.SendAsync(Get[9..].Replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", StringComparison.Ordinal));
            Assert.That((await client.ReadAsync()).Status, Is.EqualTo(200).Or.EqualTo(408));
            await late;
            Assert.That(await client.ReadToEndAsync(), Is.Empty);
            Assert.That(server.Errors, Is.Empty);
        }
    }

    // Pieces without a pause: their edges come to several threads at once, around the moment at which the head is whole.
    [Test]
    public async Task Nothing_is_lost_between_the_filter_and_the_connection()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (run, _) =>
        {
            using RawClient client = await server.ConnectAsync();
            string all = Post + Get + Post;
            int piece = 1 + run % 60;
            for (int at = 0; at < all.Length; at += piece)
                await client.SendAsync(all[at..Math.Min(all.Length, at + piece)]);
            client.ShutdownSend();
            Assert.That((await client.ReadAsync()).Body, Is.EqualTo("body"));
            Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"));
            Assert.That((await client.ReadAsync()).Body, Is.EqualTo("body"));
            Assert.That(await client.ReadToEndAsync(), Is.Empty);
        });
        await AwaitNobodyAsync(server);
        Assert.That(server.Errors, Is.Empty);
    }

    private static Task AwaitAsync(TestServer server, Func<IPeer, bool> isSo) =>
        Patience.Until(() => server.Server.Deadlines.Snapshot() is [IPeer peer] && isSo(peer));

    private static Task AwaitNobodyAsync(TestServer server) => Patience.Until(() => server.Server.Deadlines.Count == 0);
}
