using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a failed attempt leaves behind: its steps to the same request, and nothing to any other.</summary>
[TestFixture(Face.Json)]
[TestFixture(Face.Sse)]
[TestFixture(Face.WebSocket)]
public sealed class RetryTests(Face face)
{
    [TestCase("abort")]
    [TestCase("contend")]
    [TestCase("throw")]
    public async Task A_retry_of_the_same_request_gets_the_results_that_are_there(string failure)
    {
        int runs = 0;
        List<int> attempts = [];
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            int first = await Programs.StepAsync(turn, "pay", () => Interlocked.Increment(ref runs));
            attempts.Add(turn.Attempt);
            if (turn.Field("fail") is { } how && turn.Attempt < 3)
                return Fail(how);
            int second = await Programs.StepAsync(turn, "pay", () => Interlocked.Increment(ref runs));
            return TurnOutcome.Finished(new JsonArray(turn.Attempt, first, second));
        });
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("[1,1,2]"));
        string body = $$"""{"fail":"{{failure}}"}""";
        await client.SendAsync(body);
        await client.SendAsync(body);
        TurnReply reply = await client.SendAsync($$""" { "fail" : "{{failure}}" } """);
        Assert.That(reply.Output, Is.EqualTo("[3,3,4]"), "white space makes no other body");
        Assert.That(attempts, Is.EqualTo([1, 1, 2, 3]));
    }

    [Test]
    public async Task A_committed_turns_results_are_not_offered_to_the_next_that_looks_the_same()
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync(
            async (turn, _) => TurnOutcome.Finished(JsonValue.Create(await Programs.StepAsync(turn, "s", () => ++runs))));
        await using SessionClient client = channel.Client(face);
        foreach (string expected in (string[])["1", "2", "3"])
            Assert.That((await client.SendAsync("""{"same":"body"}""")).Output, Is.EqualTo(expected));
    }

    [TestCase("abort")]
    [TestCase("contend")]
    [TestCase("throw")]
    public async Task Another_body_never_sees_the_results_of_a_failed_attempt(string failure)
    {
        // A step of the same name, at the same place, of another message.
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            JsonElement payee = await turn.StepAsync("pay", (_, _) => ValueTask.FromResult(turn.Body.GetProperty("to")));
            return turn.Field("fail") is { } how ? Fail(how) : TurnOutcome.Finished(new JsonArray(turn.Attempt, payee.GetString()));
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("""{"to":"nobody"}""");
        await client.SendAsync($$"""{"to":"mallory","fail":"{{failure}}"}""");
        Assert.That((await client.SendAsync("""{"to":"alice"}""")).Output, Is.EqualTo("""[1,"alice"]"""));
    }

    [Test]
    public async Task A_request_that_another_body_closed_stays_closed()
    {
        int runs = 0;
        bool fails = true;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            int value = await Programs.StepAsync(turn, "s", () => ++runs);
            return fails && turn.Number > 1 ? TurnOutcome.Aborted() : TurnOutcome.Finished(new JsonArray(turn.Attempt, value));
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        await client.SendAsync("""{"body":"a"}""");
        await client.SendAsync("""{"body":"b"}""");
        fails = false;
        Assert.That((await client.SendAsync("""{"body":"a"}""")).Output, Is.EqualTo("[1,4]"));
    }

    [TestCase("""{"a":1,"b":2}""", """{"b":2,"a":1}""", TestName = "The_order_of_fields_makes_another_body")]
    [TestCase("""{"a":1}""", """{"a":1.0}""", TestName = "The_digits_of_a_number_make_another_body")]
    [TestCase("""{"a":" x"}""", """{"a":"x"}""", TestName = "White_space_inside_a_string_makes_another_body")]
    [TestCase("[]", "{}", TestName = "Another_kind_of_value_makes_another_body")]
    public async Task Another_body(string one, string other)
    {
        int runs = 0;
        bool fails = true;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            int value = await Programs.StepAsync(turn, "s", () => ++runs);
            return fails && turn.Number > 1 ? TurnOutcome.Aborted() : TurnOutcome.Finished(new JsonArray(turn.Attempt, value));
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        await client.SendAsync(one);
        fails = false;
        Assert.That((await client.SendAsync(other)).Output, Is.EqualTo("[1,3]"));
    }

    [Test]
    public async Task The_token_is_no_part_of_the_body()
    {
        int runs = 0;
        bool fails = true;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            int value = await Programs.StepAsync(turn, "s", () => ++runs);
            return fails && turn.Number > 1 ? TurnOutcome.Aborted() : TurnOutcome.Finished(new JsonArray(turn.Attempt, value));
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        await client.SendAsync("""{"a":1}""");
        fails = false;
        Assert.That((await client.SendAsync("""{"a":1}""", client.Token)).Output, Is.EqualTo("[2,2]"));
    }

    [Test]
    public async Task A_start_that_aborted_is_retried_with_its_token()
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            int value = await Programs.StepAsync(turn, "s", () => ++runs);
            return turn.Attempt == 1 ? TurnOutcome.Aborted() : TurnOutcome.Finished(new JsonArray(turn.Number, turn.Attempt, value));
        });
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("""{"a":1}""")).Status, Is.EqualTo("aborted"));
        Assert.That((await client.SendAsync("""{"a":1}""")).Output, Is.EqualTo("[1,2,1]"));
    }

    [Test]
    public async Task A_step_that_threw_runs_again_with_the_same_key()
    {
        List<string> keys = [];
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            JsonElement value = await turn.StepAsync("s", (step, _) =>
            {
                keys.Add(step.IdempotencyKey);
                return turn.Number > 1 && keys.Count < 4
                    ? throw new InvalidOperationException("the step's own trouble") : ValueTask.FromResult(JsonElement.Parse("7"));
            });
            return TurnOutcome.Finished(value);
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("""{"a":1}""");
        Assert.That((await client.SendAsync("""{"a":1}""")).Code, Is.EqualTo("turn-failed"));
        Assert.That((await client.SendAsync("""{"a":1}""")).Code, Is.EqualTo("turn-failed"));
        Assert.That((await client.SendAsync("""{"a":1}""")).Output, Is.EqualTo("7"));
        Assert.That(keys, Has.Count.EqualTo(4));
        Assert.That(keys[1], Is.EqualTo(keys[2]).And.EqualTo(keys[3]).And.Not.EqualTo(keys[0]));
    }

    [Test]
    public async Task A_program_may_catch_what_its_step_threw()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            try
            {
                await turn.StepAsync("s", (_, _) => throw new InvalidOperationException("trouble"));
                return TurnOutcome.Finished(JsonValue.Create("done"));
            }
            catch (InvalidOperationException trouble)
            {
                int next = await Programs.StepAsync(turn, "other", () => 2);
                return TurnOutcome.Finished(JsonValue.Create(trouble.Message + next.ToString(CultureInfo.InvariantCulture)));
            }
        });
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("\"trouble2\""));
    }

    [Test]
    public async Task A_retry_that_asks_for_another_step_fails_and_says_so_to_the_program()
    {
        NondeterministicProgramException? told = null;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number == 1)
                return TurnOutcome.Finished();
            try
            {
                await Programs.StepAsync(turn, turn.Attempt == 2 ? "other" : "one", () => 1);
            }
            catch (NondeterministicProgramException trouble)
            {
                told = trouble;
                throw;
            }

            return turn.Attempt == 1 ? TurnOutcome.Aborted() : TurnOutcome.Finished(JsonValue.Create(turn.Attempt));
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        await client.SendAsync("{}");
        Assert.That((await client.SendAsync("{}")).Code, Is.EqualTo("turn-failed"));
        Assert.That((told?.Journalled, told?.Asked), Is.EqualTo(("one", "other")));
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("3"), "the session is as usable as before");
    }

    [Test]
    public async Task A_step_that_is_not_safe_to_retry_fails_every_retry_and_no_other_body()
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number == 1)
                return TurnOutcome.Finished();
            int value = await Programs.StepAsync(
                turn, "charge", () => turn.Field("ok") is null ? throw new InvalidOperationException($"{++runs}") : 5, new StepOptions { RetrySafe = false });
            return TurnOutcome.Finished(JsonValue.Create(value));
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        foreach (int _ in (int[])[1, 2, 3])
            Assert.That((await client.SendAsync("{}")).Code, Is.EqualTo("turn-failed"));
        Assert.That(runs, Is.EqualTo(1));
        Assert.That((await client.SendAsync("""{"ok":"yes"}""")).Output, Is.EqualTo("5"));
    }

    private static TurnOutcome Fail(string how) => how switch
    {
        "abort" => TurnOutcome.Aborted(),
        "contend" => TurnOutcome.Contended(7),
        _ => throw new InvalidOperationException("boom"),
    };
}
