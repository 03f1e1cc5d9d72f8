using System.Text.Json;
using Iris.Net.Server;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a client can find out about the server itself.</summary>
public sealed class DiscoveryTests
{
    private Channel _channel = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _channel = await Channel.StartAsync(Programs.Count);

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    [Test]
    public async Task Says_what_it_can_do_and_how_much()
    {
        RawResponse reply = await _channel.AskAsync(RawRequest.Get("/v1"));
        Assert.That(reply.Status, Is.EqualTo(200));
        WireForm.CheckReply(reply);
        Assert.That(reply.Text, Is.EqualTo("""
            {"protocol":"iris-rest/1","extensions":["refusal-codes","problem-json","ready","openapi","idempotency-key","respond-async","resume","cancel","interrupt","read-back","delete","attach","tickets","strict","receipts"],"limits":{"maxRequestLineSize":8192,"maxRequestHeadersTotalSize":32768,"maxRequestHeaderCount":100,"maxRequestBodySize":1048576,"maxJsonDepth":64,"maxSessionIdLength":128,"maxTokenLength":512,"maxConcurrentTurns":1000,"maxStepsPerTurn":10000,"turnTimeoutSeconds":900,"maxWebSocketMessageSize":1048576,"maxFragmentsPerMessage":1024},"websockets":true}
            """));
    }

    [Test]
    public async Task Says_what_is_configured()
    {
        await using Channel channel = await Channel.StartAsync(new NoWebSockets(), options => options with
        {
            AllowedOrigins = ["https://app.example"],
            Authorize = (_, _) => ValueTask.FromResult(AuthorizeResult.Allow("ann")),
            TurnTimeout = TimeSpan.FromSeconds(7),
            Limits = new RestChannelLimits { MaxJsonDepth = 5, Http = new() { MaxRequestBodySize = 77 } },
        });
        JsonElement about = (await channel.AskAsync(RawRequest.Get("/v1"))).Json;
        Assert.That(about.GetProperty("websockets").GetBoolean(), Is.False);
        Assert.That(
            about.GetProperty("extensions").EnumerateArray().Select(e => e.GetString()), Is.SupersetOf((string[])["cors", "principals"]));
        JsonElement limits = about.GetProperty("limits");
        Assert.That(
            (limits.GetProperty("maxJsonDepth").GetInt32(), limits.GetProperty("maxRequestBodySize").GetInt32(), limits.GetProperty("turnTimeoutSeconds").GetInt32()),
            Is.EqualTo((5, 77, 7)));
    }

    [Test]
    public async Task Describes_itself_as_OpenAPI()
    {
        RawResponse reply = await _channel.AskAsync(RawRequest.Get("/v1/openapi.json"));
        Assert.That((reply.Status, reply.Json.GetProperty("openapi").GetString()), Is.EqualTo((200, "3.1.0")));
        WireForm.CheckReply(reply);
    }

