using System.Text;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>What a request with an idempotency key becomes when it comes again.</summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class IdempotencyTests(bool isDurable)
{
    private const string Key = "a key of twenty and more";

    private SessionTester Make(TurnProgram? program = null, Func<SessionSettings, SessionSettings>? change = null) =>
        new(program ?? Count, change, wrap: memory => Wrap(memory));

    private IStateStore Wrap(IStateStore memory) => isDurable ? new DurableMemory(memory) : memory;

    private static ValueTask<TurnOutcome> Count(TurnContext turn, CancellationToken cancel) =>
        ValueTask.FromResult(TurnOutcome.Finished(SessionTester.Json($"{turn.Number}")));

    private static string Fields(TurnEnd end) => Encoding.UTF8.GetString(end.Fields.Span);

    private static void AssertReplays(Admission admission, TurnEnd end, string what = "")
    {
        Assert.That(admission.Replayed, Is.Not.Null, $"{what} {admission.Refusal}");
        TurnEnd again = admission.Replayed!.End;
        Assert.That((Fields(again), again.Token.ToArray()), Is.EqualTo((Fields(end), end.Token.ToArray())), what);
    }

    private static async Task<TurnEnd> RunAsync(SessionTesterClient client, string body = "{}", string? key = null)
    {
        Admission admission = await client.AdmitAsync(body, key);
        Assert.That(admission.Turn, Is.Not.Null, $"{admission.Refusal}");
        return client.Take(await admission.Turn!.RunAsync());
    }

    [Test]
    public async Task AStartThatRunsOrEndedIsTheSameStart()
    {
        TaskCompletionSource<TurnOutcome> gate = new();
        await using SessionTester host = Make((_, _) => new(gate.Task));
        RunningTurn turn = (await host.Client().AdmitAsync("1", Key)).Turn!;
        Assert.That((await host.Client().AdmitAsync("1", Key)).Attached, Is.SameAs(turn));
        Task<TurnEnd> end = turn.RunAsync().AsTask();
        Assert.That((await host.Client().AdmitAsync("1", Key)).Attached, Is.SameAs(turn));
        Assert.That((await host.Client().AdmitAsync("2", Key)).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch));
        gate.SetResult(TurnOutcome.ParkedOnUser());
        await end;
        AssertReplays(await host.Client().AdmitAsync("1", Key), await end);
        Assert.That((await host.Client().AdmitAsync("2", Key)).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch));
        Assert.That(host.Memory.Count, Is.EqualTo(1));
    }

    [Test]
    public async Task AStartInASessionThatWentOnIsStale()
    {
        await using SessionTester host = Make();
        SessionTesterClient client = host.Client();
        await RunAsync(client, "1", Key);
        RunningTurn second = await client.BeginAsync("2");
        foreach (string body in (string[])["1", "2"])
            Assert.That((await host.Client().AdmitAsync(body, Key)).Refusal, Is.EqualTo(Refusal.StaleToken), "another is running");
        client.Take(await second.RunAsync());
        Assert.That((await host.Client().AdmitAsync("1", Key)).Refusal, Is.EqualTo(Refusal.StaleToken), "another committed");
        await RunAsync(client, "1", Key);
        Assert.That((await host.Client().AdmitAsync("1", Key)).Refusal, Is.EqualTo(Refusal.StaleToken), "the key was another's");
        Assert.That((await client.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task AStartAfterWhichAnotherRequestFailedIsStale()
    {
        await using SessionTester host = Make();
        SessionTesterClient client = host.Client();
        await RunAsync(client, "1", Key);
        host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.Aborted());
        await RunAsync(client, "2");
        Assert.That((await host.Client().AdmitAsync("1", Key)).Refusal, Is.EqualTo(Refusal.StaleToken));
    }

    [Test]
    public async Task AStartWhoseSessionAnotherRequestTookOverIsStale()
    {
        await using SessionTester host = Make((_, _) => ValueTask.FromResult(TurnOutcome.Aborted()));
        SessionTesterClient client = host.Client();
        await RunAsync(client, "1", Key);
        await RunAsync(client, "2");   // with T0 and no key
        Assert.That((await host.Client().AdmitAsync("1", Key)).Refusal, Is.EqualTo(Refusal.StaleToken));
    }

    [TestCase("abort")]
    [TestCase("contend")]
    [TestCase("throw")]
    public async Task WhatEndedWithoutACommitClaimsAgainAsAnAttemptOfTheSameRequest(string how)
    {
        List<(long, int)> seen = [];
        HashSet<string> keys = [];
        await using SessionTester host = Make(async (turn, _) =>
        {
            seen.Add((turn.Number, turn.Attempt));
            await turn.StepAsync("a", (_, _) => ValueTask.FromResult(SessionTester.Json($"{seen.Count}")));
            try
            {
                await turn.StepAsync("b", (step, _) =>
                {
                    keys.Add(step.IdempotencyKey);
                    return turn.Attempt == 3 ? ValueTask.FromResult(SessionTester.Json("0")) : throw new InvalidOperationException();
                });
            }
            catch (InvalidOperationException) when (how != "throw")
            {
                return how == "abort" ? TurnOutcome.Aborted() : TurnOutcome.Contended(1);
            }

            return TurnOutcome.Finished();
        });
        for (int attempt = 1; attempt <= 3; attempt++)
            await RunAsync(host.Client(), "1", Key);
        SessionTesterClient client = host.Client();
        AssertReplays(await client.AdmitAsync("1", Key), (await host.Client().AdmitAsync("1", Key)).Replayed!.End);
        Assert.That(seen, Is.EqualTo(((long, int)[])[(1, 1), (1, 2), (1, 3)]));
        Assert.That(keys, Has.Count.EqualTo(1));
        Assert.That(host.Memory.Count, Is.EqualTo(1));
    }

    [Test]
    public async Task AStartWhoseFirstAttemptNeverBeganBeginsIt()
    {
        await using SessionTester host = Make();
        RunningTurn lost = (await host.Client().AdmitAsync("1", Key)).Turn!;
        host.Sessions.Running.Leave(lost);
        await lost.WithdrawAsync();
        Assert.That(Fields(await RunAsync(host.Client(), "1", Key)), Does.EndWith(":1"));
        Assert.That(host.Memory.Count, Is.EqualTo(1));
    }

    [Test]
    public async Task PrincipalsAndSessionsDoNotShareKeys()
    {
        await using SessionTester host = Make();
        SessionTesterClient ann = host.Client("ann"), bob = host.Client("bob"), nobody = host.Client();
        foreach (SessionTesterClient client in (SessionTesterClient[])[ann, bob, nobody])
            await RunAsync(client, "1", Key);
        Assert.That((SessionId[])[ann.Id, bob.Id, nobody.Id], Is.Unique);
        foreach (SessionTesterClient client in (SessionTesterClient[])[ann, bob, nobody])
            Assert.That(Fields(await RunAsync(client, "2", "k")), Does.EndWith(":2"));
        (bob.Id, bob.Token) = (ann.Id, ann.Token);
        Assert.That((await bob.AdmitAsync("2", "k")).Refusal, Is.EqualTo(Refusal.UnknownSession));
    }

    [Test]
    public async Task AKeyThatIsNoneAndOneThatIsEasilyGuessedAreRefused()
    {
        await using SessionTester host = Make();
        Assert.That((await host.Client().AdmitAsync("1", new string('k', 19))).Refusal, Is.EqualTo(Refusal.BadRequest));
        Assert.That((await host.Client("ann").AdmitAsync("1", "k")).Turn, Is.Not.Null, "a principal's needs not be secret");
        SessionTesterClient client = host.Client();
        await RunAsync(client, "1", new string('k', 20));
        await RunAsync(client, "1", "k");   // nor that of a session
        TurnRequest invalid = new(SessionTester.Utf8("1"), null) { HasInvalidField = true };
        Assert.That((await host.Sessions.Claims.StartAsync(invalid)).Refusal, Is.EqualTo(Refusal.BadRequest));
        foreach ((string id, string token, Refusal refusal) in ((string, string, Refusal)[])
            [("nowhere", "", Refusal.UnknownSession), (client.Id.Value, "", Refusal.MissingToken), (client.Id.Value, "wrong", Refusal.BadRequest)])
            Assert.That(
                (await host.Sessions.Claims.ContinueAsync(new SessionId(id), SessionTester.Utf8(token), invalid)).Refusal,
                Is.EqualTo(refusal));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task AMessageThatComesAgainIsKnownWhetherReceiptsAreOnOrOff(bool receipts)
    {
        TaskCompletionSource<TurnOutcome> gate = new();
        await using SessionTester host = Make(change: s => s with { Receipts = receipts });
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        string old = client.TokenText;
        host.Program = (_, _) => new(gate.Task);
        RunningTurn turn = (await client.AdmitAsync("1", "k")).Turn!;
        Task<TurnEnd> end = turn.RunAsync().AsTask();
        Assert.That((await client.AdmitAsync("1", "k")).Attached, Is.SameAs(turn));
        Assert.That((await client.AdmitAsync("2", "k")).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch));
        Assert.That((await client.AdmitAsync("1", "other")).Refusal, Is.EqualTo(Refusal.InFlight));
        Assert.That((await client.AdmitAsync("1")).Refusal, Is.EqualTo(Refusal.InFlight));
        Assert.That((await client.With("wrong").AdmitAsync("1", "k")).Refusal, Is.EqualTo(Refusal.StaleToken));
        Assert.That((await client.With("").AdmitAsync("1", "k")).Refusal, Is.EqualTo(Refusal.MissingToken));

        gate.SetResult(TurnOutcome.Finished(SessionTester.Json("7")));
        client.Take(await end);
        SessionTesterClient before = client.With(old);
        AssertReplays(await before.AdmitAsync("1", "k"), await end);
        Assert.That((await before.AdmitAsync("2", "k")).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch), "with its token");
        Assert.That((await client.AdmitAsync("1", "k")).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch), "with the current one");
        Assert.That((await client.With("wrong").AdmitAsync("1", "k")).Refusal, Is.EqualTo(Refusal.StaleToken));
        Assert.That((await before.AdmitAsync("1", "other")).Refusal, Is.EqualTo(Refusal.StaleToken));

        host.Program = Count;
        await client.SendAsync();
        Admission late = await before.AdmitAsync("1", "k");
        Assert.That((late.Refusal, late.CanRecover), Is.EqualTo((Refusal.StaleToken, false)), "forgotten");
        Assert.That(Fields(await RunAsync(client, "9", "k")), Does.EndWith(":4"), "and free for another");
    }

    [Test]
    public async Task AKeyIsForgottenOnceAnotherRequestIsAdmitted()
    {
        await using SessionTester host = Make((turn, _) => ValueTask.FromResult(TurnOutcome.Aborted()));
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        await RunAsync(client, "1", "k");
        Assert.That((await client.AdmitAsync("2", "k")).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch));
        await RunAsync(client, "2");
        host.Program = (turn, _) => ValueTask.FromResult(TurnOutcome.Finished(SessionTester.Json($"{turn.Attempt}")));
        Assert.That(Fields(await RunAsync(client, "3", "k")), Does.EndWith(":1"), "judged as new");
    }

    [Test]
    public async Task ARetryWithoutTheKeyIsTheSameRequestAndKeepsIt()
    {
        await using SessionTester host = Make((turn, _) =>
            ValueTask.FromResult(turn.Attempt == 1 ? TurnOutcome.Aborted() : TurnOutcome.Finished(SessionTester.Json($"{turn.Attempt}"))));
        SessionTesterClient client = host.Client();
        await RunAsync(client, "1", Key);
        TurnEnd end = await RunAsync(client, "1");
        Assert.That(Fields(end), Does.EndWith(":2"));
        AssertReplays(await host.Client().AdmitAsync("1", Key), end);
        Assert.That((await host.Client().AdmitAsync("2", Key)).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch));
    }

    [Test]
    public async Task WhatIsKnownAgainNeedsNoRoom()
    {
        TaskCompletionSource<TurnOutcome> gate = new();
        await using SessionTester host = Make(change: s => s with { MaxConcurrentTurns = 1 });
        TurnEnd end = await RunAsync(host.Client(), "1", Key);
        host.Program = (_, _) => new(gate.Task);
        RunningTurn turn = (await host.Client().AdmitAsync("1", Key + "2")).Turn!;
        Task<TurnEnd> run = turn.RunAsync().AsTask();
        Assert.That((await host.Client().AdmitAsync("1", Key + "2")).Attached, Is.SameAs(turn));
        AssertReplays(await host.Client().AdmitAsync("1", Key), end);
        Assert.That((await host.Client().AdmitAsync("1", Key + "3")).Refusal, Is.EqualTo(Refusal.Overloaded));
        Task drained = host.Sessions.DrainAsync();
        AssertReplays(await host.Client().AdmitAsync("1", Key), end);
        Assert.That((await host.Client().AdmitAsync("1", Key + "3")).Refusal, Is.EqualTo(Refusal.Draining));
        Assert.That(host.Memory.Count, Is.EqualTo(2), "a refused start leaves no session");
        gate.SetResult(TurnOutcome.Finished());
        await run;
        await drained;
    }

    [TestCase(true, TestName = "Of sixteen starts with one key one runs and all get its end")]
    [TestCase(false, TestName = "Of sixteen messages with one key one runs and all get its end")]
    public async Task OfSixteenOneRuns(bool isStart)
    {
        int runs = 0;
        await using SessionTester host = Make(async (turn, _) =>
        {
            Interlocked.Increment(ref runs);
            await Task.Yield();
            return await Count(turn, default);
        });
        for (int round = 0; round < 100; round++)
        {
            SessionTesterClient client = host.Client();
            if (!isStart)
                await client.SendAsync();
            string key = $"{Key} {round}";
            runs = 0;
            using Barrier barrier = new(16);
            string[] ends = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Factory.StartNew(
                async () =>
                {
                    SessionTesterClient one = isStart ? host.Client() : client.With(client.TokenText);
                    barrier.SignalAndWait();
                    Admission admission = await one.AdmitAsync("1", key);
                    TurnEnd? end = admission.Turn is { } turn ? await turn.RunAsync()
                        : admission.Attached is { } running ? await running.Events.EndAsync() : admission.Replayed?.End;
                    return end is null ? $"{admission.Refusal}" : $"{Fields(end)} {Encoding.UTF8.GetString(end.Token.Span)}";
                }, default, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()));
            Assert.That(ends.Distinct().ToArray(), Has.Length.EqualTo(1), string.Join('\n', ends.Distinct()));
            Assert.That((runs, host.Memory.Count), Is.EqualTo((1, round + 1)));
        }
    }
}
