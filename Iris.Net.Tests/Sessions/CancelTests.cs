using System.Text.Json;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.Tests.Conformance;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores;
using RunningTurn = Iris.Net.Sessions.RunningTurn;

namespace Iris.Net.Tests.Sessions;

/// <summary>Stop means stop: a cancel that was accepted is never followed by a commit.</summary>
internal sealed class CancelTests
{
    private static readonly int Rounds = Environment.GetEnvironmentVariable("IRIS_LONG") == "1" ? 50_000 : 2_000;

    private static ValueTask<CancelAnswer> CancelAsync(SessionTester host, SessionTesterClient client) =>
        host.Sessions.Cancels.CancelAsync(client.Id, client.Token, null);

    private static async Task AssertCancelledAsync(Task<TurnEnd> run, SessionTester host, SessionTesterClient client)
    {
        TurnEnd end = await run.Within("the cancelled turn's end");
        Assert.That((end.Status, end.Reason), Is.EqualTo((TurnStatus.Aborted, AbortReason.Cancelled)));
        Assert.That(end.Token.Span.SequenceEqual(client.Token.Span), "the token is kept");
        Admission receipt = await client.AskAsync();
        Assert.That((receipt.Replayed?.End.Status, receipt.Replayed?.End.Reason), Is.EqualTo((TurnStatus.Aborted, AbortReason.Cancelled)));
        Assert.That((await host.Memory.FindAsync(client.Id))!.Turn, Is.Zero);
    }

