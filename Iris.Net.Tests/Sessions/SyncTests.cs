namespace Iris.Net.Tests.Sessions;

/// <summary>What is synced before what: a store that is asked too late cannot make up for it.</summary>
internal sealed class SyncTests
{
    private static (FaultyStore Store, SessionTester Host) Make(TurnProgram? program = null)
    {
        FaultyStore store = new(new MemoryStateStore());
        return (store, new SessionTester(program, store: store));
    }

    private static ValueTask<System.Text.Json.JsonElement> One() => ValueTask.FromResult(SessionTester.Json("1"));

    [Test]
    public async Task ATurnWithoutStepsIsOneAppend()
    {
        (FaultyStore store, SessionTester host) = Make((_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnUser()));
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        await client.SendAsync();
        Assert.That(store.Appends, Is.EqualTo((string[])["Durable: Marker commit", "Durable: Marker commit"]));
    }

    [Test]
    public async Task TheStartIsSyncedWithTheFirstIntentAndEachResultBeforeTheProgramGoesOn()
    {
        (FaultyStore store, SessionTester host) = Make();
        List<string[]> before = [];
        host.Program = async (turn, _) =>
        {
            for (int i = 0; i < 2; i++)
            {
                await turn.StepAsync("s", (_, _) =>
                {
                    before.Add([.. store.Appends]);
                    return One();
                });
                before.Add([.. store.Appends]);
            }

            return TurnOutcome.ParkedOnUser();
        };
        await host.Client().SendAsync();
        string[] all = ["Durable: TurnStarted EffectIntent", "Durable: EffectResult", "Written: EffectIntent", "Durable: EffectResult"];
        Assert.That(before, Is.EqualTo((string[][])[all[..1], all[..2], all[..3], all]));
        Assert.That(store.Appends[^1], Is.EqualTo("Durable: Marker commit"));
    }

    [Test]
    public async Task AnIntentThatIsNotRetrySafeIsSyncedBeforeItsStepRuns()
    {
        (FaultyStore store, SessionTester host) = Make();
        host.Program = async (turn, _) =>
        {
            await turn.StepAsync("first", (_, _) => One());
            await turn.StepAsync("charge", (_, _) =>
            {
                Assert.That(store.Appends[^1], Is.EqualTo("Durable: EffectIntent"));
                return One();
            }, new StepOptions { RetrySafe = false });
            return TurnOutcome.ParkedOnUser();
        };
        Assert.That((await host.Client().SendAsync()).Error, Is.Null);
    }

    [Test]
    public async Task ARetrysStartIsSyncedBeforeAnyStepRuns()
    {
        (FaultyStore store, SessionTester host) = Make();
        int attempt = 0;
        string[] before = [];
        host.Program = async (turn, _) =>
        {
            attempt = turn.Attempt;
            await turn.StepAsync("done", (_, _) => One());
            await turn.StepAsync("shaky", (_, _) =>
            {
                before = [.. store.Appends];
                return attempt < 3 ? throw new TimeoutException() : One();
            });
            await turn.StepAsync("new", (_, _) => attempt < 4 ? throw new TimeoutException() : One());
            return TurnOutcome.ParkedOnUser();
        };
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        for (int i = 2; i <= 3; i++)
        {
            await client.SendAsync();
            Assert.That(attempt, Is.EqualTo(i));
            Assert.That(before[^1], Is.EqualTo("Durable: TurnStarted"), "a step without a result runs again");
        }

        store.Appends.Clear();
        host.Program = async (turn, _) =>
        {
            foreach (string name in (string[])["done", "shaky", "new"])
                await turn.StepAsync(name, (_, _) => One());
            await turn.StepAsync("newest", (_, _) =>
            {
                before = [.. store.Appends];
                return One();
            });
            return TurnOutcome.ParkedOnUser();
        };
        await client.SendAsync();
        Assert.That(before, Is.EqualTo((string[])["Durable: TurnStarted", "Durable: EffectResult", "Written: EffectIntent"]));
    }

    [Test]
    public async Task ARetryThatOnlyReplaysBeginsWithTheNextNewStep()
    {
        (FaultyStore store, SessionTester host) = Make();
        bool more = false;
        host.Program = async (turn, _) =>
        {
            await turn.StepAsync("done", (_, _) => One());
            if (!more)
                throw new TimeoutException();
            await turn.StepAsync("new", (_, _) => One());
            return TurnOutcome.ParkedOnUser();
        };
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        store.Appends.Clear();
        more = true;
        await client.SendAsync();
        Assert.That(store.Appends[0], Is.EqualTo("Durable: TurnStarted EffectIntent"));
    }

    [Test]
    public async Task StepsSideBySideSyncTheStartAsWell()
    {
        for (int round = 0; round < 50; round++)
        {
            (FaultyStore store, SessionTester host) = Make(async (turn, _) =>
            {
                await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => turn.StepAsync($"s{i}", (_, _) => One()).AsTask())));
                return TurnOutcome.ParkedOnUser();
            });
            await host.Client().SendAsync();
            Assert.That(store.Appends[0], Is.EqualTo("Durable: TurnStarted EffectIntent"), $"round {round}");
        }
    }

    [Test]
    public async Task AFailedAttemptIsWrittenAndLeftToTheNextSync()
    {
        (FaultyStore store, SessionTester host) = Make((_, _) => throw new TimeoutException());
        SessionTesterClient client = host.Client();
        await client.SendAsync("1");
        await client.SendAsync("2");
        Assert.That(store.Appends, Is.EqualTo((string[])["Written: TurnStarted TurnEnded", "Written: RequestClosed TurnStarted TurnEnded"]));
    }
}
