using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>Who may not continue a session, in the order of the checks; asked for a buffered reply and for a stream, since
/// a refusal never opens one.</summary>
[TestFixture("Accept: */*")]
[TestFixture("Accept: text/event-stream")]
public sealed class ContinueRefusalTests(string accept)
{
    private const string Unknown = "unknown-session", Missing = "missing-token", Stale = "stale-token";

    private Channel _channel = null!;
    private string _session = "";
    private string _token = "";
    private string _spent = "";
    private int _runs;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _channel = await Channel.StartAsync((turn, cancel) =>
        {
            _runs++;
            return Programs.Count(turn, cancel);
        });
        await using SessionClient client = _channel.Client(Face.Json);
        _spent = (await client.SendAsync("{}")).Token!;
        await client.SendAsync("{}");
        (_session, _token) = (client.SessionId!, client.Token!);
    }

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    // $T is the current token, $S the spent one.
    [TestCase("{}", "", Missing, TestName = "{m}(no token)")]
    [TestCase("", "", Missing, TestName = "{m}(no body, no token)")]
    [TestCase("null", "", Missing, TestName = "{m}(body null, no token)")]
    [TestCase("\"$T\"", "", Missing, TestName = "{m}(a string is no object)")]
    [TestCase("[{\"continuationToken\":\"$T\"}]", "", Missing, TestName = "{m}(an array is no object)")]
    [TestCase("{\"a\":{\"continuationToken\":\"$T\"}}", "", Missing, TestName = "{m}(a token deeper down)")]
    [TestCase("{\"ContinuationToken\":\"$T\"}", "", Missing, TestName = "{m}(a field of another case)")]
    [TestCase("{\"continuationToken\":5}", "", Missing, TestName = "{m}(a number)")]
    [TestCase("{\"continuationToken\":null}", "", Missing, TestName = "{m}(null)")]
    [TestCase("{\"continuationToken\":[\"$T\"]}", "", Missing, TestName = "{m}(an array)")]
    [TestCase("{\"continuationToken\":\"\"}", "", Missing, TestName = "{m}(an empty string)")]
    [TestCase("{\"continuationToken\":\"\"}", "X-Continuation-Token: $T", Missing, TestName = "{m}(an empty string, whatever the header says)")]
    [TestCase("{\"continuationToken\":\"$T\",\"continuationToken\":\"\"}", "X-Continuation-Token: $T", Missing, TestName = "{m}(of two the last counts: empty)")]
    [TestCase("{\"continuationToken\":\"$T\",\"continuationToken\":null}", "", Missing, TestName = "{m}(of two the last counts: null)")]
    [TestCase("{}", "X-Continuation-Token:", Missing, TestName = "{m}(an empty header)")]
    [TestCase("{}", "Authorization: Bearer $T", Missing, TestName = "{m}(another header)")]
    [TestCase("{\"continuationToken\":\"$S\"}", "", Stale, TestName = "{m}(a spent token)")]
    [TestCase("{}", "X-Continuation-Token: $S", Stale, TestName = "{m}(a spent token in the header)")]
    [TestCase("{\"continuationToken\":\"$S\"}", "X-Continuation-Token: $T", Stale, TestName = "{m}(the body's token counts before the header's)")]
    [TestCase("{\"continuationToken\":\"$T\",\"continuationToken\":\"$S\"}", "", Stale, TestName = "{m}(of two the last counts: spent)")]
    [TestCase("{}", "X-Continuation-Token: $T\r\nX-Continuation-Token: $T", Stale, TestName = "{m}(a repeated header)")]
    [TestCase("{}", "X-Continuation-Token: $T, $T", Stale, TestName = "{m}(a listed header)")]
    [TestCase("{}", "X-Continuation-Token: $T$T", Stale, TestName = "{m}(the token twice)")]
    [TestCase("{}", "X-Continuation-Token: x", Stale, TestName = "{m}(a short token)")]
    [TestCase("{\"continuationToken\":\" $T\"}", "", Stale, TestName = "{m}(a token with a blank)")]
    [TestCase("{\"continuationToken\":\"é\\u0000😀\"}", "", Stale, TestName = "{m}(a token of other characters)")]
    public async Task Nothing_runs_without_the_current_token(string body, string field, string code)
    {
        int before = _runs;
        List<string> fields = [accept];
        if (field.Length > 0)
            fields.Add(Fill(field));
        RawResponse refusal = await _channel.AskAsync(RawRequest.Post($"/v1/session/{_session}/message", Fill(body), [.. fields]));
        if (code == Missing)
            WireForm.CheckRefusal(refusal, 400, "missing continuationToken", Missing);
        else
            WireForm.CheckRefusal(refusal, 409, "stale or invalid continuationToken", Stale);
        Assert.That(_runs, Is.EqualTo(before));
    }

    [TestCase("{\"continuationToken\":\"$T\"}", "")]
    [TestCase("{}", "X-Continuation-Token: $T")]
    [TestCase("{}", "x-continuation-token:$T  ")]
    [TestCase("", "X-Continuation-Token: $T")]
    [TestCase("null", "X-Continuation-Token: $T")]
    [TestCase("[]", "X-Continuation-Token: $T")]
    [TestCase("{\"continuationToken\":5}", "X-Continuation-Token: $T")]
    [TestCase("{\"continuationToken\":null}", "X-Continuation-Token: $T")]
    [TestCase("{\"continuationToken\":\"$T\"}", "X-Continuation-Token: $S")]
    [TestCase("{\"continuationToken\":\"$T\"}", "X-Continuation-Token: $S\r\nX-Continuation-Token: $S")]
    [TestCase("{\"continuationToken\":\"$S\",\"continuationToken\":\"$T\"}", "")]
    [TestCase("{\"continuationToken\":\"$S\",\"continuationToken\":5}", "X-Continuation-Token: $T")]
    [TestCase("{\"\\u0063ontinuationToken\":\"$T\"}", "")]
    public async Task The_current_token_runs_a_turn(string body, string field)
    {
        await using SessionClient client = _channel.Client(Face.Json);
        string spent = (await client.SendAsync("{}")).Token!;
        string current = (await client.SendAsync("{}")).Token!;
        List<string> fields = [accept];
        if (field.Length > 0)
            fields.Add(Fill(field));
        RawResponse reply = await _channel.AskAsync(RawRequest.Post($"/v1/session/{client.SessionId}/message", Fill(body), [.. fields]));
        Assert.That(reply.Status, Is.EqualTo(200), reply.ToString());
        Assert.That(reply.Text, Does.Contain("\"output\":3"));

        string Fill(string text) => text.Replace("$T", current, StringComparison.Ordinal).Replace("$S", spent, StringComparison.Ordinal);
    }

    [TestCase("nope", "nope")]
    [TestCase("a%2Fb", "a/b")]
    [TestCase("a%2fb", "a/b")]
    [TestCase("%6eope", "nope")]
    [TestCase("a+b", "a+b")]
    [TestCase("a%20b", "a b")]
    [TestCase("%C3%A9%F0%9F%98%80", "é😀")]
    [TestCase("%22%5C'", "\"\\'")]
    [TestCase("..", "..")]
    [TestCase("%2e%2e%2f", "../")]
    [TestCase("%25ZZ", "%ZZ")]
    public async Task An_unknown_session_is_named_decoded(string sent, string named)
    {
        foreach (string body in (string[])["{}", "{\"continuationToken\":\"\"}", "{\"continuationToken\":\"$T\"}", ""])
        {
            RawResponse refusal = await _channel.AskAsync(RawRequest.Post($"/v1/session/{sent}/message", Fill(body), accept));
            WireForm.CheckRefusal(refusal, 404, $"unknown session '{named}'", Unknown);
        }
    }

    [TestCase(128)]
    [TestCase(129)]
    [TestCase(4000)]
    public async Task A_session_id_over_128_characters_is_not_echoed(int length)
    {
        string id = new('x', length);
        RawResponse refusal = await _channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", "{}", accept));
        WireForm.CheckRefusal(refusal, 404, length > 128 ? "unknown session" : $"unknown session '{id}'", Unknown);
    }

    [TestCase(512)]
    [TestCase(513)]
    [TestCase(8000)]
    public async Task A_token_however_long_is_stale(int length)
    {
        string token = new('x', length);
        string target = $"/v1/session/{_session}/message";
        foreach (RawRequest request in (RawRequest[])
            [RawRequest.Post(target, $"{{\"continuationToken\":\"{token}\"}}", accept), RawRequest.Post(target, "{}", accept, $"X-Continuation-Token: {token}")])
        {
            RawResponse refusal = await _channel.AskAsync(request);
            WireForm.CheckRefusal(refusal, 409, "stale or invalid continuationToken", Stale);
            Assert.That(refusal.Text, Does.Not.Contain("xxx"));
        }
    }

    [TestCase("%ZZ")]
    [TestCase("%")]
    [TestCase("a%2")]
    [TestCase("%FF")]
    [TestCase("%C3")]
    [TestCase("%C3x")]
    [TestCase("%C0%AF")]
    [TestCase("%ED%A0%80")]
    [TestCase("%F4%90%80%80")]
    public async Task An_escape_that_is_no_encoded_text_is_a_malformed_session_id(string sent)
    {
        RawResponse refusal = await _channel.AskAsync(RawRequest.Post($"/v1/session/{sent}/message", "{}", accept));
        WireForm.CheckRefusal(refusal, 400, "malformed session id", "malformed-path");
    }

    [TestCase("%00")]
    [TestCase("%0a")]
    [TestCase("%0A")]
    [TestCase("x%0dy")]
    public async Task An_encoded_control_character_that_ends_lines_or_strings_is_refused(string sent)
    {
        RawResponse refusal = await _channel.AskAsync(RawRequest.Post($"/v1/session/{sent}/message", "{}", accept));
        Assert.That(refusal.Status, Is.EqualTo(400), refusal.ToString());
        WireForm.CheckRefusal(refusal);
    }

    [Test]
    public async Task While_a_turn_runs_the_current_token_is_in_flight_and_every_other_check_comes_first()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Field("wait") is not null)
                await gate.PassAsync();
            return TurnOutcome.Finished();
        });
        await using SessionClient client = channel.Client(Face.Json);
        string spent = (await client.SendAsync("{}")).Token!;
        await client.SendAsync("{}");
        string current = client.Token!;
        RunningTurn running = await client.BeginAsync("""{"wait":"yes"}""");
        await gate.ReachedAsync();
        string target = $"/v1/session/{client.SessionId}/message";
        WireForm.CheckRefusal(await Ask(target, current), 409, "a turn is already in flight for this session", "in-flight");
        WireForm.CheckRefusal(await Ask(target, spent), 409, "stale or invalid continuationToken", Stale);
        WireForm.CheckRefusal(await Ask(target, "wrong"), 409, "stale or invalid continuationToken", Stale);
        WireForm.CheckRefusal(await Ask(target, ""), 400, "missing continuationToken", Missing);
        WireForm.CheckRefusal(await Ask("/v1/session/nope/message", current), 404, "unknown session 'nope'", Unknown);
        gate.Open();
        Assert.That((await running.EndAsync()).Status, Is.EqualTo("finished"));
        WireForm.CheckRefusal(await Ask(target, current), 409, "stale or invalid continuationToken", Stale);
        Assert.That((await Ask(target, client.Token!)).Status, Is.EqualTo(200));

        Task<RawResponse> Ask(string to, string token) =>
            channel.AskAsync(RawRequest.Post(to, $$"""{"continuationToken":"{{token}}"}""", accept));
    }

    [Test]
    public async Task A_start_ignores_a_token()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Echo);
        foreach (string token in (string[])[_token, "wrong", ""])
        {
            RawResponse reply = await channel.AskAsync(RawRequest.Post(
                "/v1/session", $$"""{"a":1,"continuationToken":"{{token}}"}""", accept, $"X-Continuation-Token: {_token}"));
            Assert.That(reply.Status, Is.EqualTo(200), reply.ToString());
            Assert.That(reply.Text, Does.Contain("\"output\":{\"a\":1}"));
        }
    }

    private string Fill(string text) => text.Replace("$T", _token, StringComparison.Ordinal).Replace("$S", _spent, StringComparison.Ordinal);
}
