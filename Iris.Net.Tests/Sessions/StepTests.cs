using System.Text;
using System.Text.Json;
using Iris.Net.Sessions;
using Iris.Net.Tests.Turns;

namespace Iris.Net.Tests.Sessions;

/// <summary>What a repeated attempt gets from the journal, and what it never gets.</summary>
internal sealed class StepTests
{
    private static readonly TurnOutcome Parked = TurnOutcome.ParkedOnUser();

    private static ValueTask<JsonElement> Value(string json) => ValueTask.FromResult(SessionTester.Json(json));

    [Test]
    public async Task ARetryGetsRecordedResultsAndRunsTheRest()
    {
        List<string> ran = [], got = [];
        bool fail = true;
        await using SessionTester host = new(async (turn, _) =>
        {
            got.Clear();
            foreach (string name in (string[])["a", "b:c", "a"])
                got.Add((await turn.StepAsync(name, (step, _) =>
                {
                    ran.Add(name);
                    return Value($"{{\"n\":{ran.Count},\"x\":1.50}}");
                })).GetRawText());
            if (fail)
                throw new InvalidOperationException("not yet");
            await turn.StepAsync("last", (_, _) =>
            {
                ran.Add("last");
                return Value("null");
            });
            return Parked;
        });
        SessionTesterClient client = host.Client();
        for (int i = 0; i < 3; i++)
            Assert.That((await client.SendAsync("{\"m\":1}")).Status, Is.EqualTo(TurnStatus.Failed));
        fail = false;
        Assert.That((await client.SendAsync("{\"m\":1}")).IsCommitted);
        Assert.That(ran, Is.EqualTo((string[])["a", "b:c", "a", "last"]));
        Assert.That(got, Is.EqualTo((string[])["{\"n\":1,\"x\":1.50}", "{\"n\":2,\"x\":1.50}", "{\"n\":3,\"x\":1.50}"]));
    }

