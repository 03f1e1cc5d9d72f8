using System.Text;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.Tests.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>Who may run a turn, and what the token is afterwards.</summary>
internal sealed class ClaimTests
{
    [Test]
    public async Task CommitsRotateTheTokenAndCountTheTurns()
    {
        List<(long, int)> seen = [];
        await using SessionTester host = new((turn, _) =>
        {
            seen.Add((turn.Number, turn.Attempt));
            return ValueTask.FromResult(seen.Count == 2 ? TurnOutcome.Finished() : TurnOutcome.ParkedOnUser());
        });
        SessionTesterClient client = host.Client();
        HashSet<string> tokens = [];
        foreach (TurnStatus status in (TurnStatus[])[TurnStatus.Parked, TurnStatus.Finished, TurnStatus.Parked])
        {
            TurnEnd end = await client.SendAsync();
            Assert.That(end.Status, Is.EqualTo(status));
            Assert.That(end.IsCommitted);
            Assert.That(tokens.Add(client.TokenText), "a new one each time");
        }

        Assert.That(seen, Is.EqualTo(((long, int)[])[(1, 1), (2, 1), (3, 1)]), "a finished session goes on as well");
    }

    [Test]
    public async Task RefusalsComeInTheirOrder()
    {
        TaskCompletionSource<TurnOutcome> gate = new();
        await using SessionTester host = new();
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        SessionTesterClient nowhere = client.With("");
        nowhere.Id = new SessionId("nowhere");
        Assert.That(await nowhere.RefusedAsync(), Is.EqualTo(Refusal.UnknownSession));
        Assert.That(await client.With("").RefusedAsync(), Is.EqualTo(Refusal.MissingToken));
        Assert.That(await client.With("wrong").RefusedAsync(), Is.EqualTo(Refusal.StaleToken));

        host.Program = (_, _) => new(gate.Task);
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        Assert.That(await client.With("").RefusedAsync(), Is.EqualTo(Refusal.MissingToken));
        Assert.That(await client.With("wrong").RefusedAsync(), Is.EqualTo(Refusal.StaleToken));
        Assert.That(await client.RefusedAsync(), Is.EqualTo(Refusal.InFlight));
        gate.SetResult(TurnOutcome.ParkedOnUser());
        string spent = client.TokenText;
        client.Take(await run);
        Assert.That(await client.With(spent).RefusedAsync(), Is.EqualTo(Refusal.StaleToken));
        Assert.That((await client.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task ABoundConnectionNeedsNoToken()
    {
        await using SessionTester host = new();
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        TurnRequest request = new(SessionTester.Utf8("1"), null);
        RunningTurn turn = (await host.Sessions.Claims.ContinueBoundAsync(client.Id, request)).Turn!;
        Assert.That((await host.Sessions.Claims.ContinueBoundAsync(client.Id, request)).Refusal, Is.EqualTo(Refusal.InFlight));
        Assert.That((await turn.RunAsync()).IsCommitted);
        Assert.That((await host.Sessions.Claims.ContinueBoundAsync(new SessionId("x"), request)).Refusal, Is.EqualTo(Refusal.UnknownSession));
    }

    [Test]
    public async Task ASessionIsUnknownToEveryOtherPrincipal()
    {
        await using SessionTester host = new();
        SessionTesterClient client = host.Client("ann");
        await client.SendAsync();
        foreach (string? other in (string?[])[null, "", "Ann", "bob"])
        {
            SessionTesterClient thief = host.Client(other);
            (thief.Id, thief.Token) = (client.Id, client.Token);
            Assert.That(await thief.RefusedAsync(), Is.EqualTo(Refusal.UnknownSession), $"{other}");
        }

        host.Program = (turn, _) => ValueTask.FromResult(TurnOutcome.Finished(JsonPayload.Parse(Encoding.UTF8.GetBytes($"\"{turn.Principal}\""))));
        Assert.That(Encoding.UTF8.GetString((await client.SendAsync()).Fields.Span), Does.EndWith("\"ann\""));
    }

    [Test]
    public async Task SomebodyElsesSessionIsNotEvenClaimed()
    {
        ClaimCounter store = null!;
        await using SessionTester host = new(wrap: memory => store = new ClaimCounter(memory));
        SessionTesterClient client = host.Client("ann"), thief = host.Client("bob");
        await client.SendAsync();
        (thief.Id, thief.Token) = (client.Id, client.Token);
        Assert.That(await thief.RefusedAsync(), Is.EqualTo(Refusal.UnknownSession));
        Assert.That(store.Claims, Is.Zero);
        Assert.That((await client.SendAsync()).IsCommitted);
        Assert.That(store.Claims, Is.EqualTo(1));
    }

    [Test]
    public async Task AStartThatFindsNoRoomMakesNoSession()
    {
        SlowStore store = null!;
        await using SessionTester host = new(
            change: s => s with { MaxConcurrentTurns = 1 }, wrap: memory => store = new SlowStore(memory));
        Task<Admission> first = host.Client().AdmitAsync();   // has its place and waits for the store
        Task<Admission> second = host.Client().AdmitAsync();
        store.Go.SetResult();
        Assert.That((await second).Refusal, Is.EqualTo(Refusal.Overloaded));
        Assert.That((await (await first).Turn!.RunAsync()).IsCommitted);
        Assert.That(host.Memory.Count, Is.EqualTo(1), "the refused one would be nobody's");
        Assert.That((await host.Client().SendAsync()).IsCommitted, "the place was given back");
    }

    [Test]
    public async Task AStartThatWaitsForTheStoreIsWaitedForByADrain()
    {
        SlowStore store = null!;
        await using SessionTester host = new(wrap: memory => store = new SlowStore(memory));
        Task<Admission> start = host.Client().AdmitAsync();
        Task drained = host.Sessions.DrainAsync();
        Assert.That(drained.IsCompleted, Is.False);
        store.Go.SetResult();
        Assert.That((await (await start).Turn!.RunAsync()).IsCommitted);
        await drained;
    }

    [Test]
    public async Task AStartThatFailsGivesItsPlaceBack()
    {
        string[] tokens = ["", "T0", "T1"];
        int minted = 0;
        await using SessionTester host = new(change: s => s with { MaxConcurrentTurns = 1, MintToken = () => tokens[minted++] });
        Assert.That((await host.Client().AdmitAsync()).Failure, Is.Not.Null);
        Assert.That((await host.Client().SendAsync()).IsCommitted);
        await host.Sessions.DrainAsync();
    }

    [Test]
    public async Task WhatAnotherProcessHoldsIsContended()
    {
        await using SessionTester host = new();
        await using SessionTester other = new(store: host.Memory);
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        SessionTesterClient elsewhere = other.Client();
        (elsewhere.Id, elsewhere.Token) = (client.Id, client.Token);
        RunningTurn turn = await elsewhere.BeginAsync();
        Assert.That(await client.With("wrong").RefusedAsync(), Is.EqualTo(Refusal.StaleToken));
        Assert.That(await client.RefusedAsync(), Is.EqualTo(Refusal.Contended));
        Assert.That((await turn.RunAsync()).IsCommitted);
    }

    [Test]
    public async Task OfManyPresentersOneRuns()
    {
        await using SessionTester host = new();
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        Admission one = default, other = default;
        TurnRequest request = new(SessionTester.Utf8("{}"), null);
        Rendezvous.Run(
            5_000,
            _ => { },
            _ => one = Now(host.Sessions.Claims.ContinueAsync(client.Id, client.Token, request)),
            _ => other = Now(host.Sessions.Claims.ContinueAsync(client.Id, client.Token, request)),
            round =>
            {
                Assert.That(
                    (Refusal[])[one.Refusal, other.Refusal],
                    Is.EquivalentTo((Refusal[])[Refusal.None, Refusal.InFlight]), $"round {round}");
                client.Take(Now((one.Turn ?? other.Turn)!.RunAsync()));
            });
    }

    [Test]
    public async Task StateGoesFromCommitToCommit()
    {
        List<string?> states = [];
        await using SessionTester host = new();
        SessionTesterClient client = host.Client();
        TurnOutcome[] outcomes =
        [
            TurnOutcome.ParkedOnUser(SessionTester.Json("{\"n\":1}")), TurnOutcome.Aborted("no"), TurnOutcome.Contended(3),
            TurnOutcome.Finished(state: JsonPayload.Null), TurnOutcome.ParkedOnSignal("go"), TurnOutcome.ParkedOnUser(),
        ];
        foreach (TurnOutcome outcome in outcomes)
        {
            host.Program = (turn, _) =>
            {
                states.Add(turn.State?.GetRawText());
                return ValueTask.FromResult(outcome);
            };
            await client.SendAsync();
        }

        Assert.That(states, Is.EqualTo((string?[])[null, "{\"n\":1}", "{\"n\":1}", "{\"n\":1}", "null", null]));
    }

    [Test]
    public async Task OutcomesThatCommitNothingKeepTheToken()
    {
        await using SessionTester host = new((_, _) => ValueTask.FromResult(TurnOutcome.Contended(12)));
        SessionTesterClient client = host.Client();
        TurnEnd contended = await client.SendAsync();
        string first = client.TokenText;
        Assert.That(
            (contended.Status, contended.Reason, Encoding.UTF8.GetString(contended.Fields.Span)),
            Is.EqualTo((TurnStatus.Contended, AbortReason.Contended, "\"status\":\"contended\",\"current\":12")));
        host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.Aborted("secret"));
        TurnEnd aborted = await client.SendAsync();
        Assert.That(
            (aborted.Status, aborted.Reason, Encoding.UTF8.GetString(aborted.Fields.Span)),
            Is.EqualTo((TurnStatus.Aborted, AbortReason.Failed, "\"status\":\"aborted\"")));
        Assert.That(host.Reports.Single().Error.Message, Is.EqualTo("secret"));
        Assert.That(client.TokenText, Is.EqualTo(first));
        host.Program = (turn, _) => ValueTask.FromResult(turn.Number == 1 ? TurnOutcome.Finished() : TurnOutcome.Aborted());
        Assert.That((await client.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task ALimitOfTurnsIsJudgedLastAndLeavesNoTrace()
    {
        TaskCompletionSource<TurnOutcome> gate = new();
        await using SessionTester host = new(change: s => s with { MaxConcurrentTurns = 1 });
        SessionTesterClient client = host.Client(), busy = host.Client();
        await client.SendAsync();
        host.Program = (_, _) => new(gate.Task);
        Task<TurnEnd> run = (await busy.BeginAsync()).RunAsync().AsTask();
        List<string> before = await host.RecordsAsync(client.Id);
        int sessions = host.Memory.Count;

        Assert.That(await host.Client().RefusedAsync(), Is.EqualTo(Refusal.Overloaded));
        Assert.That(await client.With("wrong").RefusedAsync(), Is.EqualTo(Refusal.StaleToken));
        Assert.That(await busy.RefusedAsync(), Is.EqualTo(Refusal.InFlight));
        Assert.That(await client.RefusedAsync(), Is.EqualTo(Refusal.Overloaded));
        Assert.That(await host.RecordsAsync(client.Id), Is.EqualTo(before));
        Assert.That(host.Memory.Count, Is.EqualTo(sessions));

        gate.SetResult(TurnOutcome.ParkedOnUser());
        busy.Take(await run);
        Assert.That((await client.SendAsync()).IsCommitted, "its token was kept");
        Assert.That((await busy.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task AStoreWithoutRoomIsOverload()
    {
        ManualTime time = new();
        await using MemoryStateStore small = new(1 << 20, time);
        await using SessionTester host = new(store: small);
        host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnUser(SessionTester.Json($"\"{new string('x', 200_000)}\"")));
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        for (int i = 0; i < 10 && small.Bytes <= small.MaxBytes; i++)
            await host.Client().SendAsync();
        Assert.That(await host.Client().RefusedAsync(), Is.EqualTo(Refusal.Overloaded));
        Assert.That((await client.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task ADrainingHostStartsNothingAndLetsRunningTurnsEnd()
    {
        TaskCompletionSource<TurnOutcome> gate = new();
        await using SessionTester host = new();
        SessionTesterClient client = host.Client(), busy = host.Client();
        await client.SendAsync();
        host.Program = (_, _) => new(gate.Task);
        Task<TurnEnd> run = (await busy.BeginAsync()).RunAsync().AsTask();

        Task drained = host.Sessions.DrainAsync();
        Assert.That(await host.Client().RefusedAsync(), Is.EqualTo(Refusal.Draining));
        Assert.That(await client.With("wrong").RefusedAsync(), Is.EqualTo(Refusal.StaleToken));
        Assert.That(await busy.RefusedAsync(), Is.EqualTo(Refusal.InFlight));
        Assert.That(await client.RefusedAsync(), Is.EqualTo(Refusal.Draining));
        Assert.That(drained.IsCompleted, Is.False);
        gate.SetResult(TurnOutcome.ParkedOnUser());
        Assert.That((await run).IsCommitted);
        await drained;

        await using SessionTester next = new(store: host.Memory);
        SessionTesterClient goesOn = next.Client();
        (goesOn.Id, goesOn.Token) = (client.Id, client.Token);
        Assert.That((await goesOn.SendAsync()).IsCommitted, "its token was kept");
    }

    [Test]
    public async Task AnIdleHostIsDrainedAtOnce()
    {
        await using SessionTester host = new();
        await host.Sessions.DrainAsync();
        await host.Sessions.DrainAsync();
    }

    [Test]
    public async Task ADrainThatIsCancelledEndsThePrograms()
    {
        await using SessionTester host = new(async (_, cancel) =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            return TurnOutcome.Finished();
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await host.Sessions.DrainAsync(new CancellationToken(true));
        TurnEnd end = await run;
        Assert.That((end.Status, end.Reason), Is.EqualTo((TurnStatus.Aborted, AbortReason.Stopped)));
    }

    [Test]
    public async Task TakenIdsAreMintedAnew()
    {
        string[] ids = ["a", "a", "a", "b"];
        int minted = 0;
        await using SessionTester host = new(change: s => s with { MintSessionId = () => ids[minted++] });
        Assert.That((await host.Client().SendAsync()).IsCommitted);
        SessionTesterClient second = host.Client();
        Assert.That((await second.SendAsync()).IsCommitted);
        Assert.That((second.Id.Value, minted), Is.EqualTo(("b", 4)));
    }

    private sealed class ClaimCounter(IStateStore inner) : PassingStore(inner)
    {
        public int Claims { get; private set; }

        public override ValueTask<BeginResult> BeginAsync(
            SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
        {
            Claims++;
            return base.BeginAsync(id, guard, by, cancel);
        }
    }

    private sealed class SlowStore(IStateStore inner) : PassingStore(inner)
    {
        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override async ValueTask<CreateResult> CreateAsync(
            SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default)
        {
            await Go.Task;
            return await base.CreateAsync(id, seed, by, cancel);
        }
    }

    private static T Now<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : task.AsTask().GetAwaiter().GetResult();
}
