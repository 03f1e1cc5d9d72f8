using Iris.Net.Http;
using Iris.Net.Server;

namespace Iris.Net.Tests.Server;

[Parallelizable(ParallelScope.All)]
public class RefusalTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    private static readonly object[] Refused =
    [
        new object[] { "bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400 },
        new object[] { "no Host", "GET / HTTP/1.1\r\n\r\n", 400 },
        new object[] { "request line too long", "GET /" + new string('a', 8192) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414 },
        new object[] { "method too long", new string('A', 9000) + " / HTTP/1.1\r\n", 400 },
        new object[] { "fields too large", "GET / HTTP/1.1\r\nHost: a\r\nX: " + new string('a', 32768) + "\r\n\r\n", 431 },
        new object[] { "fields too many", "GET / HTTP/1.1\r\nHost: a\r\n" + string.Concat(Enumerable.Repeat("X: y\r\n", 100)) + "\r\n", 431 },
        new object[] { "version 2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505 },
        new object[] { "unknown coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501 },
        new object[] { "length and coding", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
        new object[] { "length not a number", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nbody", 400 },
        new object[] { "unknown expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx", 417 },
        new object[] { "body too large", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413 },
        new object[] { "body too large, 100 awaited", "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n", 413 },
        new object[] { "chunk too large", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", 413 },
        new object[] { "chunk size not hexadecimal", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5junk\r\n", 400 },
    ];

    [TestCaseSource(nameof(Refused))]
    public async Task The_server_refuses_answers_and_closes(string harm, string request, int status)
    {
        int runs = 0;
        await using TestServer server = await TestServer.StartAsync((exchange, disconnected) =>
        {
            Interlocked.Increment(ref runs);
            return TestServer.EchoAsync(exchange, disconnected);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(request + Get + new string('x', 10000));
        RawResponse response = await client.ReadAsync();
        Assert.That((response.Status, response["Connection"]), Is.EqualTo((status, "close")), harm);
        Assert.That(response["Content-Type"], Is.EqualTo("text/plain"));
        Assert.That(await client.ReadToEndAsync(), Is.Empty);
        Assert.That(runs, Is.LessThanOrEqualTo(1), "the second request never runs");
        Assert.That(server.Errors, Is.Empty);
    }

    [TestCase("GET / HTTP/1.1\r\nHost: ")]
    [TestCase("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbod")]
    [TestCase("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n")]
    public async Task A_request_that_ends_too_early_is_told_so(string request)
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(request);
        client.ShutdownSend();
        Assert.That((await client.ReadAsync()).Status, Is.EqualTo(400));
        Assert.That(await client.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task The_hook_writes_the_body_of_a_refusal()
    {
        List<(string?, RejectionReason)> told = [];
        await using TestServer server = await TestServer.StartEchoAsync(new HttpServerOptions
        {
            OnRejected = (request, response, reason) =>
            {
                told.Add((request?.Method, reason));
                response.Headers.Add("Content-Type"u8, "application/json"u8);
                Assert.That(() => response.SendAsync("x"u8), Throws.InvalidOperationException);
                return "{}"u8.ToArray();
            },
        });
        RawResponse head = await server.AskAsync("GET  / HTTP/1.1\r\n\r\n");
        RawResponse body = await server.AskAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
        Assert.That((head.Status, head["Content-Type"], head.Body), Is.EqualTo((400, "application/json", "{}")));
        Assert.That((body.Status, body["Content-Type"], body.Body), Is.EqualTo((413, "application/json", "{}")));
        Assert.That(told, Is.EqualTo(new (string?, RejectionReason)[]
        {
            (null, RejectionReason.MalformedRequestLine), ("POST", RejectionReason.BodyTooLarge),
        }));
    }

    [Test]
    public async Task A_handler_that_throws_before_it_answers_is_500_and_reported()
    {
        await using TestServer server = await TestServer.StartAsync((exchange, _) =>
        {
            exchange.Response.Headers.Add("X-Secret"u8, "x"u8);
            throw new InvalidOperationException("secret");
        });
        RawResponse response = await server.AskAsync(Get);
        Assert.That((response.Status, response["X-Secret"], response["Connection"]), Is.EqualTo((500, (string?)null, "close")));
        Assert.That(response.Body, Does.Not.Contain("secret"));
        Assert.That(server.Errors.Single().Message, Is.EqualTo("secret"));
    }

    [Test]
    public async Task A_handler_that_throws_while_it_answers_ends_the_connection_so_that_the_client_can_tell()
    {
        await using TestServer server = await TestServer.StartAsync(async (exchange, disconnected) =>
        {
            ResponseBody body = exchange.Response.Start();
            System.Buffers.BuffersExtensions.Write(body, "half"u8);
            await body.FlushAsync(disconnected);
            throw new InvalidOperationException("too late");
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Get);
        Assert.That(async () => await client.ReadAsync(), Throws.Exception);
        Assert.That(server.Errors.Single().Message, Is.EqualTo("too late"));
    }

    [Test]
    public async Task An_exchange_that_is_over_cannot_be_used()
    {
        HttpExchange? kept = null;
        await using TestServer server = await TestServer.StartAsync((exchange, _) =>
        {
            kept = exchange;
            return exchange.Response.SendAsync("x"u8);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Get + "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
        await client.ReadAsync();
        Assert.That((await client.ReadAsync()).Status, Is.EqualTo(404));
        Assert.That(() => kept!.Request, Throws.InvalidOperationException.After(20_000, 10));
    }

    [TestCase("content-length")]
    [TestCase("Transfer-Encoding")]
    [TestCase("Date")]
    [TestCase("Connection")]
    [TestCase("a b")]
    [TestCase("")]
    public async Task A_handler_cannot_set_what_is_the_servers(string name)
    {
        await using TestServer server = await TestServer.StartAsync((exchange, _) =>
        {
            Assert.That(() => exchange.Response.Headers.Add(System.Text.Encoding.ASCII.GetBytes(name), "1"), Throws.ArgumentException);
            Assert.That(() => exchange.Response.Headers.Add("x"u8, "a\r\nb: c"), Throws.ArgumentException);
            return exchange.Response.SendAsync("fine"u8);
        });
        Assert.That((await server.AskAsync(Get)).Body, Is.EqualTo("fine"));
    }

    [Test]
    public async Task A_handler_that_returns_before_its_read_ended_is_reported_and_cut()
    {
        await using TestServer server = await TestServer.StartAsync((exchange, disconnected) =>
        {
            _ = exchange.Request.ReadBodyAsync(cancel: disconnected).AsTask();
            return exchange.Response.SendAsync("early"u8, disconnected);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
        Assert.That(async () => await client.ReadToEndAsync(), Throws.Exception);
        Assert.That(server.Errors.Single(), Is.InstanceOf<InvalidOperationException>());
    }

    [Test]
    public void A_limit_is_more_than_zero() => Assert.Multiple(() =>
    {
        Assert.That(() => new HttpServerLimits { MaxDrain = 0 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new HttpServerLimits { MaxConcurrentConnections = -1 }, Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => new HttpServerLimits { DrainTimeout = TimeSpan.Zero }, Throws.InstanceOf<ArgumentOutOfRangeException>());
    });
}
