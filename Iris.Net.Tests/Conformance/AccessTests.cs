using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a browser may do, and what the server itself refuses before any route is looked at.</summary>
public sealed class AccessTests
{
    private const string Json = "Content-Type: application/json";
    private const string FromPage = "Sec-Fetch-Site: same-origin";

    private Channel _channel = null!;
    private int _runs;

    private string Own => $"Origin: http://{_channel.Url.Authority}";

    [OneTimeSetUp]
    public async Task StartAsync() => _channel = await Channel.StartAsync(
        (turn, cancel) =>
        {
            _runs++;
            return Programs.Count(turn, cancel);
        },
        options => options with { AllowedOrigins = ["https://app.example"], AllowedHosts = ["app.example"] });

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    [TestCase("Content-Type: text/plain")]
    [TestCase("Content-Type: application/x-www-form-urlencoded")]
    [TestCase("Content-Type: multipart/form-data; boundary=x")]
    [TestCase("Content-Type: application/jsonx")]
    [TestCase("Content-Type: text/plain; application/json")]
    [TestCase("X: no content type")]
    public async Task A_browser_that_sends_something_else_than_JSON_is_refused(string type)
    {
        int before = _runs;
        foreach (string sign in (string[])[Own, FromPage, "Sec-Fetch-Site: cross-site"])
        {
            // Before the body is judged and the route is looked at.
            foreach ((string target, string body) in ((string, string)[])[("/v1/session", "{}"), ("/v1/session", "{"), ("/v1/nope", "{}")])
            {
                RawResponse refusal = await _channel.AskAsync(RawRequest.Post(target, body, sign, type));
                WireForm.CheckRefusal(refusal, 415, "unsupported media type", "unsupported-media-type");
            }
        }

        Assert.That(_runs, Is.EqualTo(before));
        Assert.That((await _channel.AskAsync(RawRequest.Post("/v1/session", "{}", type))).Status, Is.EqualTo(200), "nobody else must say so");
    }

    [TestCase(Json)]
    [TestCase("content-type: Application/JSON")]
    [TestCase("Content-Type: application/json; charset=utf-8")]
    [TestCase("Content-Type: application/json;charset=UTF-8")]
    public async Task A_browser_that_sends_JSON_is_served(string type)
    {
        foreach (string sign in (string[])[Own, FromPage])
            Assert.That((await _channel.AskAsync(RawRequest.Post("/v1/session", "{}", sign, type))).Status, Is.EqualTo(200), sign);
    }

    [TestCase("https://evil.example")]
    [TestCase("http://localhost")]
    [TestCase("http://127.0.0.1:1")]
    [TestCase("https://app.example:444")]
    [TestCase("https://app.example.evil.example")]
    [TestCase("null")]
    [TestCase("")]
    public async Task A_foreign_origin_is_refused_before_any_work(string origin)
    {
        int before = _runs;
        foreach (RawRequest request in (RawRequest[])
        [
            RawRequest.Post("/v1/session", "{}", $"Origin: {origin}", Json),
            RawRequest.Post("/v1/session", "{", $"Origin: {origin}", "Content-Type: text/plain"),
            RawRequest.Get("/v1/nope", $"Origin: {origin}"),
        ])
        {
            WireForm.CheckRefusal(await _channel.AskAsync(request), 403, "origin denied", "origin-denied");
        }

        RawResponse upgrade = await _channel.AskAsync(RawRequest.Get("/v1/ws", [$"Origin: {origin}", .. RawWebSocket.HandshakeFields]));
        Assert.That((upgrade.Status, upgrade["Iris-Refusal"], upgrade.Text), Is.EqualTo((403, "origin-denied", "")));
        Assert.That(_runs, Is.EqualTo(before));
    }

