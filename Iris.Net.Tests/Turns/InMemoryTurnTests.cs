using System.Text.Json;

namespace Iris.Net.Tests.Turns;

public sealed class InMemoryTurnTests
{
    private static JsonElement Json(string json) => JsonElement.Parse(json);

    [Test]
    public void WithoutABodyItIsNull()
    {
        InMemoryTurn turn = TurnContext.InMemory();
        Assert.Multiple(() =>
        {
            Assert.That(turn.Body.ValueKind, Is.EqualTo(JsonValueKind.Null));
            Assert.That(turn.State, Is.Null);
            Assert.That(turn.Number, Is.EqualTo(1));
            Assert.That(turn.Attempt, Is.EqualTo(1));
            Assert.That(turn.Principal, Is.Null);
            Assert.That(turn.SessionId, Is.Not.Empty);
        });
    }

    [Test]
    public void BodyAndStateAreHandedOn()
    {
        InMemoryTurn turn = TurnContext.InMemory(Json("{\"a\":1}"), Json("[2]"));
        Assert.That(turn.Body.GetRawText(), Is.EqualTo("{\"a\":1}"));
        Assert.That(turn.State!.Value.GetRawText(), Is.EqualTo("[2]"));
    }

    [Test]
    public async Task DeltasAreJoined()
    {
        InMemoryTurn turn = TurnContext.InMemory();
        await turn.DeltaAsync("he");
        await turn.DeltaAsync("llo");
        Assert.That(turn.Text, Is.EqualTo("hello"));
    }

    [Test]
    public void ACancelledDeltaThrows() => Assert.That(
        async () => await TurnContext.InMemory().DeltaAsync("x", new CancellationToken(true)),
        Throws.InstanceOf<OperationCanceledException>());

    [Test]
    public async Task StepsRunAtOnceWithKeysOfTheirOwn()
    {
        InMemoryTurn turn = TurnContext.InMemory();
        List<string> keys = [];
        for (int i = 0; i < 2; i++)
            await turn.StepAsync("same", (step, _) =>
            {
                keys.Add(step.IdempotencyKey);
                return ValueTask.FromResult(Json("1"));
            });
        Assert.That(keys, Has.Count.EqualTo(2).And.Unique);
    }

    [Test]
    public void AStepThatThrowsThrows() => Assert.That(
        async () => await TurnContext.InMemory().StepAsync("x", (_, _) => throw new TimeoutException()),
        Throws.InstanceOf<TimeoutException>());

    [Test]
    public void OnlyTheSignalThatWasGivenIsThere()
    {
        InMemoryTurn turn = TurnContext.InMemory().WithSignal("go", Json("5"));
        Assert.That(turn.TryGetSignal("go", out JsonElement payload));
        Assert.That(payload.GetInt32(), Is.EqualTo(5));
        Assert.That(turn.TryGetSignal("other", out _), Is.False);
    }
}
