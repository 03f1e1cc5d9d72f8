using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>A WebSocket's messages with <c>$key</c>, which come again.</summary>
public sealed class MessageKeyTests
{
    private const string Key = "a-key-of-twenty-and-more";

    private static string TokenOf(string outcome) => JsonElement.Parse(outcome).GetProperty("continuationToken").GetString()!;

    private static string SessionOf(string outcome) => JsonElement.Parse(outcome).GetProperty("sessionId").GetString()!;

    [TestCase("5")]
    [TestCase("null")]
    [TestCase("{}")]
    [TestCase("\"\"")]
    [TestCase("\"a key of twenty and more\"")]
    [TestCase("\"a-key-of-twenty-and-m\u00f6re\"")]
    [TestCase("\"nineteen-characters\"")]
    [TestCase("\"a-key-of-twenty-and-more\",\"$key\":5")]
    public async Task What_is_no_key_is_a_bad_request_and_runs_nothing(string key)
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync((turn, _) => Programs.Finish(JsonValue.Create(++runs)));
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync($$"""{"$ref":1,"$key":{{key}}}""");
        Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo("""{"type":"error","message":"bad request","code":"bad-request","ref":1}"""));
        await socket.SendAsync("{}");
        Assert.That((await socket.ReceiveToOutcomeAsync())[^1], Does.Contain("\"output\":1"));
        if (!key.Contains("nineteen", StringComparison.Ordinal))
        {
            await socket.SendAsync($$"""{"$key":{{key}}}""");
            Assert.That(await socket.ReceiveTextAsync(), Does.Contain("\"bad-request\""));
        }

        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public async Task A_key_is_cut_from_the_body_and_is_the_same_as_that_of_a_header()
    {
        await using Channel channel = await Channel.StartAsync((turn, _) => Programs.Finish(turn.Body));
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync($$"""{"$key":"\"{{Key}}\"","a":1}""");
        List<string> events = await socket.ReceiveToOutcomeAsync();
        Assert.That(events[^1], Does.Contain("\"output\":{\"a\":1}"));
        RawResponse posted = await channel.AskAsync(RawRequest.Post("/v1/session", """{"a":1}""", $"Idempotency-Key: {Key}"));
        Assert.That(posted["Idempotency-Replayed"], Is.EqualTo("true"));
        Assert.That(posted.Json.GetProperty("continuationToken").GetString(), Is.EqualTo(TokenOf(events[^1])));
        Assert.That(posted.Json.GetProperty("sessionId").GetString(), Is.EqualTo(SessionOf(events[^1])));
    }

    [Test]
    public async Task A_start_that_comes_again_enters_the_same_session_and_gets_its_records_and_outcome()
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("live", cancel);
            return TurnOutcome.Finished(JsonValue.Create(await Programs.StepAsync(turn, "s", () => ++runs)));
        });
        List<string> first;
        await using (RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url))
        {
            await socket.SendAsync($$"""{"$key":"{{Key}}"}""");
            first = await socket.ReceiveToOutcomeAsync();
        }

        await using RawWebSocket again = await RawWebSocket.OpenAsync(channel.Url);
        await again.SendAsync($$"""{ "$key" : "{{Key}}" , "$ref":7 }""");
        List<string> replayed = await again.ReceiveToOutcomeAsync();
        Assert.That(replayed.Select(Bare), Is.EqualTo(first.Skip(1).Select(Bare)), "all but the text");
        Assert.That(replayed, Has.All.Contain(",\"ref\":7,\"id\":\"1."));
        await again.SendAsync("{}");
        List<string> next = await again.ReceiveToOutcomeAsync();
        Assert.That(next[^1], Does.Contain("\"output\":2").And.Contain(SessionOf(first[^1])), "it is bound to the session");
        await using RawWebSocket late = await RawWebSocket.OpenAsync(channel.Url);
        await late.SendAsync($$"""{"$key":"{{Key}}"}""");
        Assert.That(await late.ReceiveTextAsync(), Does.Contain("\"stale-token\""), "the session went on");
        Assert.That(runs, Is.EqualTo(2));
    }

    // An event without what differs between a live one and one from the journal.
    private static string Bare(string message) =>
        message[..(message.IndexOf(",\"ref\":", StringComparison.Ordinal) is >= 0 and var at ? at : message.LastIndexOf(",\"id\":", StringComparison.Ordinal))];

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_message_that_comes_again_on_its_connection_is_the_same_request(bool isAttached)
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync((turn, _) => Programs.Finish(JsonValue.Create(++runs)));
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        if (isAttached)
        {
            RawResponse start = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
            await socket.SendAsync($$"""{"$iris":"attach","sessionId":"{{start.Json.GetProperty("sessionId").GetString()}}","continuationToken":"{{start.Json.GetProperty("continuationToken").GetString()}}"}""");
        }
        else
            await socket.SendAsync("{}");
        string spent = TokenOf((await socket.ReceiveToOutcomeAsync())[^1]);
        await socket.SendAsync("""{"$key":"k","a":1}""");
        List<string> events = await socket.ReceiveToOutcomeAsync();
        foreach (string again in (string[])["""{"$key":"k","a":1}""", $$"""{"$key":"k","a":1,"continuationToken":"{{spent}}"}"""])
        {
            await socket.SendAsync(again);
            List<string> replayed = await socket.ReceiveToOutcomeAsync();
            Assert.That(replayed.Select(Bare), Is.EqualTo(events.Select(Bare)));
        }

        foreach (string other in (string[])[
            """{"$key":"k","a":2}""", $$"""{"$key":"k","a":2,"continuationToken":"{{spent}}"}""",
            $$"""{"$key":"k","a":1,"continuationToken":"{{TokenOf(events[^1])}}"}"""])
        {
            await socket.SendAsync(other);
            Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo(
                """{"type":"error","message":"Idempotency-Key was already used with a different request","code":"idempotency-mismatch"}"""));
        }

        await socket.SendAsync($$"""{"$key":"other","a":1,"continuationToken":"{{spent}}"}""");
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("\"stale-token\""));
        await socket.SendAsync("""{"$key":"next","a":1}""");
        Assert.That((await socket.ReceiveToOutcomeAsync())[^1], Does.Contain("\"output\":3"));
        Assert.That(runs, Is.EqualTo(3));
    }

    [Test]
    public async Task One_that_comes_again_while_its_turn_runs_attaches_to_it()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await Programs.StepAsync(turn, "one", () => 1);
            await gate.PassAsync();
            await turn.DeltaAsync("live", cancel);
            await Programs.StepAsync(turn, "two", () => 2);
            return TurnOutcome.Finished();
        });
        await using RawWebSocket first = await RawWebSocket.OpenAsync(channel.Url), second = await RawWebSocket.OpenAsync(channel.Url);
        await first.SendAsync($$"""{"$key":"{{Key}}"}""");
        await gate.ReachedAsync();
        await second.SendAsync($$"""{"$key":"{{Key}}","$ref":2}""");
        Assert.That(await second.ReceiveTextAsync(), Does.Contain("effect_intent").And.Contain(",\"ref\":2,\"id\""));
        gate.Open();
        List<string> all = await first.ReceiveToOutcomeAsync(), rest = await second.ReceiveToOutcomeAsync();
        Assert.That(rest.Select(Bare), Is.EqualTo(all.Skip(1).Select(Bare)));
        await second.SendAsync("{}");
        Assert.That((await second.ReceiveToOutcomeAsync())[^1], Does.Contain(SessionOf(all[^1])));
    }

    [Test]
    public async Task On_an_attached_connection_the_rest_of_the_running_turn_carries_the_ref()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number > 1)
                await gate.PassAsync();
            return TurnOutcome.Finished();
        });
        await using RawWebSocket first = await RawWebSocket.OpenAsync(channel.Url), second = await RawWebSocket.OpenAsync(channel.Url);
        await first.SendAsync("{}");
        string start = (await first.ReceiveToOutcomeAsync())[^1];
        await first.SendAsync("""{"$key":"k"}""");
        await gate.ReachedAsync();
        await second.SendAsync($$"""{"$iris":"attach","sessionId":"{{SessionOf(start)}}","continuationToken":"{{TokenOf(start)}}"}""");
        Assert.That(await second.ReceiveTextAsync(), Does.Contain("\"turn\":2,\"live\":true"));
        await second.SendAsync("""{"$key":"k","$ref":2}""");
        await second.SendAsync("""{"$key":"other","$ref":3}""");
        Assert.That(await second.ReceiveTextAsync(), Does.Contain("\"in-flight\",\"ref\":3"));
        gate.Open();
        Assert.That(await second.ReceiveToOutcomeAsync(), Has.All.Contain(",\"ref\":2,\"id\":\"2."));
        Assert.That(await first.ReceiveToOutcomeAsync(), Has.None.Contain("ref"));
    }
}
