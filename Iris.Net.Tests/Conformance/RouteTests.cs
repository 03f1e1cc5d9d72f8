using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>What stands where, and what is said where nothing stands.</summary>
public sealed class RouteTests
{
    private Channel _channel = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _channel = await Channel.StartAsync(Programs.Count);

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    [TestCase("/v1/sessions", "/v1/sessions")]
    [TestCase("/v1/session/", "/v1/session/")]
    [TestCase("/v1/session/x", "/v1/session/x")]
    [TestCase("/v1/session/x/message/", "/v1/session/x/message/")]
    [TestCase("/v1/session//message", "/v1/session//message")]
    [TestCase("/v1/session/a/b/message", "/v1/session/a/b/message")]
    [TestCase("/v1/Session", "/v1/Session")]
    [TestCase("/v2/session", "/v2/session")]
    [TestCase("/v1/ws", "/v1/ws")]
    [TestCase("/v1/health", "/v1/health")]
    [TestCase("/", "/")]
    [TestCase("//v1/session", "//v1/session")]
    [TestCase("/nope?stream=1&a=/b", "/nope")]
    [TestCase("/a%2Fb/%ZZ/%41", "/a%2Fb/%ZZ/%41")]
    public async Task A_POST_where_nothing_takes_it_has_no_route(string target, string named)
    {
        RawResponse refusal = await _channel.AskAsync(RawRequest.Post(target, "{}", "Accept: text/event-stream"));
        WireForm.CheckRefusal(refusal, 404, $"no route for {named}", "no-route");
    }

    [TestCase("GET", "/v1/session")]
    [TestCase("PUT", "/v1/session")]
    [TestCase("OPTIONS", "/nope")]
    [TestCase("PATCH", "/v1/session/x/message")]
    [TestCase("GET", "/v1/session/x/message")]
    [TestCase("DELETE", "/v1/session/x/message")]
    [TestCase("GET", "/nope")]
    [TestCase("DELETE", "/v1/sessions/all")]
    [TestCase("GET", "/v1/ws")]
    [TestCase("PUT", "/v1/ws")]
    [TestCase("PUT", "/v1/health")]
    [TestCase("get", "/v1/session")]
    [TestCase("post", "/v1/session")]
    [TestCase("BREW", "/")]
    [TestCase("X-Y_Z!#$", "/")]
    public async Task Any_other_method_that_a_path_does_not_serve_is_refused_with_what_it_serves(string method, string target)
    {
        RawResponse refusal = await _channel.AskAsync(new RawRequest(method, target) { Body = "no JSON"u8.ToArray() });
        WireForm.CheckRefusal(refusal, 405, $"method {method} not allowed", "method-not-allowed");
        if (target is not ("/v1/ws" or "/v1/health"))
            Assert.That(refusal["Allow"], Is.EqualTo("POST"));
        else
            Assert.That(refusal["Allow"], Is.Not.Null);
    }

    [Test]
    public async Task HEAD_gets_the_head_of_the_refusal_alone()
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        RawResponse refusal = await connection.AskAsync(new RawRequest("HEAD", "/v1/session"));
        Assert.That(
            (refusal.Status, refusal["Content-Type"], refusal["Allow"], refusal["Iris-Refusal"]),
            Is.EqualTo((405, "application/json", "POST", "method-not-allowed")));
        Assert.That((await connection.AskAsync(RawRequest.Get("/v1/health"))).Status, Is.EqualTo(200), "no body stood between");
    }

    [TestCase("/v1/session", null, false)]
    [TestCase("/v1/session", "*/*", false)]
    [TestCase("/v1/session", "application/json", false)]
    [TestCase("/v1/session", "text/event-stream", true)]
    [TestCase("/v1/session", "application/json, text/event-stream;q=0.5", true)]
    [TestCase("/v1/session?stream=1", null, true)]
    [TestCase("/v1/session?stream=1", "application/json", true)]
    [TestCase("/v1/session?a=b&stream=1&c", null, true)]
    [TestCase("/v1/session?stream=0", null, false)]
    [TestCase("/v1/session?stream", null, false)]
    [TestCase("/v1/session?stream=11", null, false)]
    [TestCase("/v1/session?xstream=1", null, false)]
    [TestCase("/v1/session?anything=else", null, false)]
    [TestCase("/v1/session?", null, false)]
    public async Task A_stream_is_chosen_by_Accept_or_by_the_query(string target, string? accept, bool streams)
    {
        RawResponse reply = await _channel.AskAsync(RawRequest.Post(target, "{}", accept is null ? [] : [$"Accept: {accept}"]));
        Assert.That((reply.Status, reply["Content-Type"]), Is.EqualTo((200, streams ? "text/event-stream" : "application/json")));
        Assert.That(reply["Transfer-Encoding"], Is.EqualTo(streams ? "chunked" : null));
    }

    [Test]
    public async Task A_connection_serves_request_after_request_of_every_kind()
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        foreach ((RawRequest request, int status) in ((RawRequest, int)[])
        [
            (RawRequest.Post("/v1/session", "{}"), 200),
            (RawRequest.Post("/v1/session?stream=1", "{}"), 200),
            (RawRequest.Post("/v1/session", "{"), 400),
            (RawRequest.Post("/v1/nope", "{}"), 404),
            (RawRequest.Get("/v1/session"), 405),
            (RawRequest.Post("/v1/session/x/message", "{}"), 404),
            (RawRequest.Get("/v1/health"), 200),
            (RawRequest.Post("/v1/session", "[]"), 200),
        ])
        {
            Assert.That((await connection.AskAsync(request)).Status, Is.EqualTo(status), request.Target);
        }
    }

    [Test]
    public async Task Requests_sent_at_once_are_answered_in_their_order()
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        await connection.WriteAsync((byte[])
        [
            .. RawRequest.Post("/v1/session?stream=1", "{}").Bytes(_channel.Url),
            .. RawRequest.Post("/v1/session/one/message", "{}").Bytes(_channel.Url),
            .. RawRequest.Post("/v1/session", "{}").Bytes(_channel.Url),
            .. RawRequest.Post("/v1/session/two/message", "{}").Bytes(_channel.Url),
        ]);
        Assert.That((await connection.ReadResponseAsync())["Content-Type"], Is.EqualTo("text/event-stream"));
        Assert.That((await connection.ReadResponseAsync()).Text, Does.Contain("unknown session 'one'"));
        Assert.That((await connection.ReadResponseAsync()).Text, Does.Contain("\"finished\""));
        Assert.That((await connection.ReadResponseAsync()).Text, Does.Contain("unknown session 'two'"));
    }

    [TestCase("GET")]
    [TestCase("HEAD")]
    public async Task Health_is_answered_whoever_asks(string method)
    {
        foreach (string[] fields in (string[][])[[], ["Host: evil.example"], ["Origin: https://evil.example"], ["Accept: text/event-stream"]])
        {
            RawResponse reply = await _channel.AskAsync(new RawRequest(method, "/v1/health", fields));
            Assert.That(reply.Status, Is.EqualTo(200), reply.ToString());
            WireForm.CheckReply(reply);
            Assert.That(reply.Text, Is.EqualTo(method == "HEAD" ? "" : """{"status":"ok"}"""));
        }
    }
}
