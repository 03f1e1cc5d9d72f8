using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>A request with an <c>Idempotency-Key</c> that comes again.</summary>
public sealed class IdempotencyKeyTests
{
    private const string Key = "a-key-of-twenty-and-more";
    private const string Stream = "Accept: text/event-stream";
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    private static RawRequest Start(string body = "{}", string key = Key, params string[] fields) =>
        RawRequest.Post("/v1/session", body, [$"Idempotency-Key: {key}", .. fields]);

    private static RawRequest Send(RawResponse last, string body, string key, params string[] fields) => RawRequest.Post(
        $"/v1/session/{last.Json.GetProperty("sessionId").GetString()}/message", body,
        [$"X-Continuation-Token: {last.Json.GetProperty("continuationToken").GetString()}", $"Idempotency-Key: {key}", .. fields]);

    private static async Task<List<RawEvent>> EventsAsync(RawEventStream stream)
    {
        List<RawEvent> events = [];
        while (await stream.NextAsync() is { } next)
            events.Add(next);
        return events;
    }

    private static List<RawEvent> Events(RawResponse reply) =>
        [.. reply.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Select(text => new RawEvent(text))];

    private static string[] Data(IEnumerable<RawEvent> events, string type) => [.. events.Where(e => e.Type == type).Select(e => e.Data!)];

    private static long Seq(string record) => JsonElement.Parse(record).GetProperty("record").GetProperty("seq").GetInt64();

