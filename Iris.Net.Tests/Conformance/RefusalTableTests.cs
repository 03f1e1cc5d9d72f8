using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>One row for each refusal on each route: its status, code and text, whether asking again helps, and the same as JSON, where a
/// stream was asked for, and as a problem of RFC 9457.</summary>
public sealed class RefusalTableTests
{
    private const string Ann = "Authorization: Bearer ann";
    private const string Json = "Content-Type: application/json";
    private const string Continue = "/v1/session/$ID/message";

    // Method, target, body, field lines; then status, text, code. $ID is a session of ann's, $TOKEN its token, $BUSY one with a
    // turn in flight.
    private static readonly TestCaseData[] Table =
    [
        Row("GET", "/v1", null, [Ann, "Host: evil.example"], 421, "host denied", "host-denied"),
        Row("POST", "/v1/session", "{}", [Ann, "Host: evil.example"], 421, "host denied", "host-denied"),
        Row("GET", "/v1", null, [Ann, "Origin: https://evil.example"], 403, "origin denied", "origin-denied"),
        Row("POST", "/v1/session", "{}", [Ann, "Origin: null", Json], 403, "origin denied", "origin-denied"),
        Row("OPTIONS", "/v1/session", null, ["Origin: null", "Access-Control-Request-Method: POST"], 403, "origin denied", "origin-denied"),
        Row("POST", "/v1/session", "{}", [], 401, "unauthorized", "unauthorized"),
        Row("POST", Continue, "{}", [], 401, "unauthorized", "unauthorized"),
        Row("GET", "/v1", null, [], 401, "unauthorized", "unauthorized"),
        Row("GET", "/v1/openapi.json", null, [], 401, "unauthorized", "unauthorized"),
        Row("OPTIONS", "/v1/session", null, [], 401, "unauthorized", "unauthorized"),
        Row("GET", "/nope", null, [], 401, "unauthorized", "unauthorized"),
        Row("POST", "/v1/session", "{}", ["Authorization: Bearer throw"], 500, "internal error", "turn-failed"),
        Row("GET", "/v1/session", null, [Ann], 405, "method GET not allowed", "method-not-allowed"),
        Row("PUT", Continue, "{}", [Ann], 405, "method PUT not allowed", "method-not-allowed"),
        Row("DELETE", "/v1", null, [Ann], 405, "method DELETE not allowed", "method-not-allowed"),
        Row("PATCH", "/v1/ready", null, [Ann], 405, "method PATCH not allowed", "method-not-allowed"),
        Row("GET", "/v1/ws", null, [Ann], 405, "method GET not allowed", "method-not-allowed"),
        Row("GET", "/nope", null, [Ann], 405, "method GET not allowed", "method-not-allowed"),
        Row("POST", "/v1/session", null, [Ann, "Content-Length: 1048577"], 413, "body too large", "body-too-large"),
        Row("POST", "/nope", null, [Ann, "Content-Length: 1048577"], 413, "body too large", "body-too-large"),
        Row("POST", "/v1/session", "{}", [Ann, "Sec-Fetch-Site: none"], 415, "unsupported media type", "unsupported-media-type"),
        Row("POST", Continue, "{}", [Ann, "Sec-Fetch-Site: none"], 415, "unsupported media type", "unsupported-media-type"),
        Row("POST", "/v1/session", "{", [Ann], 400, "malformed JSON body", "malformed-json"),
        Row("POST", Continue, "{", [Ann], 400, "malformed JSON body", "malformed-json"),
        Row("POST", "/v1/ready", "{", [Ann], 400, "malformed JSON body", "malformed-json"),
        Row("POST", "/v1/ready", "{}", [Ann], 404, "no route for /v1/ready", "no-route"),
        Row("POST", "/v1/ws", "{}", [Ann], 404, "no route for /v1/ws", "no-route"),
        Row("POST", "/v1/session/%ff/message", "{}", [Ann], 400, "malformed session id", "malformed-path"),
        Row("POST", "/v1/session/a%20b/message", "{}", [Ann], 404, "unknown session 'a b'", "unknown-session"),
        Row("POST", Continue, "{\"continuationToken\":\"$TOKEN\"}", ["Authorization: Bearer bob"], 404, "unknown session '$ID'", "unknown-session"),
        Row("POST", Continue, "{}", [Ann], 400, "missing continuationToken", "missing-token"),
        Row("POST", Continue, "{\"continuationToken\":\"x\"}", [Ann], 409, "stale or invalid continuationToken", "stale-token"),
        Row("POST", "/v1/session/$BUSY/message", "{}", [Ann, "X-Continuation-Token: $BUSYTOKEN"], 409, "a turn is already in flight for this session", "in-flight"),
        Row("POST", "/v1/session/$ID/cancel", "{}", [], 401, "unauthorized", "unauthorized"),
        Row("POST", "/v1/session/%ff/cancel", "{}", [Ann], 400, "malformed session id", "malformed-path"),
        Row("POST", "/v1/session/a%20b/cancel", "{}", [Ann], 404, "unknown session 'a b'", "unknown-session"),
        Row("POST", "/v1/session/$ID/cancel", "{}", ["Authorization: Bearer bob", "X-Continuation-Token: $TOKEN"], 404, "unknown session '$ID'", "unknown-session"),
        Row("POST", "/v1/session/$ID/cancel", "{}", [Ann], 400, "missing continuationToken", "missing-token"),
        Row("POST", "/v1/session/$ID/cancel", "{}", [Ann, "X-Continuation-Token: x"], 409, "stale or invalid continuationToken", "stale-token"),
        Row("DELETE", "/v1/session/$ID", null, [], 401, "unauthorized", "unauthorized"),
        Row("DELETE", "/v1/session/%ff", null, [Ann], 400, "malformed session id", "malformed-path"),
        Row("DELETE", "/v1/session/a%20b", null, [Ann], 404, "unknown session 'a b'", "unknown-session"),
        Row("DELETE", "/v1/session/$ID", null, ["Authorization: Bearer bob", "X-Continuation-Token: $TOKEN"], 404, "unknown session '$ID'", "unknown-session"),
        Row("DELETE", "/v1/session/$ID", null, [Ann], 400, "missing continuationToken", "missing-token"),
        Row("DELETE", "/v1/session/$ID", null, [Ann, "X-Continuation-Token: x"], 409, "stale or invalid continuationToken", "stale-token"),
        Row("GET", "/v1/session/$ID", null, [], 401, "unauthorized", "unauthorized"),
        Row("GET", "/v1/session/%ff", null, [Ann], 400, "malformed session id", "malformed-path"),
        Row("GET", "/v1/session/a%20b", null, [Ann], 404, "unknown session 'a b'", "unknown-session"),
        Row("GET", "/v1/session/$ID", null, ["Authorization: Bearer bob", "X-Continuation-Token: $TOKEN"], 404, "unknown session '$ID'", "unknown-session"),
        Row("GET", "/v1/session/$ID", null, [Ann], 400, "missing continuationToken", "missing-token"),
        Row("GET", "/v1/session/$ID", null, [Ann, "X-Continuation-Token: x"], 409, "stale or invalid continuationToken", "stale-token"),
        Row("GET", "/v1/session/$ID/timeline", null, [], 401, "unauthorized", "unauthorized"),
        Row("GET", "/v1/session/%ff/timeline", null, [Ann], 400, "malformed session id", "malformed-path"),
        Row("GET", "/v1/session/a%20b/timeline", null, [Ann], 404, "unknown session 'a b'", "unknown-session"),
        Row("GET", "/v1/session/$ID/timeline", null, ["Authorization: Bearer bob", "X-Continuation-Token: $TOKEN"], 404, "unknown session '$ID'", "unknown-session"),
        Row("GET", "/v1/session/$ID/timeline", null, [Ann], 400, "missing continuationToken", "missing-token"),
        Row("GET", "/v1/session/$ID/timeline", null, [Ann, "X-Continuation-Token: x"], 409, "stale or invalid continuationToken", "stale-token"),
        Row("POST", "/v1/session/$ID/cancel", "{", [Ann], 400, "malformed JSON body", "malformed-json"),
        Row("DELETE", "/v1/session/$BUSY", null, [Ann, "X-Continuation-Token: $BUSYTOKEN"], 409, "a turn is already in flight for this session", "in-flight"),
        Row("GET", "/v1/session/$ID/timeline?limit=0", null, [Ann, "X-Continuation-Token: $TOKEN"], 400, "bad request", "bad-request"),
        Row("GET", "/v1/sessions", null, [Ann], 405, "method GET not allowed", "method-not-allowed"),
        Row("POST", "/v1/session/$ID/message", "{}", [Ann, "X-Continuation-Token: $TOKEN", "Iris-If-Busy: wait"], 400, "bad request", "bad-request"),
        Row("POST", "/v1/session", "{\"do\":\"throw\"}", [Ann], 500, "internal error: turn failed", "turn-failed"),
        Row("POST", Continue, "{\"do\":\"throw\"}", [Ann, "X-Continuation-Token: $TOKEN"], 500, "internal error: turn failed", "turn-failed"),
        Row("POST", "/v1/session", "{\"do\":\"overload\"}", [Ann], 503, "overloaded", "overloaded"),
        Row("POST", "/v1/session", null, [Ann, "Content-Length: 2", "Transfer-Encoding: chunked"], 400, "bad request", "bad-request"),
        Row("POST", "/v1/session", null, [Ann, "Transfer-Encoding: chunked, chunked"], 400, "bad request", "bad-request"),
        Row("POST", "/v1/session", "x", [Ann, "Expect: a-miracle"], 417, "bad request", "bad-request"),
        Row("POST", "/v1/session", null, [Ann, "Transfer-Encoding: gzip, chunked"], 501, "bad request", "bad-request"),
        Row("POST", "/v1/session", "5junk\r\n", [Ann, "Transfer-Encoding: chunked"], 400, "bad request", "bad-request"),
    ];

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