    [Test]
    public async Task AttemptsAreCountedAndStartAfreshWithEachRequest()
    {
        List<(long, int)> seen = [];
        bool fail = true;
        await using SessionTester host = new((turn, _) =>
        {
            seen.Add((turn.Number, turn.Attempt));
            return fail ? throw new InvalidOperationException() : ValueTask.FromResult(Parked);
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync("1");
        await client.SendAsync("1");
        await client.SendAsync("2");
        await client.SendAsync("1");
        fail = false;
        await client.SendAsync("1");
        fail = true;
        await client.SendAsync("1");
        Assert.That(seen, Is.EqualTo(((long, int)[])[(1, 1), (1, 2), (1, 1), (1, 1), (1, 2), (2, 1)]));
    }

    [Test]
    public async Task AnotherBodyNeverGetsTheResultsOfTheFirst()
    {
        int runs = 0;
        bool fail = true;
        List<string> results = [], keys = [];
        await using SessionTester host = new(async (turn, _) =>
        {
            JsonElement body = turn.Body;
            results.Add((await turn.StepAsync("pay", (step, _) =>
            {
                keys.Add(step.IdempotencyKey);
                return Value($"\"{body.GetRawText()} {++runs}\"");
            })).GetString()!);
            return fail ? throw new InvalidOperationException() : Parked;
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync("1");
        await client.SendAsync("1");
        await client.SendAsync("2");
        await client.SendAsync("2");
        await client.SendAsync("1");
        fail = false;
        await client.SendAsync("2");
        fail = true;
        await client.SendAsync("2");
        Assert.That(results, Is.EqualTo((string[])["1 1", "1 1", "2 2", "2 2", "1 3", "2 4", "2 5"]));
        Assert.That(keys, Has.Count.EqualTo(5).And.Unique);
    }

    [Test]
    public async Task ARetryInAnotherProcessGetsTheResultsToo()
    {
        int runs = 0;
        bool fail = true;
        TurnProgram program = async (turn, _) =>
        {
            await turn.StepAsync("a", (_, _) => Value($"{++runs}"));
            return fail ? throw new InvalidOperationException() : Parked;
        };
        await using SessionTester host = new(program);
        await using SessionTester next = new(program, store: host.Memory);
        SessionTesterClient client = host.Client(), goesOn = next.Client();
        await client.SendAsync();
        (goesOn.Id, goesOn.Token) = (client.Id, client.Token);
        fail = false;
        Assert.That((await goesOn.SendAsync()).IsCommitted);
        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public async Task AStepWithoutAResultRunsAgainWithItsKeyAndNoSecondIntent()
    {
        List<string> keys = [];
        await using SessionTester host = new(async (turn, _) =>
        {
            await turn.StepAsync("done", (_, _) => Value("1"));
            await turn.StepAsync("shaky:x", (step, _) =>
            {
                keys.Add(step.IdempotencyKey);
                return keys.Count < 4 ? throw new TimeoutException() : Value("2");
            });
            return Parked;
        });
        SessionTesterClient client = host.Client();
        for (int i = 0; i < 3; i++)
            await client.SendAsync();
        Assert.That((await client.SendAsync()).IsCommitted);
        Assert.That(keys, Has.Count.EqualTo(4));
        Assert.That(keys.Distinct(), Has.Exactly(1).Items);

        List<JsonElement> records = [.. (await host.RecordsAsync(client.Id)).Select(SessionTester.Json)];
        JsonElement[] intents = [.. Of(records, "effect_intent", "shaky:x")], results = [.. Of(records, "effect_result", "shaky:x")];
        Assert.That((intents.Length, results.Length), Is.EqualTo((1, 1)));
        string effectId = intents[0].GetProperty("payload").GetProperty("effectId").GetString()!;
        Assert.That(effectId, Is.EqualTo($"shaky:x:{intents[0].GetProperty("seq").GetInt64()}"));
        Assert.That(results[0].GetProperty("payload").GetProperty("effectId").GetString(), Is.EqualTo(effectId));
        Assert.That(intents[0].GetProperty("payload").GetProperty("idempotencyKey").GetString(), Is.EqualTo(keys[0]));
    }

    [Test]
    public async Task StepsOfOneRequestHaveKeysOfTheirOwn()
    {
        List<string> keys = [];
        await using SessionTester host = new(async (turn, _) =>
        {
            foreach (string name in (string[])["a", "a", "b"])
                await turn.StepAsync(name, (step, _) =>
                {
                    keys.Add(step.IdempotencyKey);
                    return Value("1");
                });
            return Parked;
        });
        foreach (SessionTesterClient client in (SessionTesterClient[])[host.Client(), host.Client()])
        {
            await client.SendAsync("1");
            await client.SendAsync("1");
        }

        Assert.That(keys, Has.Count.EqualTo(12).And.Unique);
    }

    [Test]
    public async Task AStepThatIsNotRetrySafeDoesNotRunTwice()
    {
        int runs = 0;
        await using SessionTester host = new(async (turn, _) =>
        {
            await turn.StepAsync("charge", (_, _) => ++runs == 1 ? throw new TimeoutException() : Value("1"), new StepOptions { RetrySafe = false });
            return Parked;
        });
        SessionTesterClient client = host.Client();
        Assert.That((await client.SendAsync("1")).Error, Is.InstanceOf<TimeoutException>());
        for (int i = 0; i < 2; i++)
            Assert.That((await client.SendAsync("1")).Error, Is.InstanceOf<StepUncertainException>().With.Property("Step").EqualTo("charge"));
        Assert.That(runs, Is.EqualTo(1));
        Assert.That((await client.SendAsync("2")).IsCommitted, "another request is not held up by it");
        Assert.That(runs, Is.EqualTo(2));
    }

    [Test]
    public async Task AStepThatIsNotRetrySafeAndHasAResultIsReplayed()
    {
        int runs = 0;
        bool fail = true;
        await using SessionTester host = new(async (turn, _) =>
        {
            await turn.StepAsync("charge", (_, _) => Value($"{++runs}"), new StepOptions { RetrySafe = false });
            return fail ? throw new InvalidOperationException() : Parked;
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        fail = false;
        Assert.That((await client.SendAsync()).IsCommitted);
        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public async Task AnotherStepThanTheJournalHoldsIsLoud()
    {
        string[] names = ["a", "b"];
        await using SessionTester host = new(async (turn, _) =>
        {
            foreach (string name in names)
                await turn.StepAsync(name, (_, _) => Value("1"));
            throw new InvalidOperationException();
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync("1");
        names = ["a", "c"];
        var error = (NondeterministicProgramException)(await client.SendAsync("1")).Error!;
        Assert.That((error.Journalled, error.Asked), Is.EqualTo(("b", "c")));
        names = ["b"];
        Assert.That((await client.SendAsync("1")).Error, Is.InstanceOf<NondeterministicProgramException>());
        host.Program = (_, _) => ValueTask.FromResult(Parked);
        Assert.That((await client.SendAsync("1")).IsCommitted, "fewer steps are the program's affair");
    }

    [Test]
    public async Task ResultsOfEveryTypeComeBack()
    {
        List<object?> got = [];
        bool fail = true;
        await using SessionTester host = new(async (turn, _) =>
        {
            got.Clear();
            got.Add(await turn.StepAsync("fare", (_, _) => ValueTask.FromResult(new Fare("Kyōto", 3)), FareJson.Default.Fare));
            got.Add(await turn.StepAsync("none", (_, _) => ValueTask.FromResult<Fare>(null!), FareJson.Default.Fare));
            got.Add((await turn.StepAsync("raw", (_, _) => Value("[1, 2.50,\n \"\\u0041\"]"))).GetRawText());
            return fail ? throw new InvalidOperationException() : Parked;
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        Assert.That(got[..2], Is.EqualTo((object?[])[new Fare("Kyōto", 3), null]));
        fail = false;
        await client.SendAsync();
        Assert.That(got, Is.EqualTo((object?[])[new Fare("Kyōto", 3), null, "[1,2.50,\"\\u0041\"]"]));
    }

    [Test]
    public async Task AResultThatNoJournalCouldGiveBackFailsTheAttemptAndLocksNobodyOut()
    {
        string deep = new string('[', 200) + new string(']', 200);
        await using SessionTester host = new(async (turn, _) =>
        {
            await turn.StepAsync("deep", (_, _) =>
                ValueTask.FromResult(JsonDocument.Parse(deep, new JsonDocumentOptions { MaxDepth = 1000 }).RootElement));
            return Parked;
        });
        SessionTesterClient client = host.Client();
        for (int i = 0; i < 2; i++)
            Assert.That((await client.SendAsync()).Error, Is.InstanceOf<JsonException>());
        host.Program = async (turn, _) =>
        {
            await turn.StepAsync("deep", (_, _) => Value("1"));
            return Parked;
        };
        Assert.That((await client.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task StepNamesThatTheJournalWouldChangeAreRefused()
    {
        await using SessionTester host = new(async (turn, _) =>
        {
            await turn.StepAsync("half a 😀: \ud83d", (_, _) => Value("1"));
            return Parked;
        });
        Assert.That((await host.Client().SendAsync()).Error, Is.InstanceOf<ArgumentException>());
    }

    [Test]
    public async Task ATurnHasAtMostSoManySteps()
    {
        int steps = 5, runs = 0;
        await using SessionTester host = new(
            async (turn, _) =>
            {
                for (int i = 0; i < steps; i++)
                    await turn.StepAsync("s", (_, _) => Value($"{++runs}"));
                return Parked;
            },
            s => s with { MaxStepsPerTurn = 5 });
        SessionTesterClient client = host.Client();
        Assert.That((await client.SendAsync()).IsCommitted);
        steps = 6;
        runs = 0;
        Assert.That((await client.SendAsync()).Error, Is.InstanceOf<InvalidOperationException>());
        Assert.That(runs, Is.EqualTo(5));
    }

    [Test]
    public async Task StepsMayRunSideBySide()
    {
        int runs = 0;
        bool fail = true;
        string[] got = [];
        await using SessionTester host = new(async (turn, _) =>
        {
            Task<JsonElement>[] steps = [.. Enumerable.Range(0, 20).Select(i => turn.StepAsync($"s{i}", async (_, _) =>
            {
                await Task.Yield();
                Interlocked.Increment(ref runs);
                return SessionTester.Json($"{i}");
            }).AsTask())];
            got = [.. (await Task.WhenAll(steps)).Select(v => v.GetRawText())];
            return fail ? throw new InvalidOperationException() : Parked;
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        fail = false;
        TurnEnd end = await client.SendAsync();
        Assert.That(end.Error, Is.Null);
        Assert.That(got, Is.EqualTo(Enumerable.Range(0, 20).Select(i => $"{i}")));
        Assert.That(runs, Is.EqualTo(20));
        AssertSound(await host.RecordsAsync(client.Id));
    }

    [Test]
    public async Task OfStepsSideBySideThoseWithResultsAreNotRepeated()
    {
        int[] runs = new int[10];
        bool fail = true;
        FaultyStore slow = null!;
        await using SessionTester host = new(async (turn, _) =>
        {
            Task<JsonElement>[] steps = [.. Enumerable.Range(0, runs.Length).Select(i => turn.StepAsync("same", async (_, _) =>
            {
                await Task.Yield();
                Interlocked.Increment(ref runs[i]);
                return fail && i % 3 == 0 ? throw new TimeoutException() : SessionTester.Json($"{i}");
            }).AsTask())];
            JsonElement[] values = await Task.WhenAll(steps);
            return TurnOutcome.Finished(SessionTester.Json($"[{string.Join(',', values.Select(v => v.GetRawText()))}]"));
        });
        await using SessionTester waiting = new(host.Program, store: slow = new FaultyStore(host.Memory));
        SessionTesterClient client = waiting.Client();
        Assert.That((await client.SendAsync()).Error, Is.InstanceOf<TimeoutException>());
        fail = false;
        TurnEnd end = await client.SendAsync();
        Assert.That(Encoding.UTF8.GetString(end.Fields.Span), Does.EndWith("[0,1,2,3,4,5,6,7,8,9]"));
        Assert.That(runs, Is.EqualTo((int[])[2, 1, 1, 2, 1, 1, 2, 1, 1, 2]));
    }

    [Test]
    public async Task AStepThatIsNotWaitedForDoesNotFailTheTurn()
    {
        TaskCompletionSource<JsonElement> late = new();
        Task<JsonElement> step = null!;
        await using SessionTester host = new((turn, _) =>
        {
            step = turn.StepAsync("late", (_, _) => new(late.Task)).AsTask();
            return ValueTask.FromResult(Parked);
        });
        SessionTesterClient client = host.Client();
        TurnEnd end = await client.SendAsync();
        Assert.That(end.IsCommitted);
        late.SetResult(SessionTester.Json("1"));
        Assert.That(async () => await step.WaitAsync(TimeSpan.FromSeconds(60)), Throws.InstanceOf<InvalidOperationException>(), "it ends, and has nowhere to write to");
        Assert.That(await host.RecordsAsync(client.Id), Has.None.Contain("effect_result"));
        Assert.That((await client.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task StepsThatEndWhileTheProgramReturnsDisturbNoCommit([Range(1, 10)] int seed)
    {
        Random random = new(seed);
        await using SessionTester host = new();
        await using SessionTester waiting = new((turn, _) => host.Program(turn, default), store: new FaultyStore(host.Memory));
        SessionTesterClient client = waiting.Client();
        List<Task> steps = [];
        for (int round = 0; round < 50; round++)
        {
            int count = random.Next(1, 6), spins = random.Next(2000);
            host.Program = async (turn, _) =>
            {
                for (int i = 0; i < count; i++)
                    steps.Add(Task.Run(() => turn.StepAsync($"s{i}", (_, _) => Value("1")).AsTask()));
                Thread.SpinWait(spins);
                await Task.Yield();
                return Parked;
            };
            TurnEnd end = await client.SendAsync($"{round}");
            Assert.That(end.IsCommitted, $"round {round}: {end.Error}");
        }

        Task all = Task.WhenAll(steps);
        await Task.WhenAny(all, Task.Delay(TimeSpan.FromSeconds(60)));
        Assert.That(all.IsCompleted, "no step hangs");
        AssertSound(await host.RecordsAsync(client.Id));
    }

    [Test]
    public async Task AStepThatWasCancelledBeforeItBeganTakesNoPlace()
    {
        using CancellationTokenSource source = new();
        await source.CancelAsync();
        int runs = 0;
        bool fail = true;
        await using SessionTester host = new(async (turn, _) =>
        {
            try
            {
                await turn.StepAsync("cancelled", (_, _) => Value("0"), cancel: source.Token);
            }
            catch (OperationCanceledException)
            {
                // Goes on without it.
            }

            await turn.StepAsync("next", (_, _) => Value($"{++runs}"));
            return fail ? throw new InvalidOperationException() : Parked;
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        fail = false;
        Assert.That((await client.SendAsync()).Error, Is.Null);
        Assert.That(runs, Is.EqualTo(1));
    }

    [Test]
    public async Task EveryCallThrowsOnceTheAttemptIsOver()
    {
        TurnContext context = null!;
        await using SessionTester host = new(async (turn, _) =>
        {
            context = turn;
            await turn.StepAsync("s", (_, _) => Value("1"));
            return TurnOutcome.ParkedOnUser(SessionTester.Json("1"));
        });
        SessionTesterClient client = host.Client("ann");
        foreach (bool fail in (bool[])[false, true])
        {
            if (fail)
                host.Program = (turn, _) => throw new TimeoutException((context = turn).SessionId);
            await client.SendAsync();
            Assert.Multiple(() =>
            {
                Assert.That(() => context.SessionId, Throws.InstanceOf<InvalidOperationException>());
                Assert.That(() => context.Number, Throws.InstanceOf<InvalidOperationException>());
                Assert.That(() => context.Attempt, Throws.InstanceOf<InvalidOperationException>());
                Assert.That(() => context.Principal, Throws.InstanceOf<InvalidOperationException>());
                Assert.That(() => context.Body, Throws.InstanceOf<InvalidOperationException>());
                Assert.That(() => context.State, Throws.InstanceOf<InvalidOperationException>());
                Assert.That(() => context.RecordedSteps, Throws.InstanceOf<InvalidOperationException>());
                Assert.That(() => context.TryGetSignal("go", out _), Throws.InstanceOf<InvalidOperationException>());
                Assert.That(async () => await context.DeltaAsync("x"), Throws.InstanceOf<InvalidOperationException>());
                Assert.That(async () => await context.StepAsync("s", (_, _) => Value("1")), Throws.InstanceOf<InvalidOperationException>());
            });
        }
    }

    [Test]
    public async Task ARecordedStepIsShownToHostsThatAsk()
    {
        List<string> shown = [];
        await using SessionTester host = new(async (turn, _) =>
        {
            shown = [.. turn.RecordedSteps.Select(s => $"{s.Name}={s.Value.GetRawText()}")];
            await turn.StepAsync("a", (_, _) => Value("{\"x\":1}"));
            await turn.StepAsync("b", (_, _) => throw new TimeoutException());
            return Parked;
        });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        Assert.That(shown, Is.Empty);
        await client.SendAsync();
        Assert.That(shown, Is.EqualTo((string[])["a={\"x\":1}"]));
        await client.SendAsync("2");
        Assert.That(shown, Is.Empty);
    }

    private static IEnumerable<JsonElement> Of(IEnumerable<JsonElement> records, string kind, string name) => records.Where(
        r => r.GetProperty("kind").GetString() == kind
            && r.GetProperty("payload").GetProperty("effectId").GetString()!.StartsWith($"{name}:", StringComparison.Ordinal));

    private static void AssertSound(List<string> records)
    {
        long[] seqs = [.. records.Select(r => SessionTester.Json(r).GetProperty("seq").GetInt64())];
        Assert.That(seqs, Is.Ordered.And.Unique);
    }
}
