using System.Text.Json;
using System.Text.Json.Nodes;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a turn gets and what its reply says, over all three faces.</summary>
[TestFixture(Face.Json)]
[TestFixture(Face.Sse)]
[TestFixture(Face.WebSocket)]
public sealed class TurnTests(Face face)
{
    // Far ahead, or it would wake the session.
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeMilliseconds(4102444800000);

    [Test]
    public async Task Output_stands_in_the_reply_where_the_program_gave_one()
    {
        await using Channel channel = await Channel.StartAsync((turn, _) => turn.Field("give") switch
        {
            "null" => Programs.Finish(JsonPayload.Null),
            "object" => Programs.Finish(new JsonObject { ["turn"] = 1 }),
            _ => Programs.Finish(),
        });
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("""{"give":"object"}""")).Output, Is.EqualTo("""{"turn":1}"""));
        Assert.That((await client.SendAsync("""{"give":"null"}""")).Output, Is.EqualTo("null"));
        Assert.That((await client.SendAsync("""{"give":"none"}""")).Output, Is.Null);
    }

    [TestCase("user", """{"kind":"user"}""")]
    [TestCase("signal", """{"kind":"signal","name":"hitl:c1"}""")]
    [TestCase("timer", """{"kind":"timer","at":4102444800000}""")]
    public async Task A_parked_turn_says_what_it_waits_for(string kind, string wait)
    {
        await using Channel channel = await Channel.StartAsync((turn, _) => ValueTask.FromResult(kind switch
        {
            "user" => TurnOutcome.ParkedOnUser(),
            "signal" => TurnOutcome.ParkedOnSignal("hitl:c1"),
            _ => TurnOutcome.ParkedOnTimer(At),
        }));
        await using SessionClient client = channel.Client(face);
        TurnReply reply = await client.SendAsync("{}");
        Assert.That((reply.Status, reply.Wait), Is.EqualTo(("parked", wait)));
    }

    [Test]
    public async Task A_timer_is_told_in_whole_milliseconds()
    {
        await using Channel channel = await Channel.StartAsync(
            (_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnTimer(new DateTimeOffset(2190, 1, 1, 1, 2, 3, 4, 567, TimeSpan.FromHours(2)))));
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("{}")).Wait, Is.EqualTo("""{"kind":"timer","at":6942582123004}"""));
    }

    [Test]
    public async Task A_commit_rotates_the_token_and_nothing_else_does()
    {
        await using Channel channel = await Channel.StartAsync((turn, _) => ValueTask.FromResult(turn.Field("end") switch
        {
            "finish" => TurnOutcome.Finished(),
            "park" => TurnOutcome.ParkedOnUser(),
            "contend" => TurnOutcome.Contended(7),
            "abort" => TurnOutcome.Aborted("the program's own reason"),
            _ => throw new InvalidOperationException("boom"),
        }));
        await using SessionClient client = channel.Client(face);
        HashSet<string> tokens = [];
        foreach (string end in (string[])["finish", "park", "contend", "finish", "abort", "park", "throw", "finish", "finish"])
        {
            string? before = client.Token;
            TurnReply reply = await client.SendAsync($$"""{"end":"{{end}}"}""");
            bool commits = end is "finish" or "park";
            Assert.That(client.Token, commits ? Is.Not.EqualTo(before) : Is.EqualTo(before), $"after {end}: {reply}");
            Assert.That(!commits || tokens.Add(client.Token!), "a token never comes twice");
            Assert.That(reply.ToString(), Does.Not.Contain("the program's own reason"));
            if (end == "contend")
                Assert.That((reply.Status, reply.Current), Is.EqualTo(("contended", "7")));
        }
    }

    [TestCase("contend", "contended")]
    [TestCase("abort", "aborted")]
    public async Task A_start_that_does_not_commit_gives_the_token_that_starts_turn_1(string end, string status)
    {
        await using Channel channel = await Channel.StartAsync((turn, _) => turn.Field("end") switch
        {
            "contend" => ValueTask.FromResult(TurnOutcome.Contended(long.MaxValue)),
            "abort" => ValueTask.FromResult(TurnOutcome.Aborted()),
            _ => Programs.Finish(JsonValue.Create(turn.Number)),
        });
        await using SessionClient client = channel.Client(face);
        TurnReply failed = await client.SendAsync($$"""{"end":"{{end}}"}""");
        Assert.That(failed.Status, Is.EqualTo(status));
        Assert.That(failed.Current, Is.EqualTo(end == "contend" ? "9223372036854775807" : null));
        TurnReply next = await client.SendAsync("{}", failed.Token);
        Assert.That((next.Status, next.Output), Is.EqualTo(("finished", "1")));
        Assert.That(next.Token, Is.Not.EqualTo(failed.Token));
    }

    [Test]
    public async Task Turns_are_numbered_by_commits_and_attempts_by_tries_of_one_request()
    {
        await using Channel channel = await Channel.StartAsync((turn, _) =>
        {
            JsonObject seen = new() { ["turn"] = turn.Number, ["attempt"] = turn.Attempt };
            return turn.Field("end") == "abort" ? ValueTask.FromResult(TurnOutcome.Aborted())
                : turn.Field("end") == "park" ? ValueTask.FromResult(TurnOutcome.ParkedOnUser())
                : turn.Field("end") == "once" && turn.Attempt == 1 ? throw new InvalidOperationException("once")
                : Programs.Finish(seen);
        });
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("""{"turn":1,"attempt":1}"""));
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("""{"turn":2,"attempt":1}"""));
        Assert.That((await client.SendAsync("""{"end":"abort"}""")).Status, Is.EqualTo("aborted"));
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("""{"turn":3,"attempt":1}"""));
        Assert.That((await client.SendAsync("""{"end":"park"}""")).Status, Is.EqualTo("parked"));
        Assert.That((await client.SendAsync("""{"end":"once"}""")).Code, Is.EqualTo("turn-failed"));
        Assert.That((await client.SendAsync("""{"end":"once"}""")).Output, Is.EqualTo("""{"turn":5,"attempt":2}"""));
    }

    [Test]
    public async Task State_goes_from_commit_to_commit_and_no_failure_touches_it()
    {
        await using Channel channel = await Channel.StartAsync((turn, _) =>
        {
            JsonElement had = turn.State ?? JsonElement.Parse("\"none\"");
            JsonPayload next = turn.Body.ValueKind == JsonValueKind.Object && turn.Body.TryGetProperty("state", out JsonElement state)
                ? state : default(JsonPayload);
            return ValueTask.FromResult(turn.Field("end") switch
            {
                "abort" => TurnOutcome.Aborted(),
                "throw" => throw new InvalidOperationException("boom"),
                "park" => TurnOutcome.ParkedOnUser(next),
                "signal" => TurnOutcome.ParkedOnSignal("go", next),
                _ => TurnOutcome.Finished(had, next),
            });
        });
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("""{"state":{"n":1.50}}""")).Output, Is.EqualTo("\"none\""));
        await client.SendAsync("""{"end":"abort","state":2}""");
        await client.SendAsync("""{"end":"throw","state":3}""");
        Assert.That((await client.SendAsync("""{"state":null}""")).Output, Is.EqualTo("""{"n":1.50}"""));
        Assert.That((await client.SendAsync("""{"end":"park","state":[4]}""")).Status, Is.EqualTo("parked"));
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("[4]"));
        Assert.That((await client.SendAsync("""{"end":"signal","state":5}""")).Status, Is.EqualTo("parked"));
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("5"));
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("\"none\""), "a commit without state leaves none");
    }

    [TestCase("null")]
    [TestCase("5")]
    [TestCase("-0.10e+2")]
    [TestCase("123456789012345678901234567890.00001")]
    [TestCase("true")]
    [TestCase("\"text\"")]
    [TestCase("\"\"")]
    [TestCase("[]")]
    [TestCase("[[],{},null]")]
    [TestCase("{}")]
    [TestCase("""{"b":1,"a":{"continuationToken":"inner"}}""")]
    [TestCase("""{"<&>'é😀":"<&>'é😀\u0000\u001f\"\\/"}""")]
    public async Task Any_JSON_value_is_a_body_and_passes_through(string body)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Echo);
        await using SessionClient client = channel.Client(face);
        foreach (string _ in (string[])["the start", "a message"])
        {
            TurnReply reply = await client.SendAsync(body);
            Assert.That(reply.Status, Is.EqualTo("finished"), reply.ToString());
            Assert.That(JsonElement.DeepEquals(JsonElement.Parse(reply.Output!), JsonElement.Parse(body)), $"{reply}");
            if (!body.Contains('"', StringComparison.Ordinal))
                Assert.That(reply.Output, Is.EqualTo(body), "numbers keep their digits");
        }
    }

    [Test]
    public async Task The_program_never_sees_the_token()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Echo);
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        TurnReply reply = await client.SendAsync("""{"a":1,"b":2}""", client.Token);
        Assert.That(reply.Output, Is.EqualTo("""{"a":1,"b":2}"""));
    }

    [Test]
    public async Task Ids_and_tokens_are_minted_as_the_options_say()
    {
        int ids = 0, tokens = 0;
        await using Channel channel = await Channel.StartAsync(
            Programs.Count,
            options => options with { MintSessionId = () => $"session.{ids++}", MintToken = () => $"token {tokens++}" });
        await using SessionClient client = channel.Client(face);
        TurnReply first = await client.SendAsync("{}");
        Assert.That(first.SessionId, Does.Match("^session\\.[0-9]$"));
        Assert.That(first.Token, Does.Match("^token [0-9]$"));
        TurnReply second = await client.SendAsync("{}");
        Assert.That((second.Output, second.SessionId), Is.EqualTo(("2", first.SessionId)));
        Assert.That(second.Token, Does.Match("^token [0-9]$").And.Not.EqualTo(first.Token));
    }

    [Test]
    public async Task Ids_have_16_random_bytes_and_tokens_32()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        HashSet<string> seen = [];
        for (int i = 0; i < 20; i++)
        {
            await using SessionClient client = channel.Client(face);
            TurnReply reply = await client.SendAsync("{}");
            Assert.That(reply.SessionId, Does.Match("^[A-Za-z0-9_-]{22}$"));
            Assert.That(reply.Token, Does.Match("^[A-Za-z0-9_-]{43}$"));
            Assert.That(seen.Add(reply.SessionId!) && seen.Add(reply.Token!));
        }
    }

    [Test]
    public async Task A_session_started_here_goes_on_over_every_face()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        await using SessionClient first = channel.Client(face);
        await first.SendAsync("{}");
        await using HttpSessionClient buffered = HttpSessionClient.Of(channel.Url, streams: false, first.SessionId!, first.Token!);
        Assert.That((await buffered.SendAsync("{}")).Output, Is.EqualTo("2"));
        await using HttpSessionClient streamed = HttpSessionClient.Of(channel.Url, streams: true, buffered.SessionId!, buffered.Token!);
        Assert.That((await streamed.SendAsync("{}")).Output, Is.EqualTo("3"));
        if (face == Face.WebSocket)
            Assert.That((await first.SendAsync("{}")).Output, Is.EqualTo("4"), "the connection authorises its messages");
        else
            Assert.That((await first.SendAsync("{}")).Code, Is.EqualTo("stale-token"));
    }

    [Test]
    public async Task Sessions_do_not_touch_each_other()
    {
        await using Channel channel = await Channel.StartAsync((turn, _) => ValueTask.FromResult(
            TurnOutcome.Finished(turn.State ?? JsonElement.Parse("null"), turn.Body)));
        SessionClient[] clients = Enumerable.Range(0, 8).Select(_ => channel.Client(face)).ToArray();
        for (int round = 0; round < 5; round++)
        {
            TurnReply[] replies = await Task.WhenAll(clients.Select((client, i) => client.SendAsync($"[{i},{round}]")));
            Assert.That(
                replies.Select(reply => reply.Output),
                Is.EqualTo(clients.Select((_, i) => round == 0 ? "null" : $"[{i},{round - 1}]")));
        }

        foreach (SessionClient client in clients)
            await client.DisposeAsync();
    }
}
