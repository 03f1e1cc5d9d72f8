using System.Text.Json;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>An attempt ends when its time is over, whatever its program does.</summary>
internal sealed class TimeoutTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5), Tick = TimeSpan.FromSeconds(1);

    private static async Task<TurnEnd> EndAsync(Task<TurnEnd> run) => await run.WaitAsync(TimeSpan.FromSeconds(30));

    private static void AssertTimedOut(TurnEnd end, SessionTesterClient client)
    {
        Assert.That((end.Status, end.Reason), Is.EqualTo((TurnStatus.Aborted, AbortReason.Timeout)));
        Assert.That(System.Text.Encoding.UTF8.GetString(end.Token.Span), Is.EqualTo(client.TokenText));
    }

    [Test]
    public async Task AProgramThatHeedsTheCancelIsAbortedAndTheTokenKept()
    {
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SessionTester host = new(async (_, cancel) =>
        {
            running.SetResult();
            await Task.Delay(Timeout.Infinite, cancel);
            return TurnOutcome.Finished();
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await running.Task;
        host.Time.Advance(SessionTester.TurnTimeout - Tick);
        Assert.That(run.IsCompleted, Is.False);
        Assert.That(await client.RefusedAsync(), Is.EqualTo(Refusal.InFlight), "the lease was renewed");
        host.Time.Advance(Tick);
        AssertTimedOut(await EndAsync(run), client);
        host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnUser());
        Assert.That((await client.SendAsync()).IsCommitted);
    }

    [Test]
    public async Task AProgramThatIgnoresTheCancelIsLeftBehind()
    {
        TaskCompletionSource<TurnOutcome> never = new();
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TurnContext old = null!;
        await using SessionTester host = new((turn, _) =>
        {
            old = turn;
            running.SetResult();
            return new(never.Task);
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await running.Task;
        host.Time.Advance(SessionTester.TurnTimeout);
        host.Time.Advance(Grace - Tick);
        Assert.That(run.IsCompleted, Is.False);
        host.Time.Advance(Tick);
        AssertTimedOut(await EndAsync(run), client);
        Assert.That(() => old.Body, Throws.InstanceOf<InvalidOperationException>());

        host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnUser(SessionTester.Json("1")));
        Assert.That((await client.SendAsync()).IsCommitted, "while the old program is still there");
        never.SetResult(TurnOutcome.Finished(SessionTester.Json("\"late\"")));
        Assert.That((await client.SendAsync()).IsCommitted);
        Assert.That((await host.Memory.FindAsync(client.Id))!.Turn, Is.EqualTo(2));
    }

    [Test]
    public async Task AProgramThatBlocksItsThreadIsLeftBehind()
    {
        using ManualResetEventSlim gate = new(), running = new();
        await using SessionTester host = new((_, _) =>
        {
            running.Set();
            gate.Wait();
            return ValueTask.FromResult(TurnOutcome.Finished());
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        Assert.That(await Task.Run(() => running.Wait(TimeSpan.FromSeconds(30))));
        host.Time.Advance(SessionTester.TurnTimeout + Grace);
        AssertTimedOut(await EndAsync(run), client);
        host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnUser());
        Assert.That((await client.SendAsync()).IsCommitted);
        gate.Set();
        await host.Sessions.DrainAsync();
        Assert.That((await host.Memory.FindAsync(client.Id))!.Turn, Is.EqualTo(1));
    }

    [Test]
    public async Task AnAbandonedProgramThatThrowsIsReported()
    {
        TaskCompletionSource<TurnOutcome> late = new();
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously), told = new();
        await using SessionTester host = new(
            (_, _) =>
            {
                running.SetResult();
                return new(late.Task);
            },
            s => s with { Failed = (what, e, session) => _ = what == "abandoned" && e is TimeoutException && told.TrySetResult() });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await running.Task;
        host.Time.Advance(SessionTester.TurnTimeout + Grace);
        await EndAsync(run);
        late.SetException(new TimeoutException());
        await told.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Test]
    public async Task AProgramThatEndsInItsGraceCommits()
    {
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SessionTester host = new(async (_, cancel) =>
        {
            TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await using CancellationTokenRegistration registration = cancel.Register(cancelled.SetResult);
            running.SetResult();
            await cancelled.Task;
            return TurnOutcome.ParkedOnUser();
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await running.Task;
        host.Time.Advance(SessionTester.TurnTimeout);
        Assert.That((await EndAsync(run)).IsCommitted);
    }

    [Test]
    public async Task ACallbackThatThrowsHarmsNobody()
    {
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SessionTester host = new(async (_, cancel) =>
        {
            cancel.Register(() => throw new TimeoutException());
            running.SetResult();
            await Task.Delay(Timeout.Infinite, cancel);
            return TurnOutcome.Finished();
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await running.Task;
        host.Time.Advance(SessionTester.TurnTimeout);
        AssertTimedOut(await EndAsync(run), client);
    }

    [Test]
    public async Task StepsThatAreLeftBehindWriteNothing()
    {
        TaskCompletionSource<JsonElement> late = new();
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<JsonElement> step = null!;
        int runs = 0;
        await using SessionTester host = new(async (turn, _) =>
        {
            step = turn.StepAsync("slow", (_, _) =>
            {
                runs++;
                running.TrySetResult();
                return new(late.Task);
            }, cancel: default).AsTask();
            await step;
            return TurnOutcome.ParkedOnUser();
        });
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await running.Task;
        host.Time.Advance(SessionTester.TurnTimeout + Grace);
        AssertTimedOut(await EndAsync(run), client);
        List<string> before = await host.RecordsAsync(client.Id);
        late.SetResult(SessionTester.Json("\"late\""));
        Assert.That(async () => await step.WaitAsync(TimeSpan.FromSeconds(30)), Throws.InstanceOf<InvalidOperationException>());
        Assert.That(await host.RecordsAsync(client.Id), Is.EqualTo(before));
        late = new();
        late.SetResult(SessionTester.Json("1"));
        Assert.That((await client.SendAsync()).IsCommitted);
        Assert.That(runs, Is.EqualTo(2), "it ran again");
    }

    [Test]
    public async Task ALostLeaseEndsTheAttempt()
    {
        TaskCompletionSource running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SessionTester host = new(async (_, cancel) =>
        {
            running.SetResult();
            await Task.Delay(Timeout.Infinite, cancel);
            return TurnOutcome.Finished();
        });
        SessionTesterClient client = host.Client();
        RunningTurn turn = await client.BeginAsync();
        Task<TurnEnd> run = turn.RunAsync().AsTask();
        await running.Task;
        await TakeAwayAsync(host, client);
        host.Time.Advance(TimeSpan.FromSeconds(10));   // the next renewal finds out
        TurnEnd end = await EndAsync(run);
        Assert.That((end.Status, end.Reason), Is.EqualTo((TurnStatus.Aborted, AbortReason.LeaseLost)));
    }

    [Test]
    public async Task AnAttemptThatLostItsLeaseCommitsNothing()
    {
        TaskCompletionSource<TurnOutcome> outcome = new();
        await using SessionTester host = new((_, _) => new(outcome.Task));
        SessionTesterClient client = host.Client();
        Task<TurnEnd> run = (await client.BeginAsync()).RunAsync().AsTask();
        await TakeAwayAsync(host, client);
        outcome.SetResult(TurnOutcome.Finished());
        TurnEnd end = await EndAsync(run);
        Assert.That((end.Status, end.Reason), Is.EqualTo((TurnStatus.Aborted, AbortReason.LeaseLost)));
        Assert.That((await host.Memory.FindAsync(client.Id))!.Turn, Is.Zero);
    }

    // As a process that stood still for longer than its lease: somebody else has the session.
    private static async Task TakeAwayAsync(SessionTester host, SessionTesterClient client)
    {
        BeginResult held = await host.Memory.BeginAsync(client.Id, default, new LeaseRequest("x", TimeSpan.FromHours(1)));
        await host.Memory.ReleaseAsync(held.Lease);
        Assert.That(
            (await host.Memory.BeginAsync(client.Id, default, new LeaseRequest("other", TimeSpan.FromHours(1)))).Status,
            Is.EqualTo(BeginStatus.Begun));
    }
}