    [TestCase("")]
    [TestCase("\"\"")]
    [TestCase("\"a-key-of-twenty-and-more")]
    [TestCase("a key of twenty and more")]
    [TestCase("a-key-of-twenty-and-m\u00f6re")]
    [TestCase("nineteen-characters")]
    [TestCase("a-key-of-twenty-and-more|a-key-of-twenty-and-more", TestName = "A_key_that_comes_twice_is_refused")]
    public async Task What_is_no_key_is_refused(string key)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        RawResponse reply = await channel.AskAsync(
            RawRequest.Post("/v1/session", "{}", [.. key.Split('|').Select(one => $"Idempotency-Key: {one}")]));
        WireForm.CheckRefusal(reply, 400, "bad request", "bad-request");
    }

    [Test]
    public async Task A_key_is_the_same_in_quotes_and_without_and_a_body_with_other_spaces()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        RawResponse one = await channel.AskAsync(Start("""{"a":[1]}"""));
        Assert.That(one["Idempotency-Replayed"], Is.Null);
        RawResponse other = await channel.AskAsync(Start(""" { "a" : [ 1 ], "continuationToken":"x" }""", $"\"{Key}\""));
        Assert.That((other.Status, other.Text, other["Iris-Turn"]), Is.EqualTo((200, one.Text, "1")));
        Assert.That(other["Idempotency-Replayed"], Is.EqualTo("true"));
        WireForm.CheckReply(other);
    }

    [Test]
    public async Task Another_body_is_refused_and_runs_nothing()
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync((turn, _) => Programs.Finish(JsonValue.Create(++runs)));
        RawResponse start = await channel.AskAsync(Start("1"));
        WireForm.CheckRefusal(
            await channel.AskAsync(Start("2")), 422, "Idempotency-Key was already used with a different request", "idempotency-mismatch");
        RawResponse next = await channel.AskAsync(Send(start, "1", "k"));
        foreach (RawRequest again in (RawRequest[])[Send(start, "2", "k"), Send(next, "1", "k"), Send(next, "2", "k", Stream)])
            WireForm.CheckRefusal(
                await channel.AskAsync(again), 422, "Idempotency-Key was already used with a different request", "idempotency-mismatch");
        Assert.That((await channel.AskAsync(Send(start, "1", "k"))).Text, Is.EqualTo(next.Text));
        WireForm.CheckRefusal(await channel.AskAsync(Start("1")), 409, "stale or invalid continuationToken", "stale-token");
        RawResponse stale = await channel.AskAsync(Send(start, "1", "other"));
        Assert.That((stale.Status, stale.Json.TryGetProperty("recover", out _)), Is.EqualTo((409, true)));
        Assert.That(runs, Is.EqualTo(2));
    }

    [Test]
    public async Task A_turn_that_failed_is_not_replayed_but_runs_again()
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync((turn, _) =>
            ++runs < 3 ? throw new InvalidOperationException() : Programs.Finish(JsonValue.Create(turn.Attempt)));
        Assert.That((await channel.AskAsync(Start())).Status, Is.EqualTo(500));
        Assert.That((await channel.AskAsync(Start())).Status, Is.EqualTo(500));
        RawResponse reply = await channel.AskAsync(Start());
        Assert.That((reply.Status, reply["Idempotency-Replayed"]), Is.EqualTo((200, (string?)null)));
        Assert.That(reply.Json.GetProperty("output").GetInt32(), Is.EqualTo(3));
    }

    [Test]
    public async Task A_client_that_comes_again_while_its_turn_runs_gets_the_same_reply()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate));
        await using RawConnection lost = await RawConnection.OpenAsync(channel.Url);
        await lost.WriteAsync(Start().Bytes(channel.Url));
        await gate.ReachedAsync();
        Task<RawResponse>[] attached = [channel.AskAsync(Start()), channel.AskAsync(Start())];
        lost.Abort();
        gate.Open();
        RawResponse[] replies = await Task.WhenAll(attached);
        Assert.That(replies[0].Status, Is.EqualTo(200));
        Assert.That(replies[1].Text, Is.EqualTo(replies[0].Text));
        Assert.That((await channel.AskAsync(Start())).Text, Is.EqualTo(replies[0].Text));
    }

    [Test]
    public async Task A_stream_that_attaches_gets_the_records_so_far_and_what_comes()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            await turn.DeltaAsync("lost");
            await Programs.StepAsync(turn, "one", () => 1);
            await gate.PassAsync();
            await turn.DeltaAsync("live");
            await Programs.StepAsync(turn, "two", () => 2);
            return TurnOutcome.Finished(JsonValue.Create("end"));
        });
        Task<RawResponse> first = channel.AskAsync(Start("{}", Key, Stream));
        await gate.ReachedAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(channel.Url);
        await connection.WriteAsync(Start("{}", Key, Stream).Bytes(channel.Url));
        RawHead head = await connection.ReadHeadAsync();
        RawEventStream stream = new(connection);
        Assert.That((head.Status, head["Content-Type"], head["Idempotency-Replayed"]), Is.EqualTo((200, "text/event-stream", (string?)null)));
        Assert.That((await stream.NextAsync())!.Text, Does.Match("^retry: 2000\nid: [0-9]+\\.[0-9]+\\.0\\.[A-Za-z0-9_-]{6}$"));
        Assert.That((await stream.NextAsync())!.Text, Is.EqualTo(": gap delta"));
        string[] early = [(await stream.NextAsync())!.Data!, (await stream.NextAsync())!.Data!];
        gate.Open();
        List<RawEvent> events = await EventsAsync(stream), all = Events(await first);
        Assert.That(Data(all, "record"), Is.EqualTo((string[])[.. early, .. Data(events, "record")]));
        Assert.That(events.Select(e => e.Type), Is.EqualTo(["delta", "record", "record", "record", "outcome"]));
        Assert.That(events[^1].Data, Is.EqualTo(all[^1].Data));

        // Once it is over: its records and its outcome, and no text.
        RawResponse replayed = await channel.AskAsync(Start("{}", Key, Stream));
        Assert.That(replayed["Idempotency-Replayed"], Is.EqualTo("true"));
        Assert.That(Data(Events(replayed), "record"), Is.EqualTo(Data(all, "record")));
        Assert.That(
            Events(replayed).Select(e => e.Type), Is.EqualTo([null, "record", "record", "record", "record", "record", "outcome"]));
        Assert.That(Events(replayed)[^1].Data, Is.EqualTo(all[^1].Data));
    }

    [Test]
    public async Task A_stream_that_attaches_where_no_text_was_lost_says_nothing_of_a_gap()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            await gate.PassAsync();
            await turn.DeltaAsync("live");
            return TurnOutcome.Finished();
        });
        Task<RawResponse> first = channel.AskAsync(Start("{}", Key, Stream));
        await gate.ReachedAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(channel.Url);
        await connection.WriteAsync(Start("{}", Key, Stream).Bytes(channel.Url));
        await connection.ReadHeadAsync();
        gate.Open();
        List<RawEvent> events = await EventsAsync(new RawEventStream(connection));
        Assert.That(events.Select(e => e.Type), Is.EqualTo([null, "delta", "record", "outcome"]));
        Assert.That(events[0].Field("retry"), Is.EqualTo("2000"));
        await first;
    }

    [Test]
    public async Task A_replayed_stream_ends_with_its_own_turn()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
            TurnOutcome.Finished(JsonValue.Create(await Programs.StepAsync(turn, "s", () => (int)turn.Number))));
        RawResponse start = await channel.AskAsync(Start());
        RawResponse next = await channel.AskAsync(Send(start, "1", "k"));
        RawResponse replayed = await channel.AskAsync(Send(start, "1", "k", Stream));
        string[] records = Data(Events(replayed), "record");
        Assert.That(records, Has.Length.EqualTo(3));
        Assert.That(records[1], Does.Contain("\"value\":2"));
        Assert.That(Events(replayed)[^1].Data, Does.Contain(next.Json.GetProperty("continuationToken").GetString()));
    }

    [Test]
    public async Task A_stream_that_is_refused_is_a_plain_reply()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        await channel.AskAsync(Start("1"));
        WireForm.CheckRefusal(
            await channel.AskAsync(Start("2", Key, Stream)), 422, "Idempotency-Key was already used with a different request",
            "idempotency-mismatch");
    }

    // Streams that attach at every moment of a turn that writes without a pause.
    [Test, Category("Long")]
    public async Task Streams_that_attach_at_any_moment_miss_nothing_get_nothing_twice_and_all_in_order()
    {
        int rounds = IsLong ? 400 : 15;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            for (int i = 0; i < 60; i++)
            {
                await turn.DeltaAsync($"{2 * i} ");
                await turn.StepAsync("s", (_, _) => ValueTask.FromResult(JsonElement.Parse($"{(2 * i) + 1}")));
                if (i % 8 == 0)
                    await Task.Yield();
            }

            return TurnOutcome.Finished();
        });
        for (int round = 0; round < rounds; round++)
        {
            string key = $"{Key}-{round}";
            RawResponse[] streams = await Task.WhenAll(
                Enumerable.Range(0, 6).Select(_ => Task.Run(() => channel.AskAsync(Start("{}", key, Stream)))));
            string[] records = Data(Events(await channel.AskAsync(Start("{}", key, Stream))), "record");
            Assert.That(records, Has.Length.EqualTo(121));
            foreach (RawResponse stream in streams)
            {
                List<RawEvent> events = Events(stream);
                Assert.That(Data(events, "record"), Is.EqualTo(records), $"round {round}");
                Assert.That(records.Select(Seq), Is.Ordered.Ascending);
                Assert.That(events[^1].Type, Is.EqualTo("outcome"));
                List<int> order = [];
                foreach (RawEvent one in events.Where(e => e.Type is not null))
                {
                    JsonElement data = JsonElement.Parse(one.Data!);
                    if (one.Type == "delta")
                        order.AddRange(data.GetProperty("text").GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse));
                    else if (one.Data!.Contains("effect_result", StringComparison.Ordinal))
                        order.Add(data.GetProperty("record").GetProperty("payload").GetProperty("outcome").GetProperty("value").GetInt32());
                }

                Assert.That(order, Is.Ordered.Ascending.And.Unique, $"round {round}: text stands where the program said it");
                Assert.That(order.Count == 120 || events[1].Text == ": gap delta" || stream["Idempotency-Replayed"] is not null, $"round {round}: what is missing is said");
            }
        }
    }

    [Test, Category("Long")]
    public async Task Of_many_clients_with_one_key_one_runs_and_all_get_its_reply()
    {
        int rounds = IsLong ? 500 : 25;
        int runs = 0;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            Interlocked.Increment(ref runs);
            await Programs.StepAsync(turn, "s", () => 1);
            return TurnOutcome.Finished(JsonValue.Create(turn.Number));
        });
        for (int round = 0; round < rounds; round++)
        {
            runs = 0;
            string key = $"{Key}-{round}";
            RawResponse[] starts = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => channel.AskAsync(Start("1", key))));
            Assert.That(starts.Select(reply => (reply.Status, reply.Text)).Distinct().ToArray(), Has.Length.EqualTo(1));
            Assert.That((starts[0].Status, runs), Is.EqualTo((200, 1)));
            RawResponse[] next = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => channel.AskAsync(Send(starts[0], "2", "k"))));
            Assert.That(next.Select(reply => (reply.Status, reply.Text)).Distinct().ToArray(), Has.Length.EqualTo(1));
            Assert.That((next[0].Status, runs), Is.EqualTo((200, 2)));
        }
    }
}
