using System.Text.Json.Nodes;

namespace Iris.Net.Tests.Conformance;

/// <summary>Long mixed sequences of turns that commit and turns that fail, held against a model of what must come out:
/// no failed attempt makes a session unusable or lends its steps to another request.</summary>
[TestFixture(Face.Json)]
[TestFixture(Face.Sse)]
[TestFixture(Face.WebSocket)]
public sealed class FailureSequenceTests(Face face)
{
    private static readonly string[] Bodies = ["""{"v":1}""", """{"v":2}""", "null", "[]"];
    private static readonly string[] Ends = ["finish", "finish", "park", "abort", "contend", "throw", "throw in step"];

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(4)]
    public async Task A_session_stays_usable_whatever_failed_before(int seed)
    {
        Random random = new(seed);
        Plan plan = new("finish", 0);
        int made = 0;
        JsonArray seen = [];
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            JsonArray values = [];
            seen = [turn.Number, turn.Attempt, turn.State?.GetInt32() ?? 0, values];
            for (int i = 0; i < plan.Steps; i++)
                values.Add(await Programs.StepAsync(turn, "step", () => ++made));
            if (plan.End == "throw in step")
                await Programs.StepAsync(turn, "step", () => throw new InvalidOperationException("in the step"));
            return plan.End switch
            {
                "finish" => TurnOutcome.Finished(state: JsonValue.Create(made)),
                "park" => TurnOutcome.ParkedOnUser(JsonValue.Create(made)),
                "abort" => TurnOutcome.Aborted(),
                "contend" => TurnOutcome.Contended(3),
                _ => throw new InvalidOperationException("boom"),
            };
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");

        int turn = 2, attempt = 0, expectedMade = 0, state = 0;
        string open = "";
        List<int> results = [];
        for (int i = 0; i < 60; i++)
        {
            string body = random.Next(3) == 0 || open.Length == 0 ? Bodies[random.Next(Bodies.Length)] : open;
            if (body != open)
                (open, attempt, results) = (body, 0, []);
            attempt++;
            plan = new Plan(Ends[random.Next(Ends.Length)], random.Next(4));

            // A step in the place of a result that is there does not run, and so does not throw.
            if (plan.End == "throw in step" && plan.Steps < results.Count)
                plan = plan with { End = "throw" };
            while (results.Count < plan.Steps)
                results.Add(++expectedMade);
            TurnReply reply = await client.SendAsync(body);
            Assert.That(
                seen.ToJsonString(),
                Is.EqualTo(new JsonArray(turn, attempt, state, new JsonArray(results.Take(plan.Steps).Select(v => (JsonNode?)v).ToArray())).ToJsonString()),
                $"message {i}: {body}, {plan}");
            Assert.That(
                reply.Status ?? reply.Code,
                Is.EqualTo(plan.End switch { "finish" => "finished", "park" => "parked", "abort" => "aborted", "contend" => "contended", _ => "turn-failed" }));
            if (plan.End is "finish" or "park")
                (turn, state, open) = (turn + 1, expectedMade, "");
        }
    }

    private sealed record Plan(string End, int Steps);
}
