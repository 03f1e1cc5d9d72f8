using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a page of another origin may do (Fetch standard, section 3.2).</summary>
public sealed class CrossOriginTests
{
    private const string App = "https://app.example";
    private const string Ann = "Authorization: Bearer ann";
    private const string Json = "Content-Type: application/json";

    private const string Exposed = "Iris-Refusal, Iris-Session-Id, Iris-Turn, Iris-Start-Token, Iris-Outcome, Iris-Expires-At, "
        + "Idempotency-Replayed, Retry-After, Location, Preference-Applied, ETag";

    private static readonly string[] Answers = ["Allow-Origin", "Expose-Headers", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Max-Age"];

    private Channel _channel = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _channel = await Channel.StartAsync(
        Programs.Count, options => options with { AllowedOrigins = [App, "http://other.example:8080"], Authorize = Bearer.AskAsync });

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    // Whatever is answered, the page can read it.
    [TestCase("POST", "/v1/session", "{}", 200, Ann, Json)]
    [TestCase("POST", "/v1/session?stream=1", "{}", 200, Ann, Json)]
    [TestCase("GET", "/v1", null, 200, Ann)]
    [TestCase("GET", "/v1/health", null, 200)]
    [TestCase("HEAD", "/v1/ready", null, 200)]
    [TestCase("OPTIONS", "/v1/session", null, 405, Ann)]
    [TestCase("POST", "/v1/session", "{}", 401, Json)]
    [TestCase("POST", "/v1/session", "{}", 500, "Authorization: Bearer throw", Json)]
    [TestCase("POST", "/v1/session", "{", 400, Ann, Json)]
    [TestCase("POST", "/v1/session", "{}", 415, Ann)]
    [TestCase("POST", "/v1/session", null, 413, Ann, Json, "Content-Length: 1048577")]
    [TestCase("POST", "/v1/session", null, 400, Ann, Json, "Content-Length: 1", "Transfer-Encoding: chunked")]
    [TestCase("GET", "/v1/session", null, 405, Ann)]
    [TestCase("POST", "/v1/session/x/message", "{}", 404, Ann, Json)]
    public async Task Every_answer_can_be_read_by_an_allowed_origin(string method, string target, string? body, int status, params string[] fields)
    {
        foreach (string origin in (string[])[App, "HTTPS://APP.example", "http://other.example:8080"])
        {
            RawRequest request = new(method, target, [.. fields, $"Origin: {origin}"]) { Body = body is null ? null : System.Text.Encoding.UTF8.GetBytes(body) };
            RawResponse reply = await _channel.AskAsync(request);
            Assert.That(reply.Status, Is.EqualTo(status), reply.ToString());
            Check(reply, origin, "Origin", Exposed);
        }
    }

    [Test]
    public async Task A_refused_origin_gets_nothing()
    {
        foreach (string origin in (string[])["https://evil.example", "null", "https://app.example:444", "http://app.example", ""])
            foreach (string method in (string[])["GET", "OPTIONS", "POST"])
            {
                RawResponse refusal = await _channel.AskAsync(
                    new RawRequest(method, "/v1/session", $"Origin: {origin}", Ann, "Access-Control-Request-Method: POST"));
                WireForm.CheckRefusal(refusal, 403, "origin denied", "origin-denied");
                Assert.That(refusal["Vary"], Does.StartWith("Origin"));
                Assert.That(Answers.Select(name => refusal["Access-Control-" + name]), Has.All.Null);
            }
    }

    [Test]
    public async Task Two_origins_are_refused() => Assert.That(
        (await _channel.AskAsync(RawRequest.Get("/v1", Ann, $"Origin: {App}", $"Origin: {App}"))).Status, Is.EqualTo(403));

    [TestCase("ftp")]
    [TestCase("chrome-extension")]
    [TestCase("")]
    public async Task An_own_origin_is_one_that_HTTP_brought(string scheme) => Assert.That(
        (await _channel.AskAsync(RawRequest.Get("/v1", Ann, $"Origin: {scheme}://{_channel.Url.Authority}"))).Status, Is.EqualTo(403));

    [Test]
    public async Task What_comes_without_origin_says_that_it_depends_on_it()
    {
        RawResponse reply = await _channel.AskAsync(RawRequest.Get("/v1", Ann));
        Assert.That((reply.Status, reply["Vary"]), Is.EqualTo((200, "Origin")));
        Assert.That(Answers.Select(name => reply["Access-Control-" + name]), Has.All.Null);
        await using Channel closed = await Channel.StartAsync(Programs.Count);
        Assert.That((await closed.AskAsync(RawRequest.Get("/v1")))["Vary"], Is.Null, "nothing does");
        Assert.That((await closed.AskAsync(RawRequest.Get("/v1", "Origin: https://evil.example")))["Vary"], Is.EqualTo("Origin"));
    }

    // Nobody is asked who he is: a browser cannot say so in a preflight.
    [TestCase("/v1/session")]
    [TestCase("/v1/session/x/message")]
    [TestCase("/v1/health")]
    [TestCase("/nope")]
    public async Task A_preflight_is_answered(string path)
    {
        RawResponse reply = await _channel.AskAsync(new RawRequest("OPTIONS", path, $"Origin: {App}", "Access-Control-Request-Method: POST"));
        Assert.That((reply.Status, reply["Content-Length"]), Is.EqualTo((204, (string?)null)));
        Check(reply, App, "Origin, Access-Control-Request-Headers", null);
        Assert.That(reply["Access-Control-Allow-Methods"], Is.EqualTo("GET, HEAD, POST, DELETE"));
        Assert.That((reply["Access-Control-Allow-Headers"], reply["Access-Control-Max-Age"]), Is.EqualTo(((string?)null, "600")));
    }

    [TestCase("content-type", "content-type")]
    [TestCase("authorization,content-type,idempotency-key,last-event-id,prefer,x-continuation-token", "authorization, content-type, idempotency-key, last-event-id, prefer, x-continuation-token")]
    [TestCase("Iris-If-Busy, iris-wake-key", "Iris-If-Busy, iris-wake-key")]
    [TestCase("x-other, authorization, cookie", "authorization")]
    [TestCase("x-other", null)]
    [TestCase("*", null)]
    [TestCase("iris-", null)]
    [TestCase("iris-a b, iris-\"x\"", null)]
    [TestCase("", null)]
    public async Task A_preflight_grants_the_fields_that_are_known(string asked, string? granted)
    {
        RawResponse reply = await _channel.AskAsync(new RawRequest(
            "OPTIONS", "/v1/session", $"Origin: {App}", "Access-Control-Request-Method: POST", $"Access-Control-Request-Headers: {asked}"));
        Assert.That((reply.Status, reply["Access-Control-Allow-Headers"]), Is.EqualTo((204, granted)));
    }

    private static void Check(RawResponse reply, string origin, string vary, string? exposed)
    {
        Assert.That(
            (reply["Access-Control-Allow-Origin"], reply["Vary"], reply["Access-Control-Expose-Headers"], reply["Access-Control-Allow-Credentials"]),
            Is.EqualTo((origin, vary, exposed, (string?)null)));
    }
}
