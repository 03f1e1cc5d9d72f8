using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Tests.Server;

[Parallelizable(ParallelScope.All)]
public class ConnectionTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    private const string Post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody";
    private const string PostChunked =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\nT: v\r\n\r\n";

    [Test]
    public async Task A_connection_serves_one_request_after_the_other()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        for (int i = 0; i < 3; i++)
        {
            await client.SendAsync(Post);
            RawResponse response = await client.ReadAsync();
            Assert.That((response.Status, response.Body), Is.EqualTo((200, "body")));
            Assert.That(response["Connection"], Is.Null);
            Assert.That(response["Date"], Does.EndWith(" GMT"));
        }
    }

    [Test]
    public async Task Pipelined_requests_are_answered_in_order()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Get + Post + PostChunked + Get + Post);
        List<string> bodies = [];
        for (int i = 0; i < 5; i++)
            bodies.Add((await client.ReadAsync()).Body);
        Assert.That(bodies, Is.EqualTo(["hello", "body", "abcdefgh", "hello", "body"]));
    }

    [TestCase(Get, "hello")]
    [TestCase(Post, "body")]
    [TestCase(PostChunked, "abcdefgh")]
    [TestCase("\r\n" + Get, "hello")]
    public async Task A_request_may_be_split_at_each_position(string request, string body)
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        for (int split = 1; split < request.Length; split++)
        {
            await client.SendAsync(request[..split]);
            await Task.Yield();
            await client.SendAsync(request[split..]);
            Assert.That((await client.ReadAsync()).Body, Is.EqualTo(body), $"split at {split}");
        }
    }

    [Test]
    public async Task Requests_may_come_byte_by_byte()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        foreach (char c in PostChunked + Get)
            await client.SendAsync(c.ToString());
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("abcdefgh"));
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"));
    }

    [Test]
    public async Task A_body_of_a_megabyte_comes_back_whole()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        string body = string.Concat(Enumerable.Range(0, 1 << 18).Select(i => (char)('a' + i % 26)).SelectMany(c => new string(c, 4)));
        Task sending = client.SendAsync($"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {body.Length}\r\n\r\n{body}{Get}");
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo(body));
        await sending;
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"));
    }

    [Test]
    public async Task Head_is_answered_like_get_without_the_body()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Get);
        RawResponse head = await client.ReadAsync(toHead: true);
        Assert.That((head.Status, head["Content-Length"]), Is.EqualTo((200, "5")));
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"));
    }

    [TestCase(204)]
    [TestCase(304)]
    public async Task A_status_without_content_has_no_body_and_no_length(int status)
    {
        await using TestServer server = await TestServer.StartAsync((exchange, _) =>
        {
            exchange.Response.Status = exchange.Request.Query.IsEmpty ? status : 200;
            return exchange.Response.SendAsync("x"u8);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Get + "GET /?q HTTP/1.1\r\nHost: a\r\n\r\n");
        RawResponse response = await client.ReadAsync();
        Assert.That(response.Status, Is.EqualTo(status));
        Assert.That((response["Content-Length"], response["Transfer-Encoding"]), Is.EqualTo(((string?)null, (string?)null)));
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("x"));
    }

    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n")]
    [TestCase("GET / HTTP/1.0\r\n\r\n")]
    [TestCase("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")]
    public async Task Whoever_asks_to_close_is_answered_and_closed_and_what_follows_never_runs(string request)
    {
        int runs = 0;
        await using TestServer server = await TestServer.StartAsync((exchange, _) =>
        {
            Interlocked.Increment(ref runs);
            return exchange.Response.SendAsync("once"u8);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(request + Get + new string('x', 20000));
        RawResponse response = await client.ReadAsync();
        Assert.That((response.Status, response["Connection"], response.Body), Is.EqualTo((200, "close", "once")));
        Assert.That(await client.ReadToEndAsync(), Is.Empty);
        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public async Task A_peer_that_ended_its_side_is_answered()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Post + Get);
        client.ShutdownSend();
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("body"));
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"));
        Assert.That(await client.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task The_client_that_waits_for_100_gets_it_before_it_sends_the_body()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
        Assert.That((await client.ReadAsync()).Status, Is.EqualTo(100));
        await client.SendAsync("body");
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("body"));
        await client.SendAsync(Get);
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"));
    }

    [Test]
    public async Task Where_the_body_came_along_no_100_is_sent()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        RawResponse response = await server.AskAsync(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody");
        Assert.That((response.Status, response.Body), Is.EqualTo((200, "body")));
    }

    [Test]
    public async Task A_body_that_nobody_asked_for_ends_the_connection_after_the_answer()
    {
        await using TestServer server = await TestServer.StartAsync((exchange, _) => exchange.Response.SendAsync("no"u8));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
        RawResponse response = await client.ReadAsync();
        Assert.That((response.Status, response["Connection"], response.Body), Is.EqualTo((200, "close", "no")));
        Assert.That(await client.ReadToEndAsync(), Is.Empty);
    }

    [TestCase("Content-Length: 4\r\n\r\nbody")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")]
    public async Task A_small_body_that_nobody_read_is_read_away(string rest)
    {
        await using TestServer server = await TestServer.StartAsync((exchange, _) => exchange.Response.SendAsync("ok"u8));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\n" + rest + Get);
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("ok"));
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("ok"));
    }

    [Test]
    public async Task A_large_body_that_nobody_read_does_not_cost_the_answer()
    {
        await using TestServer server = await TestServer.StartAsync((exchange, _) => exchange.Response.SendAsync("ok"u8));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
        await client.SendAsync(new string('x', 60000));
        RawResponse response = await client.ReadAsync();
        Assert.That((response.Status, response["Connection"], response.Body), Is.EqualTo((200, "close", "ok")));
        Assert.That(await client.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task A_streamed_body_is_echoed_as_it_comes()
    {
        await using TestServer server = await TestServer.StartAsync(async (exchange, disconnected) =>
        {
            ResponseBody answer = exchange.Response.Start();
            while (true)
            {
                var read = await exchange.Request.Body.ReadAsync(disconnected);
                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                    System.Buffers.BuffersExtensions.Write(answer, piece.Span);
                exchange.Request.Body.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    break;
                await answer.FlushAsync(disconnected);
            }

            await answer.CompleteAsync(disconnected);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        // Not ReadAsync: the second half of the request depends on the first half of the answer.
        var first = new StringBuilder();
        while (!first.ToString().EndsWith("abc", StringComparison.Ordinal))
            first.Append(await client.ReadBytesAsync(1));
        await client.SendAsync("2\r\nde\r\n0\r\n\r\n");
        string rest = await client.ReadBytesAsync("\r\n2\r\nde\r\n0\r\n\r\n".Length);
        Assert.That(rest, Is.EqualTo("\r\n2\r\nde\r\n0\r\n\r\n"));
    }

    [Test]
    public async Task What_is_written_between_two_flushes_is_one_chunk()
    {
        await using TestServer server = await TestServer.StartAsync(async (exchange, disconnected) =>
        {
            ResponseBody body = exchange.Response.Start();
            await body.FlushAsync(disconnected);
            System.Buffers.BuffersExtensions.Write(body, "a"u8);
            System.Buffers.BuffersExtensions.Write(body, "b"u8);
            await body.FlushAsync(disconnected);
            System.Buffers.BuffersExtensions.Write(body, Encoding.ASCII.GetBytes(new string('c', 100_000)));
            await body.FlushAsync(disconnected);
            System.Buffers.BuffersExtensions.Write(body, "d"u8);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Get + "GET / HTTP/1.0\r\n\r\n");
        RawResponse chunked = await client.ReadAsync();
        Assert.That(chunked.Chunks, Is.EqualTo(["ab", new string('c', 100_000), "d"]));
        RawResponse old = await client.ReadAsync();
        Assert.That((old["Transfer-Encoding"], old["Connection"]), Is.EqualTo(((string?)null, "close")));
        Assert.That(old.Body, Is.EqualTo("ab" + new string('c', 100_000) + "d"));
    }

    [Test]
    public async Task To_head_a_stream_sends_no_body()
    {
        await using TestServer server = await TestServer.StartAsync((exchange, disconnected) =>
        {
            ResponseBody body = exchange.Response.Start();
            System.Buffers.BuffersExtensions.Write(body, "ab"u8);
            return body.CompleteAsync(disconnected);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Get);
        Assert.That((await client.ReadAsync(toHead: true))["Transfer-Encoding"], Is.EqualTo("chunked"));
        Assert.That((await client.ReadAsync()).Body, Is.EqualTo("ab"));
    }

    [Test]
    public async Task A_handler_that_answers_nothing_answers_with_an_empty_body()
    {
        await using TestServer server = await TestServer.StartAsync((exchange, _) =>
        {
            exchange.Response.Status = 202;
            return default;
        });
        RawResponse response = await server.AskAsync(Get);
        Assert.That((response.Status, response["Content-Length"]), Is.EqualTo((202, "0")));
    }
}
