using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>The order and the form of refusals; which there are stands in <see cref="RefusalTable.RefusalRows"/>.</summary>
public sealed class RefusalFormTests
{
    private const string Ann = "Authorization: Bearer ann";
    private readonly Gate _gate = new();
    private Channel _channel = null!;
    private HttpSessionClient _idle = null!;
    private HttpSessionClient _busy = null!;
    private RunningTurn _running = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _channel = await Channel.StartAsync(
            async (turn, _) =>
            {
                switch (turn.Field("do"))
                {
                    case "throw":
                        throw new InvalidOperationException("secret");
                    case "overload":
                        throw new HostOverloadedException("secret");
                    case "wait":
                        await _gate.PassAsync();
                        break;
                }

                return TurnOutcome.ParkedOnUser();
            },
            options => options with { Authorize = Bearer.AskAsync });
        _idle = new HttpSessionClient(_channel.Url, streams: false, Ann);
        await _idle.SendAsync("{}");
        _busy = new HttpSessionClient(_channel.Url, streams: false, Ann);
        await _busy.SendAsync("{}");
        _running = await _busy.BeginAsync("""{"do":"wait"}""");
        await _gate.ReachedAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        _gate.Open();
        await _running.EndAsync();
        await _idle.DisposeAsync();
        await _busy.DisposeAsync();
        await _channel.DisposeAsync();
    }

    [TestCase(421, "host-denied", "Host: evil.example")]
    [TestCase(403, "origin-denied", Ann, "Origin: https://evil.example")]
    [TestCase(401, "unauthorized")]
    [TestCase(401, "unauthorized", "Authorization: Bearer")]
    [TestCase(500, "turn-failed", "Authorization: Bearer throw")]
    [TestCase(400, "bad-request", Ann, "Sec-WebSocket-Version: 13", "Content-Length: 2", "Transfer-Encoding: chunked")]
    public async Task An_upgrade_is_refused_without_content(int status, string code, params string[] fields)
    {
        foreach (string path in (string[])["/v1/ws", "/v1/nope"])
            foreach (string accept in (string[])["application/json", "application/problem+json"])
            {
                string[] all = [.. fields, $"Accept: {accept}", .. RawWebSocket.HandshakeFields];
                RawResponse refusal = await _channel.AskAsync(RawRequest.Get(path, all));
                WireForm.CheckRefusedUpgrade(refusal, status, code);
                Assert.That(refusal["WWW-Authenticate"], status == 401 ? Is.Not.Null : Is.Null);
            }
    }

    // Wrong in every way, then in one way less each time.
    [Test]
    public async Task Refusals_come_in_their_order()
    {
        string[] answers = ["400 bad-request", "421 host-denied", "403 origin-denied", "401 unauthorized", "413 body-too-large",
            "415 unsupported-media-type", "400 malformed-json", "404 no-route", "400 malformed-path", "404 unknown-session",
            "400 missing-token", "409 stale-token", "409 in-flight"];
        for (int right = 0; right < answers.Length; right++)
        {
            string host = right > 1 ? _channel.Url.Authority : "evil.example";
            string[] fields =
            [
                .. right > 0 ? (string[])[] : ["Transfer-Encoding: chunked"],
                $"Host: {host}",
                .. right > 5 ? (string[])[] : [right > 2 ? "Sec-Fetch-Site: none" : "Origin: https://evil.example"],
                .. right > 3 ? (string[])[Ann] : [],
                .. right > 4 ? (string[])[] : ["Content-Length: 1048577"],
                .. right > 11 ? [$"X-Continuation-Token: {_busy.Token}"] : right > 10 ? (string[])["X-Continuation-Token: x"] : [],
            ];
            string target = right > 9 ? Fill("/v1/session/$BUSY/message") : right > 8 ? "/v1/session/nope/message"
                : right > 7 ? "/v1/session/%ff/message" : "/v1/nope";
            byte[]? body = right > 4 ? right > 6 ? "{}"u8.ToArray() : "{"u8.ToArray() : null;
            RawResponse refusal = await _channel.AskAsync(new RawRequest("POST", target, fields) { Body = body });
            Assert.That($"{refusal.Status} {refusal["Iris-Refusal"]}", Is.EqualTo(answers[right]));
        }
    }

    [Test]
    public async Task A_session_id_that_is_too_long_is_not_sent_back()
    {
        foreach (string accept in (string[])["application/json", "application/problem+json"])
        {
            RawResponse refusal = await _channel.AskAsync(
                RawRequest.Post($"/v1/session/{new string('x', 129)}/message", "{}", Ann, $"Accept: {accept}"));
            Assert.That((refusal.Status, refusal.Json.GetProperty("error").GetString()), Is.EqualTo((404, "unknown session")));
            Assert.That(refusal.Text, Does.Not.Contain("xxx"));
        }
    }

    [TestCase("*/*")]
    [TestCase("application/*")]
    [TestCase("application/json")]
    [TestCase("application/problem+json;q=0")]
    [TestCase("application/json, application/problem+json; q=0.0")]
    [TestCase("application/problem+xml")]
    public async Task Nobody_else_gets_a_problem(string accept) => WireForm.CheckRefusal(
        await _channel.AskAsync(RawRequest.Get("/v1/session", Ann, $"Accept: {accept}")), 405, "method GET not allowed", "method-not-allowed");

    [TestCase("GET  / HTTP/1.1\r\nHost: localhost\r\nAccept: application/problem+json\r\n\r\n", 400, "bad-request")]
    [TestCase("GET / HTTP/2.0\r\nHost: localhost\r\nAccept: application/problem+json\r\n\r\n", 505, "bad-request")]
    public async Task A_head_that_cannot_be_read_asks_for_no_form(string bytes, int status, string code)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        await connection.WriteAsync(bytes);
        WireForm.CheckRefusal(await connection.ReadResponseAsync(), status, "bad request", code);
    }

    [Test]
    public async Task The_base_protocol_knows_no_problems()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Compatibility = Compatibility.SeedExact });
        RawResponse refusal = await channel.AskAsync(RawRequest.Get("/v1/session", "Accept: application/problem+json"));
        Assert.That((refusal["Content-Type"], refusal.Text), Is.EqualTo(("application/json", """{"error":"method GET not allowed"}""")));
    }

    [Test]
    public async Task Over_an_event_stream_a_failure_is_an_event_whatever_else_is_accepted()
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        await connection.WriteAsync(RawRequest.Post(
            "/v1/session", """{"do":"throw"}""", Ann, "Accept: text/event-stream, application/problem+json").Bytes(_channel.Url));
        RawHead head = await connection.ReadHeadAsync();
        Assert.That((head.Status, head["Content-Type"]), Is.EqualTo((200, "text/event-stream")));
        RawEventStream stream = new(connection);
        await stream.NextAsync();   // where it begins
        RawEvent? failure = await stream.NextAsync();
        WireForm.CheckError(JsonElement.Parse(failure!.Data!));
    }

    private string Fill(string text) => text
        .Replace("$BUSYTOKEN", _busy.Token, StringComparison.Ordinal).Replace("$BUSY", _busy.SessionId, StringComparison.Ordinal)
        .Replace("$TOKEN", _idle.Token, StringComparison.Ordinal).Replace("$ID", _idle.SessionId, StringComparison.Ordinal);
}
