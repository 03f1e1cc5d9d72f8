using System.Diagnostics;
using Iris.Net.Server;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Server;

namespace Iris.Net.Tests.Diagnostics;

/// <summary>What the server tells of connections, requests and WebSockets.</summary>
internal sealed class ServerTelemetryTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c", Span = "b7ad6b7169203331";

    [Test]
    public async Task A_request_is_measured_by_its_route()
    {
        using Listeners listeners = new();
        await using TestServer server = await TestServer.StartAsync(router => router.Map("GET", "/a/{id}", TestServer.EchoAsync));
        await server.AskAsync("GET /a/secret?x=secret HTTP/1.1\r\nHost: a\r\n\r\n");
        await server.AskAsync("BREW /a/secret HTTP/1.1\r\nHost: a\r\n\r\n");
        await server.AskAsync("GET /b HTTP/1.0\r\n\r\n");
        string[] told = await listeners.TextsAsync("http.server.request.duration", 3);
        Assert.That(told.Select(text => text[(text.IndexOf(' ', "http.server.request.duration ".Length) + 1)..]), Is.EqualTo(new[]
        {
            "http.request.method=GET http.response.status_code=200 http.route=/a/{id} network.protocol.version=1.1 url.scheme=http",
            "http.request.method=_OTHER http.response.status_code=405 http.route=/a/{id} network.protocol.version=1.1 url.scheme=http",
            "http.request.method=GET http.response.status_code=404 network.protocol.version=1.0 url.scheme=http",
        }));
        Assert.That(listeners.Measured.Where(m => m.Name == "http.server.request.duration").Select(m => m.Value), Is.All.InRange(0, 30));
        Assert.That(listeners.Everything(), Does.Not.Contain("secret"));
    }

    [Test]
    public async Task What_is_open_is_counted_in_and_out()
    {
        using Listeners listeners = new();
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously), go = new();
        await using TestServer server = await TestServer.StartAsync(async (exchange, _) =>
        {
            entered.SetResult();
            await go.Task;
        });
        Task<Server.RawResponse> asked = server.AskAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        await entered.Task.Within();
        Assert.That(Sum("http.server.active_requests"), Is.EqualTo(1));
        Assert.That(Sum("iris.server.connections"), Is.EqualTo(1));
        go.SetResult();
        await asked;
        await Patience.Until(() => Sum("http.server.active_requests") == 0 && Sum("iris.server.connections") == 0);
        Assert.That(
            (await listeners.TextsAsync("http.server.active_requests", 2))[1],
            Is.EqualTo("http.server.active_requests -1 http.request.method=GET url.scheme=http"));
        Assert.That(
            (await listeners.TextsAsync("iris.server.connections", 2))[1], Is.EqualTo("iris.server.connections -1 network.transport=tcp"));

        double Sum(string name) => listeners.Measured.Where(m => m.Name == name).Sum(m => m.Value);
    }

    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nX: {40}\r\n\r\n", "HeadersTooLarge", "MaxRequestHeadersTotalSize")]
    [TestCase("GET /{40} HTTP/1.1\r\n", "RequestLineTooLong", "MaxRequestLineSize")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nA: b\r\n\r\n", "TooManyHeaders", "MaxRequestHeaderCount")]
    [TestCase("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", "BodyTooLarge", "MaxRequestBodySize")]
    [TestCase("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "TooManyLeadingEmptyLines", "MaxLeadingEmptyLines")]
    [TestCase(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:chunked\r\n\r\n1;{40}\r\n", "ChunkOverheadTooLarge", "MaxChunkOverhead")]
    public async Task A_broken_limit_is_counted_by_its_name(string request, string reason, string limit)
    {
        using Listeners listeners = new();
        await using TestServer server = await TestServer.StartEchoAsync(new HttpServerOptions
        {
            Limits = new HttpServerLimits
            {
                MaxRequestLineSize = 40,
                MaxRequestHeadersTotalSize = 50,
                MaxRequestHeaderCount = 2,
                MaxRequestBodySize = 10,
                MaxLeadingEmptyLines = 1,
                MaxChunkOverhead = 20,
            },
        });
        await server.AskAsync(request.Replace("{40}", new string('x', 60), StringComparison.Ordinal));
        Assert.That(
            await listeners.TextsAsync("iris.server.rejections", 1), Is.EqualTo(new[] { $"iris.server.rejections 1 iris.rejection.reason={reason}" }));
        Assert.That(await listeners.TextsAsync("iris.limit.breaches", 1), Is.EqualTo(new[] { $"iris.limit.breaches 1 iris.limit={limit}" }));
        await listeners.EventAsync($"Rejected {reason}");
        await listeners.EventAsync($"LimitBreached {limit}");
    }

    [Test]
    public async Task A_request_is_a_span_below_the_clients()
    {
        using Listeners listeners = new();
        Activity? seen = null;
        await using TestServer server = await TestServer.StartAsync(router => router.Map("GET", "/a/{id}", (exchange, _) =>
        {
            seen = Activity.Current;
            return exchange.Response.SendAsync("ok"u8);
        }));
        await server.AskAsync(
            $"GET /a/1 HTTP/1.1\r\nHost: a\r\ntraceparent: 00-{Trace}-{Span}-01\r\ntracestate: a=1\r\ntracestate: b=2\r\n\r\n");
        Activity span = await listeners.SpanAsync(_ => true);
        Assert.That(seen, Is.SameAs(span));
        Assert.That(
            (span.DisplayName, span.Kind, span.TraceId.ToHexString(), span.ParentSpanId.ToHexString(), span.TraceStateString, span.HasRemoteParent),
            Is.EqualTo(("GET /a/{id}", ActivityKind.Server, Trace, Span, "a=1,b=2", true)));
        Assert.That(span.TagObjects, Is.EquivalentTo(new Dictionary<string, object?>
        {
            ["http.request.method"] = "GET",
            ["url.scheme"] = "http",
            ["http.route"] = "/a/{id}",
            ["network.protocol.version"] = "1.1",
            ["http.response.status_code"] = 200,
        }));
        Assert.That(span.Status, Is.EqualTo(ActivityStatusCode.Unset));
    }

    [Test]
    public async Task A_bad_parent_begins_a_trace_of_its_own()
    {
        using Listeners listeners = new();
        await using TestServer server = await TestServer.StartEchoAsync();
        await server.AskAsync($"GET / HTTP/1.1\r\nHost: a\r\ntraceparent: 00-{Trace}-{Span}-0\r\ntracestate: a=1\r\n\r\n");
        Activity span = await listeners.SpanAsync(_ => true);
        Assert.That((span.TraceId.ToHexString() == Trace, span.ParentId, span.TraceStateString), Is.EqualTo((false, (string?)null, (string?)null)));
    }

    [Test]
    public async Task Whoever_started_the_server_is_nobodys_parent()
    {
        using Listeners listeners = new();
        using Activity outer = new Activity("outer").Start();
        await using TestServer server = await TestServer.StartEchoAsync();
        await server.AskAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.That((await listeners.SpanAsync(span => span != outer)).ParentId, Is.Null);
    }

    [Test]
    public async Task A_failed_handler_is_an_error_by_its_type_alone()
    {
        using Listeners listeners = new();
        await using TestServer server = await TestServer.StartAsync((_, _) => throw new InvalidOperationException("secret"));
        await server.AskAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        Activity span = await listeners.SpanAsync(_ => true);
        Assert.That(
            (span.Status, span.GetTagItem("error.type"), span.GetTagItem("http.response.status_code")),
            Is.EqualTo((ActivityStatusCode.Error, "System.InvalidOperationException", 500)));
        Assert.That(
            (await listeners.TextsAsync("http.server.request.duration", 1))[0], Does.Contain("error.type=System.InvalidOperationException"));
        Assert.That(listeners.Everything(), Does.Not.Contain("secret"));
    }

    [Test]
    public async Task A_WebSocket_is_counted_while_it_lasts_and_so_is_its_span()
    {
        using Listeners listeners = new();
        Activity? seen = null;
        await using TestServer server = await TestServer.StartAsync(router => router.MapWebSocket("/ws", async (socket, cancel) =>
        {
            seen = Activity.Current;
            await socket.ReceiveAsync(cancel);
        }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET /ws HTTP/1.1\r\nHost: a\r\n"
            + string.Concat(RawWebSocket.HandshakeFields.Select(field => field + "\r\n")) + "\r\n");
        Assert.That((await client.ReadAsync()).Status, Is.EqualTo(101));
        Assert.That((await listeners.TextsAsync("iris.server.websockets", 1))[0], Is.EqualTo("iris.server.websockets 1 "));
        Assert.That((await listeners.TextsAsync("http.server.request.duration", 1))[0], Does.Contain("status_code=101 http.route=/ws"));
        Assert.That(listeners.Spans, Is.Empty);
        await client.SendAsync(RawWebSocket.Frame(RawWebSocket.Close, []));
        Activity span = await listeners.SpanAsync(_ => true);
        Assert.That((span.DisplayName, span), Is.EqualTo(("GET /ws", seen)));
        Assert.That((await listeners.TextsAsync("iris.server.websockets", 2))[1], Is.EqualTo("iris.server.websockets -1 "));
    }

    [TestCase(RawWebSocket.Message, 9, true, "MaxWebSocketMessageSize")]
    [TestCase(RawWebSocket.Message, 1, false, "MaxFragmentsPerMessage")]
    [TestCase(RawWebSocket.Ping, 1, true, "WebSocketControlFrames")]
    public async Task A_WebSockets_broken_limit_is_counted(byte opcode, int length, bool isFinal, string limit)
    {
        using Listeners listeners = new();
        await using TestServer server = await TestServer.StartAsync(router => router.MapWebSocket(
            "/ws", async (socket, cancel) => await socket.ReceiveAsync(cancel),
            new WebSocketOptions { MaxMessageSize = 8, MaxFragmentsPerMessage = 2 }));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync("GET /ws HTTP/1.1\r\nHost: a\r\n"
            + string.Concat(RawWebSocket.HandshakeFields.Select(field => field + "\r\n")) + "\r\n");
        await client.ReadAsync();
        List<byte> frames = [.. RawWebSocket.Frame(opcode, new byte[length], isFinal)];
        for (int i = 0; i < 101; i++)
            frames.AddRange(RawWebSocket.Frame(isFinal ? opcode : RawWebSocket.Continuation, new byte[1], isFinal));
        await client.SendAsync(frames.ToArray());
        Assert.That(await listeners.TextsAsync("iris.limit.breaches", 1), Is.EqualTo(new[] { $"iris.limit.breaches 1 iris.limit={limit}" }));
    }

    [Test]
    public async Task Events_tell_of_connections_and_requests()
    {
        using Listeners listeners = new();
        await using TestServer server = await TestServer.StartEchoAsync();
        await server.AskAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        await Patience.Until(() => listeners.Written.Any(text => text.StartsWith("ConnectionStop", StringComparison.Ordinal)));
        string[] told = [.. listeners.Written];
        string number = told[0].Split(' ')[1];
        Assert.That(told, Has.Length.EqualTo(4));
        Assert.That(told[..2], Is.EqualTo(new[] { $"ConnectionStart {number} tcp", $"RequestStart {number} GET" }));
        Assert.That(told[2], Does.StartWith($"RequestStop {number} GET / 200 "));
        Assert.That(told[3], Is.EqualTo($"ConnectionStop {number}"));
    }

    [Test]
    public async Task Nothing_is_allocated_where_nobody_listens()
    {
        long allocated = -1;
        await using TestServer server = await TestServer.StartAsync((exchange, _) =>
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            RequestMeasure measure = RequestMeasure.Begin(exchange);
            measure.End(exchange, null);
            HttpInstruments.Rejected(Iris.Net.Http.RejectionReason.BodyTooLarge);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            return default;
        });
        for (int i = 0; i < 2; i++)
            await server.AskAsync("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.That(allocated, Is.Zero);
    }
}