    [TestCase("in a step")]
    [TestCase("between steps")]
    [TestCase("in a delta flood")]
    [TestCase("deaf, then finished")]
    [TestCase("deaf, then thrown")]
    public async Task A_cancelled_turn_keeps_its_token_and_leaves_its_steps_to_nobody(string where)
    {
        using Gate gate = new();
        int ran = 0;
        await using SessionTester host = new(async (turn, cancel) =>
        {
            await Programs.StepAsync(turn, "one", () => ++ran);
            try
            {
                switch (where)
                {
                    case "in a step":
                        await turn.StepAsync("two", async (step, stop) =>
                        {
                            _ = gate.PassAsync();
                            await Task.Delay(Timeout.Infinite, stop);
                            return default(JsonElement);
                        }, cancel: cancel);
                        break;
                    case "between steps":
                        _ = gate.PassAsync();
                        await Task.Delay(Timeout.Infinite, cancel);
                        break;
                    case "in a delta flood":
                        _ = gate.PassAsync();
                        while (true)
                        {
                            await turn.DeltaAsync("word ", cancel);
                            await Task.Yield();
                        }
                }
            }
            finally
            {
                await gate.PassAsync();   // it does not end before all are answered
            }

            return where == "deaf, then thrown" ? throw new InvalidOperationException("of another kind") : TurnOutcome.Finished();
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync("7")).RunAsync().AsTask();
        await gate.ReachedAsync();
        CancelAnswer[] answers = await Task.WhenAll(CancelAsync(host, client).AsTask(), CancelAsync(host, client).AsTask());
        Assert.That(
            answers.Append(await CancelAsync(host, client)).Select(a => (a.Refused.Refusal, a.Turn)), Is.All.EqualTo((Refusal.None, 1L)),
            "while it runs each is told the same");
        List<string> records = await host.RecordsAsync(client.Id);
        Assert.That(records, Has.Some.Contains("\"request_closed\",\"payload\":{\"reason\":\"cancelled\""), "before the answer");
        gate.Open();
        await AssertCancelledAsync(run, host, client);
        Assert.That(await CancelAsync(host, client), Is.EqualTo(default(CancelAnswer)), "nothing runs any more");
        await AssertCancelledAsync(run, host, client);
        Assert.That(await host.RecordsAsync(client.Id), Has.Some.Contains("\"effectId\":\"one:"), "what was journalled stays");

        host.Program = async (turn, _) =>
        {
            Assert.That((turn.Attempt, turn.RecordedSteps.Count), Is.EqualTo((1, 0)));
            await Programs.StepAsync(turn, "one", () => ++ran);
            return TurnOutcome.Finished();
        };
        Assert.That((await client.SendAsync("7")).IsCommitted);
        Assert.That(ran, Is.EqualTo(2), "the same body is another request now");
    }

    [Test]
    public async Task A_program_that_ignores_it_is_left_behind_after_the_grace()
    {
        TaskCompletionSource<TurnOutcome> never = new();
        using Gate gate = new();
        TurnContext old = null!;
        await using SessionTester host = new((turn, deaf) =>
        {
            old = turn;
            _ = gate.PassAsync();
            return new(never.Task);
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await gate.ReachedAsync();
        Assert.That((await CancelAsync(host, client)).Turn, Is.EqualTo(1));
        host.Time.Advance(TimeSpan.FromSeconds(4));
        Assert.That(run.IsCompleted, Is.False);
        Assert.That(await client.RefusedAsync(), Is.EqualTo(Refusal.InFlight));
        Assert.That((await CancelAsync(host, client)).Turn, Is.EqualTo(1));
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await AssertCancelledAsync(run, host, client);
        Assert.That(async () => await Programs.StepAsync(old, "late", () => 1), Throws.InstanceOf<InvalidOperationException>());
        Assert.That(async () => await old.DeltaAsync("late"), Throws.InstanceOf<InvalidOperationException>());
        never.SetResult(TurnOutcome.Finished());
        host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.Finished());
        Assert.That((await client.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task An_idle_session_is_idle_and_its_open_request_counts_as_cancelled()
    {
        int ran = 0;
        await using SessionTester host = new();
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        Assert.That(await CancelAsync(host, client), Is.EqualTo(default(CancelAnswer)));
        Assert.That((await client.AskAsync()).Replayed!.End.IsCommitted, "nothing was open");
        host.Program = async (turn, _) =>
        {
            await Programs.StepAsync(turn, "one", () => ++ran);
            throw new InvalidOperationException();
        };
        Assert.That((await client.SendAsync("8")).Status, Is.EqualTo(TurnStatus.Failed));
        for (int i = 0; i < 2; i++)
            Assert.That(await CancelAsync(host, client), Is.EqualTo(default(CancelAnswer)));
        Assert.That((await client.AskAsync()).Replayed!.End.Reason, Is.EqualTo(AbortReason.Cancelled));
        await client.SendAsync("8");
        Assert.That(ran, Is.EqualTo(2));
        Assert.That((await client.AskAsync()).Replayed!.End.Reason, Is.EqualTo(AbortReason.Failed), "another request is the latest now");
    }

    [Test]
    public async Task The_token_is_judged_as_written()
    {
        await using SessionTester host = new();
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        ReadOnlyMemory<byte> first = client.Token;
        await client.SendAsync();
        ReadOnlyMemory<byte> spent = client.Token;
        await client.SendAsync();
        Assert.That(await host.Sessions.Cancels.CancelAsync(client.Id, spent, null), Is.EqualTo(new CancelAnswer { CanRecover = true }));
        async Task<Refusal> RefusedAsync(SessionId id, ReadOnlyMemory<byte> token, string? principal = null) =>
            (await host.Sessions.Cancels.CancelAsync(id, token, principal)).Refused.Refusal;
        Assert.That(await RefusedAsync(client.Id, first), Is.EqualTo(Refusal.StaleToken));
        Assert.That(await RefusedAsync(client.Id, default), Is.EqualTo(Refusal.MissingToken));
        Assert.That(await RefusedAsync(new SessionId("none"), client.Token), Is.EqualTo(Refusal.UnknownSession));
        Assert.That(await RefusedAsync(client.Id, client.Token, "bob"), Is.EqualTo(Refusal.UnknownSession));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_cancelled_request_that_comes_again_with_its_key_gets_the_same_reply(bool whileRunning)
    {
        const string Key = "a-key-of-twenty-characters";
        using Gate gate = new();
        int runs = 0;
        await using SessionTester host = new(async (_, _) =>
        {
            runs++;
            await gate.PassAsync();
            throw new InvalidOperationException();
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.AdmitAsync("1", Key)).Turn!.RunAsync().AsTask();
        await gate.ReachedAsync();
        if (!whileRunning)
        {
            gate.Open();
            await run;
        }

        await CancelAsync(host, client);
        gate.Open();
        await run;
        foreach (SessionTesterClient again in (SessionTesterClient[])[client, host.Client()])
        {
            Admission admission = await again.AdmitAsync("1", Key);
            Assert.That(admission.Replayed?.End.Reason, Is.EqualTo(AbortReason.Cancelled));
            Assert.That(admission.Replayed!.SessionId, Is.EqualTo(client.Id));
        }

        Assert.That((await host.Client().AdmitAsync("2", Key)).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch));
        Assert.That(runs, Is.EqualTo(1));
    }

    [TestCase(true)]
    [TestCase(false)]
    [CancelAfter(300_000)]
    public async Task Of_an_end_and_a_cancel_one_decides(bool commits)
    {
        await using SessionTester host = new(
            (_, _) => commits ? ValueTask.FromResult(TurnOutcome.ParkedOnUser()) : throw new InvalidOperationException(),
            s => s with { Queue = static work => work.Execute() });
        SessionTesterClient client = host.Client();
        await client.BeginAsync().ContinueWith(async turn => client.Take(await (await turn).RunAsync()), TaskScheduler.Default).Unwrap();
        HeadStart start = new();
        RunningTurn turn = null!;
        CancelAnswer answer = default;
        TurnEnd end = null!;
        Rendezvous.Run(
            Rounds,
            _ => turn = client.BeginAsync().GetAwaiter().GetResult(),
            _ =>
            {
                start.HoldOneBack();
                end = turn.RunAsync().AsTask().GetAwaiter().GetResult();
            },
            _ =>
            {
                start.HoldOtherBack();
                answer = CancelAsync(host, client).AsTask().GetAwaiter().GetResult();
            },
            round =>
            {
                Assert.That(answer.Refused.Refusal, Is.EqualTo(Refusal.None));
                bool wasCancelled = end.Reason == AbortReason.Cancelled;
                Assert.That(answer.Turn > 0, Is.EqualTo(wasCancelled), $"round {round}: after 202 nothing else, after idle no cancel");
                Assert.That(end.Token.Span.SequenceEqual(client.Token.Span), Is.EqualTo(!commits || wasCancelled));
                start.Tell(oneWasFirst: !wasCancelled);
                client.Take(end);
                Admission receipt = client.AskAsync().AsTask().GetAwaiter().GetResult();
                Assert.That(receipt.Replayed!.End.IsCommitted, Is.EqualTo(commits && !wasCancelled), $"round {round}");
                if (!receipt.Replayed.End.IsCommitted)   // an idle answer closed what the failed attempt left
                    Assert.That(receipt.Replayed.End.Reason, Is.EqualTo(AbortReason.Cancelled));
            });
        Assert.That(Math.Min(start.Firsts.One, start.Firsts.Other), Is.Positive, "each was first at times");
    }

    [Test]
    [CancelAfter(300_000)]
    public async Task Sixteen_that_interrupt_at_once_leave_one_running()
    {
        for (int round = 0; round < (Rounds / 100); round++)
        {
            await using SessionTester host = new(async (turn, cancel) =>
            {
                if (turn.Number > 1)
                    await Task.Delay(Timeout.Infinite, cancel);
                return TurnOutcome.ParkedOnUser();
            });
            SessionTesterClient client = host.Client();
            await client.SendAsync();
            List<Task<TurnEnd>> runs = [(await client.BeginAsync()).RunAsync().AsTask()];
            async Task InterruptAsync()
            {
                TurnRequest request = new(SessionTester.Utf8("{}"), null) { Interrupts = true };
                Admission admission = await host.Sessions.Claims.InterruptAsync(client.Id, client.Token, request);
                if (admission.Turn is { } turn)
                    lock (runs)
                        runs.Add(turn.RunAsync().AsTask());
                else
                    Assert.That(admission.Refusal, Is.EqualTo(Refusal.InFlight));
            }

            await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(InterruptAsync))).Within("the interrupts");
            // Who was interrupted gave up the session before its run is over.
            await Patience.Until(() => runs.Count(run => !run.IsCompleted) == 1, "one runs");
            foreach (Task<TurnEnd> run in runs.Where(run => run.IsCompleted))
                Assert.That((await run).Reason, Is.EqualTo(AbortReason.Cancelled));
            Assert.That((await CancelAsync(host, client)).Turn, Is.EqualTo(2));
            await Task.WhenAll(runs).Within("the end of all");
        }
    }

    [Test]
    [CancelAfter(300_000)]
    public async Task Of_a_deletion_and_a_turn_one_has_the_session()
    {
        await using SessionTester host = new(change: s => s with { Queue = static work => work.Execute() });
        SessionTesterClient client = null!;
        Admission deleted = default, turn = default;
        HeadStart start = new();
        Rendezvous.Run(
            Rounds,
            _ =>
            {
                client = host.Client();
                client.SendAsync().GetAwaiter().GetResult();
            },
            _ =>
            {
                start.HoldOneBack();
                deleted = host.Sessions.Deletions.DeleteAsync(client.Id, client.Token, null).AsTask().GetAwaiter().GetResult();
            },
            _ =>
            {
                start.HoldOtherBack();
                turn = client.AdmitAsync().GetAwaiter().GetResult();
            },
            _ =>
            {
                start.Tell(oneWasFirst: deleted.Refusal == Refusal.None);
                if (deleted.Refusal == Refusal.None)
                {
                    Assert.That(turn.Refusal, Is.EqualTo(Refusal.UnknownSession).Or.EqualTo(Refusal.InFlight));
                    Assert.That(client.AdmitAsync().GetAwaiter().GetResult().Gone?.Why, Is.EqualTo(Tombstone.Deleted));
                    return;
                }

                Assert.That(deleted.Refusal, Is.EqualTo(Refusal.InFlight));
                Assert.That(turn.Turn!.RunAsync().AsTask().GetAwaiter().GetResult().IsCommitted);
            });
        Assert.That(Math.Min(start.Firsts.One, start.Firsts.Other), Is.Positive, "each was first at times");
    }
}