    [TestCase("https://app.example")]
    [TestCase(null)]
    public async Task An_allowed_origin_and_the_servers_own_are_served(string? origin)
    {
        string field = origin is null ? Own : $"Origin: {origin}";
        Assert.That((await _channel.AskAsync(RawRequest.Post("/v1/session", "{}", field, Json))).Status, Is.EqualTo(200));
        RawResponse refusal = await _channel.AskAsync(RawRequest.Get("/v1/session", field));
        WireForm.CheckRefusal(refusal, 405, "method GET not allowed", "method-not-allowed");
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        await connection.WriteAsync(RawRequest.Get("/v1/ws", [field, .. RawWebSocket.HandshakeFields]).Bytes(_channel.Url));
        Assert.That((await connection.ReadHeadAsync()).Status, Is.EqualTo(101));
    }

    [TestCase("evil.example")]
    [TestCase("localhost.evil.example")]
    [TestCase("127.0.0.2")]
    [TestCase("127.0.0.1.evil.example:80")]
    public async Task A_foreign_Host_is_refused_on_the_loopback(string host)
    {
        int before = _runs;
        foreach (string origin in (string[])["X: no origin", $"Origin: http://{host}"])
        {
            RawResponse refusal = await _channel.AskAsync(RawRequest.Post("/v1/session", "{}", $"Host: {host}", origin, Json));
            WireForm.CheckRefusal(refusal, 421, "host denied", "host-denied");
        }

        Assert.That(_runs, Is.EqualTo(before));
    }

    [Test]
    public async Task A_foreign_host_in_the_target_is_refused_where_no_Host_came()
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        await connection.WriteAsync("POST http://evil.example/v1/session HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}");
        WireForm.CheckRefusal(await connection.ReadResponseAsync(), 421, "host denied", "host-denied");
    }

    [TestCase("localhost")]
    [TestCase("LOCALHOST:1")]
    [TestCase("127.0.0.1")]
    [TestCase("127.0.0.1:65535")]
    [TestCase("[::1]")]
    [TestCase("[::1]:8787")]
    [TestCase("app.example")]
    public async Task A_Host_of_the_loopback_and_an_allowed_one_are_served(string host) =>
        Assert.That((await _channel.AskAsync(RawRequest.Post("/v1/session", "{}", $"Host: {host}"))).Status, Is.EqualTo(200));

    // What the server refuses before it is a request reads like every other refusal.
    [TestCase("GET / HTTP/1.1\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400)]
    [TestCase("GET / HTTP/1.1\r\nHost: localhost\r\na b\r\n\r\n", 400)]
    [TestCase("POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: +2\r\n\r\n{}", 400)]
    [TestCase("POST /v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5junk\r\n", 400)]
    [TestCase("POST /v1/session HTTP/1.1\r\nHost: localhost\r\nExpect: a-miracle\r\nContent-Length: 2\r\n\r\n{}", 417)]
    [TestCase("POST /v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501)]
    [TestCase("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505)]
    public Task A_request_that_is_none_is_a_bad_request(string bytes, int status) => CheckRefusedBytes(bytes, status, "bad request", "bad-request");

    [Test]
    public Task A_request_line_that_is_too_long_is_414() =>
        CheckRefusedBytes($"GET /{new string('x', 8192)} HTTP/1.1\r\n", 414, "header too large", "header-too-large");

    [Test]
    public Task Field_lines_that_are_too_long_are_431() => CheckRefusedBytes(
        $"GET / HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 32768)}\r\n", 431, "header too large", "header-too-large");

    [Test]
    public Task Too_many_field_lines_are_431() => CheckRefusedBytes(
        $"GET / HTTP/1.1\r\nHost: localhost\r\n{string.Concat(Enumerable.Repeat("X: y\r\n", 100))}\r\n", 431, "header too large", "header-too-large");

    private async Task CheckRefusedBytes(string bytes, int status, string error, string code)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        await connection.WriteAsync(bytes);
        RawResponse refusal = await connection.ReadResponseAsync();
        WireForm.CheckRefusal(refusal, status, error, code);
        Assert.That(refusal["Connection"], Is.EqualTo("close"));
        connection.ShutdownSend();
        Assert.That(await connection.ReadToEndAsync(), Is.Empty);
    }
}