    [TestCaseSource(nameof(Table))]
    public async Task Is_refused(string method, string target, string? body, string[] fields, int status, string error, string code)
    {
        foreach (string? accept in (string?[])[null, "text/event-stream", "application/problem+json", "text/event-stream, application/problem+json;q=0.1"])
        {
            bool opensStream = body?.Contains("\"do\"", StringComparison.Ordinal) == true && fields.Contains(Ann);
            if (opensStream && accept?.Contains("event-stream", StringComparison.Ordinal) == true)
                continue;
            string[] all = [.. fields.Select(Fill), .. accept is null ? (string[])[] : [$"Accept: {accept}"]];
            RawResponse refusal = await _channel.AskAsync(
                new RawRequest(method, Fill(target), all) { Body = body is null ? null : System.Text.Encoding.UTF8.GetBytes(Fill(body)) });
            if (accept?.Contains("problem", StringComparison.Ordinal) == true)
                WireForm.CheckProblem(refusal, status, Fill(error), code, Fill(target).Split('?')[0]);
            else
                WireForm.CheckRefusal(refusal, status, Fill(error), code);
            Assert.That(refusal["Retry-After"], Is.EqualTo(code is "in-flight" or "overloaded" ? "1" : null));
            Assert.That(refusal["WWW-Authenticate"], Is.EqualTo(status == 401 ? "Bearer realm=\"test\"" : null));
            Assert.That(refusal["Allow"], status == 405 ? Is.Not.Null : Is.Null);
            Assert.That(refusal.Json.TryGetProperty("errorId", out _), Is.EqualTo(status == 500), "it names what was thrown");
            Assert.That(refusal.Text, Does.Not.Contain("secret"));
        }
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

    private static TestCaseData Row(string method, string target, string? body, string[] fields, int status, string error, string code) =>
        new TestCaseData(method, target, body, fields, status, error, code)
            .SetName($"{{m}}({method} {target} {body?.ReplaceLineEndings("")} [{string.Join("; ", fields)}] {code})");
}
