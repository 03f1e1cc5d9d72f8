using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>Who asks, and whose a session is.</summary>
public sealed class PrincipalTests
{
    private const string Ann = "Authorization: Bearer ann";

    private readonly List<ChannelLog> _log = [];
    private Channel _channel = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _channel = await Channel.StartAsync(
        (turn, _) => Programs.Finish(JsonValue.Create(turn.Principal)),
        options => options with
        {
            Authorize = Bearer.AskAsync,
            Log = line =>
            {
                lock (_log)
                    _log.Add(line);
            },
        });

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_session_belongs_to_who_started_it(bool streams)
    {
        await using HttpSessionClient ann = new(_channel.Url, streams, Ann);
        Assert.That((await ann.SendAsync("{}")).Output, Is.EqualTo("\"ann\""));
        foreach (string other in (string[])["Bearer bob", "Bearer Ann", "Bearer ann2"])
            foreach (string token in (string[])[ann.Token!, "wrong", ""])
            {
                RawResponse refusal = await _channel.AskAsync(RawRequest.Post(
                    $"/v1/session/{ann.SessionId}/message", "{}", $"Authorization: {other}", $"X-Continuation-Token: {token}"));
                WireForm.CheckRefusal(refusal, 404, $"unknown session '{ann.SessionId}'", "unknown-session");
            }

        Assert.That((await ann.SendAsync("{}")).Output, Is.EqualTo("\"ann\""));
    }

    [Test]
    public async Task A_WebSockets_sessions_belong_to_who_opened_it()
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url, [Ann], []);
        for (int turn = 0; turn < 2; turn++)
        {
            await socket.SendAsync("{}");
            string outcome;
            while (!(outcome = await socket.ReceiveTextAsync()).Contains("\"outcome\"", StringComparison.Ordinal)) { }
            Assert.That(outcome, Does.Contain("\"output\":\"ann\""));
            JsonNode said = JsonNode.Parse(outcome)!;
            RawResponse refusal = await _channel.AskAsync(RawRequest.Post(
                $"/v1/session/{said["sessionId"]}/message", "{}", "Authorization: Bearer bob", $"X-Continuation-Token: {said["continuationToken"]}"));
            WireForm.CheckRefusal(refusal, 404, $"unknown session '{said["sessionId"]}'", "unknown-session");
        }
    }

    [Test]
    public async Task A_default_result_refuses() => Assert.That(
        (await _channel.AskAsync(RawRequest.Get("/v1", "Authorization: Bearer nobody")))["WWW-Authenticate"], Is.EqualTo("Bearer"));

    [TestCase("throw")]
    [TestCase("long")]
    public async Task What_Authorize_throws_is_told_to_the_log_and_not_to_the_client(string name)
    {
        RawResponse refusal = await _channel.AskAsync(RawRequest.Get("/v1", $"Authorization: Bearer {name}"));
        WireForm.CheckRefusal(refusal, 500, "internal error", "turn-failed");
        string errorId = refusal.Json.GetProperty("errorId").GetString()!;
        ChannelLog line;
        lock (_log)
            line = _log.Single(line => line.Text.Contains(errorId, StringComparison.Ordinal));
        Assert.That((line.Level, line.Exception), Is.EqualTo((ChannelLogLevel.Error, line.Exception)));
        Assert.That(refusal.Text, Does.Not.Contain(line.Exception!.Message));
    }

    [Test]
    public async Task What_Authorize_threw_is_told_where_errors_are_exposed()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Authorize = Bearer.AskAsync, ExposeErrors = true });
        WireForm.CheckRefusal(
            await channel.AskAsync(RawRequest.Get("/v1", "Authorization: Bearer throw")), 500, "internal error: secret", "turn-failed");
    }

    // As docs/SECURITY.md shows it.
    [Test]
    public async Task A_shared_key_lets_in_whoever_has_it()
    {
        byte[] key = SHA256.HashData("open sesame"u8);
        await using Channel channel = await Channel.StartAsync(Programs.Count, options => options with
        {
            Authorize = (exchange, _) => ValueTask.FromResult(
                exchange.Request.Headers.TryGet("authorization"u8, out var value) && value.StartsWith("Bearer "u8)
                && CryptographicOperations.FixedTimeEquals(SHA256.HashData(value[7..]), key)
                    ? AuthorizeResult.Allow("client")
                    : AuthorizeResult.Refuse()),
        });
        foreach ((string said, int status) in ((string, int)[])[("Bearer open sesame", 200), ("Bearer open", 401), ("Bearer ", 401), ("", 401)])
            Assert.That((await channel.AskAsync(RawRequest.Get("/v1", $"Authorization: {said}"))).Status, Is.EqualTo(status), said);
    }

    [Test]
    public async Task A_refused_connection_stays_usable()
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        Assert.That((await connection.AskAsync(RawRequest.Post("/v1/session", "{}"))).Status, Is.EqualTo(401));
        Assert.That((await connection.AskAsync(RawRequest.Post("/v1/session", "{}", Ann))).Status, Is.EqualTo(200));
        Assert.That((await connection.AskAsync(RawRequest.Post("/v1/session", "{}"))).Status, Is.EqualTo(401), "nobody is remembered");
    }

    [TestCase("/v1/health")]
    [TestCase("/v1/ready")]
    public async Task Health_and_readiness_ask_nobody(string path)
    {
        foreach (string[] fields in (string[][])[[], ["Host: evil.example"], ["Origin: https://evil.example"], ["Authorization: Bearer throw"]])
            foreach (string method in (string[])["GET", "HEAD"])
            {
                RawResponse reply = await _channel.AskAsync(new RawRequest(method, path, fields));
                Assert.That((reply.Status, reply.Text), Is.EqualTo((200, method == "HEAD" ? "" : """{"status":"ok"}""")));
            }
    }

    [Test]
    public async Task The_base_protocol_asks_as_well()
    {
        await using Channel channel = await Channel.StartAsync(
            Programs.Count, o => o with { Authorize = Bearer.AskAsync, Compatibility = Compatibility.SeedExact });
        RawResponse refusal = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        Assert.That((refusal.Status, refusal.Text), Is.EqualTo((401, """{"error":"unauthorized"}""")));
        Assert.That((await channel.AskAsync(RawRequest.Post("/v1/session", "{}", Ann))).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Authorize_is_cancelled_with_its_connection_and_nothing_is_answered()
    {
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously),
            cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with
        {
            Authorize = async (_, disconnected) =>
            {
                asked.SetResult();
                await using (disconnected.Register(() => cancelled.SetResult()))
                    await Task.Delay(Timeout.Infinite, disconnected);
                return default;
            },
        });
        await using RawConnection connection = await RawConnection.OpenAsync(channel.Url);
        await connection.WriteAsync(RawRequest.Get("/v1").Bytes(channel.Url));
        await asked.Task.Within();
        Task stopped = channel.StopAsync(new CancellationToken(canceled: true));
        await cancelled.Task.Within();
        await stopped.Within();
        Assert.That(async () => await connection.ReadHeadAsync(), Throws.Exception);
    }

    [TestCase("")]
    [TestCase("a\nb")]
    public void No_principal_is(string principal) => Assert.That(() => AuthorizeResult.Allow(principal), Throws.ArgumentException);

    [Test]
    public void No_principal_has_half_a_character() => Assert.That(() => AuthorizeResult.Allow("a\ud800"), Throws.ArgumentException);

    [TestCase("")]
    [TestCase("Bearer\r\nX: y")]
    public void No_challenge_is(string challenge) => Assert.That(() => AuthorizeResult.Refuse(challenge), Throws.ArgumentException);
}
