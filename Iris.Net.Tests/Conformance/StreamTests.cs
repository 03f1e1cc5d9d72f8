using System.Text.Json;
using System.Text.Json.Nodes;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a turn shows while it runs, over the two faces that show it.</summary>
[TestFixture(Face.Sse)]
[TestFixture(Face.WebSocket)]
public sealed class StreamTests(Face face)
{
    [TestCase(false, TestName = "A_program_may_wait_until_its_client_confirms_what_it_saw")]
    [TestCase(true, TestName = "A_program_may_block_its_thread_until_its_client_confirms_what_it_saw")]
    public async Task A_program_that_waits_for_its_client(bool blocks)
    {
        using Gate gate = new();
        using Gate second = new();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("one", cancel);
            await Pass(gate);
            await turn.DeltaAsync("two", cancel);
            await Pass(second);
            return TurnOutcome.Finished();

            Task Pass(Gate at)
            {
                if (!blocks)
                    return at.PassAsync();
                at.Block();
                return Task.CompletedTask;
            }
        });
        await using SessionClient client = channel.Client(face);
        RunningTurn turn = await client.BeginAsync("{}");
        Assert.That(await turn.NextDeltaAsync(), Is.EqualTo("one"));
        gate.Open();
        Assert.That(await turn.NextDeltaAsync(), Is.EqualTo("two"));
        second.Open();
        Assert.That((await turn.EndAsync()).Status, Is.EqualTo("finished"));
    }

    [Test]
    public async Task A_step_may_wait_until_the_client_saw_its_intent()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            await turn.StepAsync("ask", async (_, _) =>
            {
                await gate.PassAsync();
                return JsonElement.Parse("1");
            });
            return TurnOutcome.Finished();
        });
        await using SessionClient client = channel.Client(face);
        RunningTurn turn = await client.BeginAsync("{}");
        JsonElement? first = await turn.NextAsync();
        Assert.That(first?.GetProperty("record").GetProperty("kind").GetString(), Is.EqualTo("effect_intent"));
        gate.Open();
        Assert.That((await turn.EndAsync()).Records.Select(Kind), Is.EqualTo(["effect_intent", "effect_result", "marker"]));
    }

    [Test]
    public async Task Events_come_in_the_order_in_which_the_program_made_them()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("a", cancel);
            await turn.StepAsync("s", async (_, ct) =>
            {
                await turn.DeltaAsync("b", ct);
                return JsonElement.Parse("""{"v":1.0}""");
            }, cancel: cancel);
            await turn.DeltaAsync("c", cancel);
            return TurnOutcome.Finished(JsonElement.Parse("[1.0]"));
        });
        await using SessionClient client = channel.Client(face);
        TurnReply reply = await client.SendAsync("{}");
        Assert.That(reply.Events.Select(Brief), Is.EqualTo(["a", "effect_intent", "b", "effect_result", "c", "marker"]));
        Assert.That(reply.Deltas, Is.EqualTo("abc"));
        Assert.That(reply.Output, Is.EqualTo("[1.0]"));
    }

    [Test]
    public async Task Records_have_five_fields_and_the_payloads_of_their_kind()
    {
        long before = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            StepOptions options = new() { Kind = "tool_call", Request = new JsonObject { ["text"] = "hi" }, RetrySafe = false };
            await Programs.StepAsync(turn, "echo", () => 5, options);
            await Programs.StepAsync(turn, "plain", () => 6);
            return turn.Field("park") is null ? TurnOutcome.Finished(JsonPayload.Null) : TurnOutcome.ParkedOnSignal("go");
        });
        await using SessionClient client = channel.Client(face);
        IReadOnlyList<JsonElement> records = (await client.SendAsync("{}")).Records;
        long[] seqs = records.Select(record => record.GetProperty("seq").GetInt64()).ToArray();
        string digest = records[0].GetProperty("defDigest").GetString()!;
        Assert.That(digest, Does.Match("^[0-9a-f]{16}$"));
        Assert.That(seqs, Is.Ordered.Ascending.And.Unique.And.All.GreaterThanOrEqualTo(0));
        foreach (JsonElement record in records)
        {
            Assert.That(record.EnumerateObject().Select(field => field.Name), Is.EqualTo(["seq", "ts", "defDigest", "kind", "payload"]));
            Assert.That(record.GetProperty("ts").GetInt64(), Is.InRange(before, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));
            Assert.That(record.GetProperty("defDigest").GetString(), Is.EqualTo(digest));
        }

        string key = records[0].GetProperty("payload").GetProperty("idempotencyKey").GetString()!;
        string plain = records[2].GetProperty("payload").GetProperty("idempotencyKey").GetString()!;
        Assert.That(key, Is.Not.Empty.And.Not.EqualTo(plain));
        Assert.That(
            records.Select(record => (Kind(record), record.GetProperty("payload").GetRawText())),
            Is.EqualTo(
            [
                ("effect_intent", $$$"""{"effectId":"echo:{{{seqs[0]}}}","effectKind":"tool_call","request":{"text":"hi"},"retrySafe":false,"idempotencyKey":"{{{key}}}"}"""),
                ("effect_result", $$$"""{"effectId":"echo:{{{seqs[0]}}}","outcome":{"ok":true,"value":5}}"""),
                ("effect_intent", $$$"""{"effectId":"plain:{{{seqs[2]}}}","effectKind":"step","request":null,"retrySafe":true,"idempotencyKey":"{{{plain}}}"}"""),
                ("effect_result", $$$"""{"effectId":"plain:{{{seqs[2]}}}","outcome":{"ok":true,"value":6}}"""),
                ("marker", """{"marker":"finish","output":null}"""),
            ]));

        records = (await client.SendAsync("""{"park":"yes"}""")).Records;
        Assert.That(records[^1].GetProperty("payload").GetRawText(), Is.EqualTo("""{"marker":"wait","wait":{"kind":"signal","name":"go"}}"""));
        Assert.That(records[0].GetProperty("seq").GetInt64(), Is.GreaterThan(seqs[^1]), "seq rises over the session's life");
    }

    [TestCase("abort")]
    [TestCase("contend")]
    [TestCase("throw")]
    public async Task A_turn_that_does_not_commit_shows_no_marker(string end)
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("text", cancel);
            await Programs.StepAsync(turn, "s", () => 1);
            return end switch
            {
                "abort" => TurnOutcome.Aborted(),
                "contend" => TurnOutcome.Contended(7),
                _ => throw new InvalidOperationException("boom"),
            };
        });
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("{}")).Events.Select(Brief), Is.EqualTo(["text", "effect_intent", "effect_result"]));
    }

    [Test]
    public async Task A_step_that_threw_has_no_result_and_its_retry_no_second_intent()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number == 1)
                return TurnOutcome.Finished();
            await Programs.StepAsync(turn, "s", () => turn.Attempt == 1 ? throw new InvalidOperationException("trouble") : 1);
            return TurnOutcome.Finished();
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        IReadOnlyList<JsonElement> failed = (await client.SendAsync("{}")).Records;
        Assert.That(failed.Select(Kind), Is.EqualTo(["effect_intent"]));
        IReadOnlyList<JsonElement> retried = (await client.SendAsync("{}")).Records;
        Assert.That(retried.Select(Kind).Where(kind => kind != "effect_intent"), Is.EqualTo(["effect_result", "marker"]));
        string id = failed[0].GetProperty("payload").GetProperty("effectId").GetString()!;
        Assert.That(retried.Where(r => Kind(r) != "marker").Select(r => r.GetProperty("payload").GetProperty("effectId").GetString()), Has.All.EqualTo(id));
    }

    [TestCase("")]
    [TestCase("two\nlines\r\nand\rmore\n\n")]
    [TestCase("data: forged\n\nevent: outcome\ndata: {}\n\n")]
    [TestCase("é😀 \u2028\u0000\u007f\"\\")]
    public async Task Text_comes_as_it_was_said(string text)
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("<", cancel);
            await turn.DeltaAsync(text, cancel);
            await turn.DeltaAsync(">", cancel);
            return TurnOutcome.Finished(JsonValue.Create(text));
        });
        await using SessionClient client = channel.Client(face);
        TurnReply reply = await client.SendAsync("{}");
        Assert.That(reply.Deltas, Is.EqualTo($"<{text}>"));
        Assert.That(JsonElement.Parse(reply.Output!).GetString(), Is.EqualTo(text));
    }

    [Test]
    public async Task A_long_answer_arrives_whole()
    {
        // Two megabytes while the reader reads, in words of many sizes.
        string[] words = Enumerable.Range(0, 4000).Select(i => new string((char)('a' + (i % 26)), i % 1000)).ToArray();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            foreach (string word in words)
            {
                await turn.DeltaAsync(word, cancel);
                if (word.Length == 0)
                    await Task.Delay(1, cancel);
            }

            return TurnOutcome.Finished();
        });
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("{}")).Deltas, Is.EqualTo(string.Concat(words)));
    }

    [Test]
    public async Task Another_program_has_another_digest()
    {
        HashSet<string> digests = [];
        foreach ((string name, string version) in ((string, string)[])[("a", "1"), ("a", "2"), ("b", "1"), ("a", "1")])
        {
            await using Channel channel = await Channel.StartAsync(HostAdapter.Create((_, _) => Programs.Finish(), name, version));
            await using SessionClient client = channel.Client(face);
            digests.Add((await client.SendAsync("{}")).Records[0].GetProperty("defDigest").GetString()!);
        }

        Assert.That(digests, Has.Count.EqualTo(3), "the digest is over name and version");
    }

    private static string Kind(JsonElement record) => record.GetProperty("kind").GetString()!;

    private static string Brief(JsonElement read) =>
        read.TryGetProperty("record", out JsonElement record) ? Kind(record) : read.GetProperty("text").GetString()!;
}
