using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>Which requests become a WebSocket, and what the others are.</summary>
public sealed class UpgradeTests
{
    private const string Connect = "Connection: Upgrade";
    private const string Protocol = "Upgrade: websocket";
    private const string Key = $"Sec-WebSocket-Key: {RawWebSocket.Key}";
    private const string Version = "Sec-WebSocket-Version: 13";

    private Channel _channel = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _channel = await Channel.StartAsync(Programs.Count);

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    [TestCase(Connect, Protocol, Key, Version)]
    [TestCase("Connection: keep-alive, Upgrade", Protocol, Key, Version)]
    [TestCase("connection:UPGRADE", "upgrade:WebSocket", Key, Version)]
    [TestCase(Connect, Protocol, Key, Version, "Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Extensions: permessage-deflate")]
    public async Task Is_accepted(params string[] fields)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        await connection.WriteAsync(RawRequest.Get("/v1/ws", fields).Bytes(_channel.Url));
        RawHead head = await connection.ReadHeadAsync();
        Assert.That(head.StatusLine, Is.EqualTo("HTTP/1.1 101 Switching Protocols"));
        Assert.That(
            (head["Upgrade"], head["Connection"], head["Sec-WebSocket-Accept"]), Is.EqualTo(("websocket", "Upgrade", RawWebSocket.Accept)));
        Assert.That(head["Sec-WebSocket-Protocol"], Is.Null);
        Assert.That(head["Sec-WebSocket-Extensions"], Is.Null);
    }

    // RFC 6455 section 4.1: the key is 16 bytes in base64, once.
    [TestCase("X: no key")]
    [TestCase("Sec-WebSocket-Key:")]
    [TestCase("Sec-WebSocket-Key: short")]
    [TestCase("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ")]
    [TestCase("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=")]
    [TestCase("Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==")]
    [TestCase(Key + "\r\n" + Key)]
    public async Task A_wrong_key_is_400(string key)
    {
        foreach (string version in (string[])[Version, "Sec-WebSocket-Version: 8"])
            CheckRefused(await _channel.AskAsync(RawRequest.Get("/v1/ws", Connect, Protocol, key, version)), 400, "bad-request");
    }

    [TestCase("Sec-WebSocket-Version: 8")]
    [TestCase("Sec-WebSocket-Version: 14")]
    [TestCase("Sec-WebSocket-Version: 013")]
    [TestCase("X: no version")]
    public async Task A_wrong_version_is_426_and_told_the_right_one(string version)
    {
        RawResponse refusal = await _channel.AskAsync(RawRequest.Get("/v1/ws", Connect, Protocol, Key, version));
        CheckRefused(refusal, 426, "upgrade-required");
        Assert.That(refusal["Sec-WebSocket-Version"], Is.EqualTo("13"));
    }

    [TestCase("/v1/nope")]
    [TestCase("/v1/session")]
    [TestCase("/v1/ws/")]
    public async Task Another_path_is_404_whatever_key_and_version_say(string path)
    {
        foreach (string[] rest in (string[][])[[Key, Version], [Key], [Version], []])
            CheckRefused(await _channel.AskAsync(RawRequest.Get(path, [Connect, Protocol, .. rest])), 404, "no-route");
    }

    [TestCase("/v1/ws")]
    [TestCase("/v1/nope")]
    public async Task Without_WebSockets_every_upgrade_is_426(string path)
    {
        await using Channel channel = await Channel.StartAsync(new NoWebSockets());
        foreach (string[] rest in (string[][])[[Key, Version], [Key], []])
            CheckRefused(await channel.AskAsync(RawRequest.Get(path, [Connect, Protocol, .. rest])), 426, "upgrade-required");
        Assert.That((await channel.AskAsync(RawRequest.Post("/v1/session", "{}"))).Status, Is.EqualTo(200));
    }

    [TestCase(Connect, "Upgrade: h2c")]
    [TestCase(Connect, "X: no protocol")]
    [TestCase("Connection: keep-alive", Protocol)]
    [TestCase("X: no connection", Protocol)]
    public async Task What_asks_for_no_WebSocket_is_an_ordinary_request(string connect, string protocol)
    {
        WireForm.CheckRefusal(
            await _channel.AskAsync(RawRequest.Get("/v1/ws", connect, protocol, Key, Version)), 405, "method GET not allowed", "method-not-allowed");
        Assert.That((await _channel.AskAsync(RawRequest.Get("/v1/health", connect, protocol))).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_POST_is_never_an_upgrade()
    {
        Assert.That((await _channel.AskAsync(RawRequest.Post("/v1/session", "{}", Connect, Protocol, Key, Version))).Status, Is.EqualTo(200));
        WireForm.CheckRefusal(
            await _channel.AskAsync(RawRequest.Post("/v1/ws", "{}", Connect, Protocol, Key, Version)), 404, "no route for /v1/ws", "no-route");
    }

    private static void CheckRefused(RawResponse refusal, int status, string code)
    {
        Assert.That((refusal.Status, refusal.Text), Is.EqualTo((status, "")));
        Assert.That(refusal["Content-Type"], Is.Null, "there is no content");
        Assert.That(refusal["Iris-Refusal"], Is.EqualTo(code));
        if (status == 426)
        {
            Assert.That(refusal["Upgrade"], Is.EqualTo("websocket"));
            Assert.That(refusal["Connection"]?.Split(',').Select(token => token.Trim()), Has.Member("Upgrade"));
        }
    }

    private sealed class NoWebSockets : IHostAdapter
    {
        public HostCapabilities Capabilities { get; } = new() { WebSockets = false };

        public ValueTask<TurnOutcome> RunTurnAsync(TurnContext turn, CancellationToken cancel = default) => Programs.Finish();
    }
}
