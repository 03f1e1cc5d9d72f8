using System.Text;
using Iris.Net.Journal;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.Tests.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>What a token says of the turn that it started.</summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class ReceiptTests(bool isDurable)
{
    private SessionTester Make(TurnProgram? program = null, Func<SessionSettings, SessionSettings>? change = null) =>
        new(program, change, wrap: isDurable ? memory => new DurableMemory(memory) : null);

    private static string Fields(TurnEnd end) => Encoding.UTF8.GetString(end.Fields.Span);

    private static ValueTask<TurnOutcome> Count(TurnContext turn, CancellationToken cancel) =>
        ValueTask.FromResult(TurnOutcome.Finished(SessionTester.Json($"{turn.Number}")));

    [Test]
    public async Task TheSpentTokenAndTheCurrentOneTellTheLastCommit()
    {
        await using SessionTester host = Make(Count);
        SessionTesterClient client = host.Client();
        RunningTurn start = await client.BeginAsync();
        string spent = client.TokenText;
        client.Take(await start.RunAsync());
        for (int turn = 1; turn <= 3; turn++)
        {
            foreach (SessionTesterClient asker in (SessionTesterClient[])[client, client.With(spent)])
            {
                PastTurn past = (await asker.AskAsync()).Replayed!;
                Assert.That((past.Number, Fields(past.End)), Is.EqualTo(((long)turn, $"\"status\":\"finished\",\"output\":{turn}")));
                Assert.That(past.End.Token.ToArray(), Is.EqualTo(client.Token.ToArray()));
                Assert.That(past.End.IsCommitted);
            }

            string older = spent;
            spent = client.TokenText;
            await client.SendAsync();
            Assert.That((await client.With(older).AskAsync()).Refusal, Is.EqualTo(Refusal.StaleToken), "its successor committed");
        }
    }

    [Test]
    public async Task RefusalsComeInTheirOrder()
    {
        await using SessionTester host = Make(Count);
        SessionTesterClient client = host.Client("ann"), other = host.Client("bob");
        await client.SendAsync();
        (other.Id, other.Token) = (client.Id, client.Token);
        Assert.That((await other.AskAsync()).Refusal, Is.EqualTo(Refusal.UnknownSession));
        Assert.That((await client.With("").AskAsync()).Refusal, Is.EqualTo(Refusal.MissingToken));
        Assert.That((await client.With("wrong").AskAsync()).Refusal, Is.EqualTo(Refusal.StaleToken));
        other.Id = new SessionId("nowhere");
        Assert.That((await other.AskAsync()).Refusal, Is.EqualTo(Refusal.UnknownSession));
    }

    [Test]
    public async Task WhileAnAttemptRunsItsTokenAttachesAndTheSpentOneOpensNothing()
    {
        TaskCompletionSource<TurnOutcome> gate = new();
        await using SessionTester host = Make(Count);
        SessionTesterClient client = host.Client();
        RunningTurn start = await client.BeginAsync();
        Assert.That((await client.AskAsync()).Attached, Is.SameAs(start), "T0 exists from the moment of the admission");
        string spent = client.TokenText;
        client.Take(await start.RunAsync());
        host.Program = (_, _) => new(gate.Task);
        RunningTurn turn = await client.BeginAsync();
        Task<TurnEnd> end = turn.RunAsync().AsTask();
        Assert.That((await client.AskAsync()).Attached, Is.SameAs(turn));
        Assert.That((await client.With(spent).AskAsync()).Refusal, Is.EqualTo(Refusal.StaleToken), "its successor is admitted");
        gate.SetResult(TurnOutcome.Aborted());
        await end;
        Assert.That((await client.With(spent).AskAsync()).Refusal, Is.EqualTo(Refusal.StaleToken), "and stays so");
        PastTurn past = (await client.AskAsync()).Replayed!;
        Assert.That((past.Number, past.End.Status, past.End.Reason), Is.EqualTo((2L, TurnStatus.Aborted, AbortReason.Failed)));
        Assert.That(past.End.Token.ToArray(), Is.EqualTo(client.Token.ToArray()), "the token is kept");
    }

    [TestCase("abort", "failed")]
    [TestCase("contend", "contended")]
    [TestCase("throw", "failed")]
    [TestCase("hang", "timeout")]
    public async Task AnAttemptWithoutACommitTellsWhy(string how, string reason)
    {
        await using SessionTester host = Make(async (turn, cancel) =>
        {
            if (turn.Attempt == 3)
                return TurnOutcome.Finished(SessionTester.Json("\"third\""));
            if (how == "hang")
                await Task.Delay(Timeout.Infinite, cancel);
            return how == "abort" ? TurnOutcome.Aborted() : how == "contend" ? TurnOutcome.Contended(1) : throw new InvalidOperationException();
        });
        SessionTesterClient client = host.Client();
        for (int attempt = 1; attempt < 3; attempt++)
        {
            RunningTurn turn = await client.BeginAsync();
            Task<TurnEnd> end = turn.RunAsync().AsTask();
            if (how == "hang")
                host.Time.Advance(SessionTester.TurnTimeout);
            await end;
            PastTurn past = (await client.AskAsync()).Replayed!;
            Assert.That(
                (past.Number, past.End.Status, AbortReasonText.Of(past.End.Reason)), Is.EqualTo((1L, TurnStatus.Aborted, reason)));
        }

        await client.SendAsync();
        Assert.That(Fields((await client.AskAsync()).Replayed!.End), Does.EndWith("\"third\""));
    }

    [Test]
    public async Task ASessionWhoseFirstAttemptNeverBeganSaysCrashed()
    {
        await using SessionTester host = Make(Count);
        SessionTesterClient client = host.Client();
        RunningTurn start = await client.BeginAsync();
        host.Sessions.Running.Leave(start);
        PastTurn past = (await client.AskAsync()).Replayed!;
        Assert.That((past.Number, past.End.Reason), Is.EqualTo((1L, AbortReason.Crashed)));
    }

    [Test]
    public async Task WhereReceiptsAreOffASpentTokenOpensNothing()
    {
        await using SessionTester host = Make(Count, s => s with { Receipts = false });
        SessionTesterClient client = host.Client();
        RunningTurn start = await client.BeginAsync();
        string spent = client.TokenText;
        client.Take(await start.RunAsync());
        Assert.That((await client.With(spent).AskAsync()).Refusal, Is.EqualTo(Refusal.StaleToken));
        Assert.That((await client.With(spent).AdmitAsync()).CanRecover, Is.False);
        Assert.That((await client.AskAsync()).Replayed!.End.IsCommitted, "the current one works on");
    }

    [Test]
    public async Task OnlyTheImmediatelySpentTokenIsToldWhereItsReceiptIs()
    {
        await using SessionTester host = Make(Count);
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        string older = client.TokenText;
        await client.SendAsync();
        string spent = client.TokenText;
        await client.SendAsync();
        foreach ((string token, bool recovers) in ((string, bool)[])[(older, false), (spent, true), ("wrong", false)])
        {
            Admission refused = await client.With(token).AdmitAsync();
            Assert.That((refused.Refusal, refused.CanRecover), Is.EqualTo((Refusal.StaleToken, recovers)), token);
        }
    }

    [Test]
    public async Task AFailingStoreIsSaidToBeOne()
    {
        FaultyStore store = null!;
        await using SessionTester host = new(Count, wrap: memory => store = new FaultyStore(memory));
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        (store.At, store.Lasts, store.Fault) = (1, true, Fault.FailsBefore);
        Assert.That((await client.AskAsync()).Refusal, Is.EqualTo(Refusal.StoreUnavailable));
    }

    [Test]
    public async Task AReceiptThatReadTheHeadBeforeTheCommitTellsTheCommit()
    {
        SlowReader store = null!;
        TaskCompletionSource<TurnOutcome> gate = new();
        await using SessionTester host = new(
            Count, wrap: memory => store = new SlowReader(isDurable ? new DurableMemory(memory) : memory));
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        host.Program = (_, _) => new(gate.Task);
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        store.Go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<Admission> asked = client.AskAsync().AsTask();
        await store.HasRead.Task;
        gate.SetResult(TurnOutcome.Finished(SessionTester.Json("2")));
        TurnEnd end = await run;
        store.Go.SetResult();
        Assert.That((await asked).Attached?.Events.End, Is.SameAs(end));
    }

    [Test]
    public async Task AReceiptBetweenTheCommitAndItsAnswerTellsTheCommit()
    {
        SlowCommit store = null!;
        await using SessionTester host = new(
            Count, wrap: memory => store = new SlowCommit(isDurable ? new DurableMemory(memory) : memory));
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        store.Go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<TurnEnd> run = (await client.AdmitAsync("1", "k")).Turn!.RunAsync().AsTask();
        await store.HasCommitted.Task;
        Admission asked = await client.AskAsync(), again = await client.AdmitAsync("1", "k");
        store.Go.SetResult();
        TurnEnd end = await run;
        foreach (Admission told in (Admission[])[asked, again])
            Assert.That(told.Replayed?.End.Token.ToArray(), Is.EqualTo(end.Token.ToArray()), $"{told.Refusal}");
    }

    [Test]
    public async Task AReceiptThatMeetsTheCommitNeverTellsTheTurnBefore()
    {
        await using SessionTester host = Make(Count);
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        Task<TurnEnd> run = null!;
        Admission asked = default;
        TaskCompletionSource<TurnOutcome> gate = null!;
        Rendezvous.Run(
            3_000,
            _ =>
            {
                gate = new();
                host.Program = (_, _) => new(gate.Task);
                run = client.BeginAsync().GetAwaiter().GetResult().RunAsync().AsTask();
            },
            _ => asked = client.AskAsync().AsTask().GetAwaiter().GetResult(),
            round => gate.SetResult(TurnOutcome.Finished(SessionTester.Json($"{round + 1}"))),
            round =>
            {
                TurnEnd end = run.GetAwaiter().GetResult();
                TurnEnd? told = asked.Attached?.Events.EndAsync().GetAwaiter().GetResult() ?? asked.Replayed?.End;
                Assert.That(told, Is.Not.Null, $"round {round}: {asked.Refusal}");
                Assert.That((Fields(told!), told!.Token.ToArray()), Is.EqualTo((Fields(end), end.Token.ToArray())), $"round {round}");
                client.Take(end);
            });
    }

    private sealed class SlowReader(IStateStore inner) : PassingStore(inner)
    {
        public TaskCompletionSource HasRead { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource? Go { get; set; }

        public override async ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default)
        {
            SessionHead? head = await base.FindAsync(id, cancel);
            if (Go is { } go)
            {
                HasRead.SetResult();
                await go.Task;
            }

            return head;
        }
    }

    private sealed class SlowCommit(IStateStore inner) : PassingStore(inner)
    {
        public TaskCompletionSource HasCommitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource? Go { get; set; }

        public override async ValueTask<AppendResult> AppendAsync(
            Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default)
        {
            AppendResult result = await base.AppendAsync(lease, entries, commit, flush, cancel);
            if (commit is not null && Go is { } go)
            {
                HasCommitted.SetResult();
                await go.Task;
            }

            return result;
        }
    }
}