    [TestCase("/v1")]
    [TestCase("/v1/health")]
    [TestCase("/v1/ready")]
    [TestCase("/v1/openapi.json")]
    public async Task HEAD_is_GET_without_the_body(string path)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        RawResponse head = await connection.AskAsync(new RawRequest("HEAD", path));
        RawResponse get = await connection.AskAsync(RawRequest.Get(path));
        Assert.That((head.Status, head.Body, get.Body), Is.EqualTo((200, Array.Empty<byte>(), get.Body)));
        Assert.That(get.Body, Is.Not.Empty);
        Assert.That(
            head.Head.Fields.Where(field => field.Key != "Date"), Is.EqualTo(get.Head.Fields.Where(field => field.Key != "Date")));
    }

    [TestCase("/v1", "GET, HEAD")]
    [TestCase("/v1/health", "GET, HEAD")]
    [TestCase("/v1/ready", "GET, HEAD")]
    [TestCase("/v1/openapi.json", "GET, HEAD")]
    [TestCase("/v1/session", "POST")]
    [TestCase("/v1/session/x/message", "POST")]
    [TestCase("/v1/ws", "POST")]
    public async Task OPTIONS_that_is_no_preflight_is_a_method_like_others_and_says_what_a_path_serves(string path, string allow)
    {
        foreach (string field in (string[])["X: no origin", $"Origin: http://{_channel.Url.Authority}", "Access-Control-Request-Method: POST"])
        {
            RawResponse reply = await _channel.AskAsync(new RawRequest("OPTIONS", path, field));
            Assert.That((reply.Status, reply["Allow"]), Is.EqualTo((405, allow)));
        }
    }

    [TestCase("/v1")]
    [TestCase("/v1/ready")]
    [TestCase("/v1/openapi.json")]
    [TestCase("/v1/health")]
    public async Task The_base_protocol_has_none_of_it(string path)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Compatibility = Compatibility.SeedExact });
        foreach (string method in (string[])["GET", "OPTIONS"])
            Assert.That((await channel.AskAsync(new RawRequest(method, path))).Text, Is.EqualTo($$"""{"error":"method {{method}} not allowed"}"""));
        Assert.That((await channel.AskAsync(new RawRequest("OPTIONS", "/v1/session"))).Status, Is.EqualTo(405));
    }

    [Test]
    public async Task A_server_that_stops_leaves_the_rest_of_its_grace_to_requests_that_are_under_way()
    {
        ManualTime time = new();
        await using Channel channel = await Channel.StartAsync(Programs.Count, options => options with
        {
            Time = time,
            ShutdownGrace = TimeSpan.FromSeconds(30),
            Limits = new RestChannelLimits { Http = new HttpServerLimits { BodyRateGrace = TimeSpan.FromMinutes(1) } },
        });
        await using RawConnection slow = await RawConnection.OpenAsync(channel.Url);
        await slow.WriteAsync("POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        Assert.That((await slow.ReadHeadAsync()).Status, Is.EqualTo(100));
        Task stopped = channel.StopAsync();
        await Patience.Until(async () =>
        {
            try
            {
                await using RawConnection other = await RawConnection.OpenAsync(channel.Url);
                return false;
            }
            catch (System.Net.Sockets.SocketException)
            {
                return true;
            }
        });
        time.Advance(6);
        await slow.WriteAsync("{}");
        WireForm.CheckRefusal(await slow.ReadResponseAsync(), 503, "draining", "draining");
        await slow.DisposeAsync();
        await stopped.Within();
    }

    [Test]
    public async Task A_server_that_stops_says_so_and_refuses_only_what_starts_a_turn()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(
            async (turn, _) =>
            {
                if (turn.Field("wait") is not null)
                    await gate.PassAsync();
                return TurnOutcome.Finished();
            },
            options => options with { ShutdownGrace = TimeSpan.FromSeconds(30) });
        await using HttpSessionClient idle = new(channel.Url, streams: false), busy = new(channel.Url, streams: false);
        await idle.SendAsync("{}");
        await busy.SendAsync("{}");
        RunningTurn running = await busy.BeginAsync("""{"wait":"yes"}""");
        await gate.ReachedAsync();
        Assert.That((await channel.AskAsync(RawRequest.Get("/v1/ready"))).Status, Is.EqualTo(200));

        Task stopped = channel.StopAsync();
        WireForm.CheckRefusal(await channel.AskAsync(RawRequest.Get("/v1/ready")), 503, "draining", "draining");
        Assert.That((await channel.AskAsync(new RawRequest("HEAD", "/v1/ready"))).Status, Is.EqualTo(503));
        Assert.That((await channel.AskAsync(RawRequest.Get("/v1/health"))).Status, Is.EqualTo(200));
        Assert.That((await channel.AskAsync(RawRequest.Get("/v1"))).Status, Is.EqualTo(200));
        WireForm.CheckRefusal(await channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Accept: text/event-stream")), 503, "draining", "draining");
        foreach ((HttpSessionClient client, string token, int status, string code) in ((HttpSessionClient, string, int, string)[])
        [
            (idle, "", 400, "missing-token"), (idle, "x", 409, "stale-token"), (idle, idle.Token!, 503, "draining"), (busy, busy.Token!, 409, "in-flight"),
        ])
        {
            RawResponse refusal = await channel.AskAsync(
                RawRequest.Post($"/v1/session/{client.SessionId}/message", "{}", $"X-Continuation-Token: {token}"));
            WireForm.CheckRefusal(refusal);
            Assert.That((refusal.Status, refusal["Iris-Refusal"]), Is.EqualTo((status, code)));
        }

        await using (RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url))
        {
            await socket.SendAsync("{}");
            Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo("""{"type":"error","message":"draining","code":"draining"}"""));
        }

        Assert.That(stopped.IsCompleted, Is.False);
        gate.Open();
        Assert.That((await running.EndAsync()).Status, Is.EqualTo("finished"));
        await stopped.Within();
    }

    private sealed class NoWebSockets : IHostAdapter
    {
        public HostCapabilities Capabilities { get; } = new() { WebSockets = false };

        public ValueTask<TurnOutcome> RunTurnAsync(TurnContext turn, CancellationToken cancel = default) => Programs.Finish();
    }
}
