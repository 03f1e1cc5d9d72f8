using System.Text;
using Iris.Net.Sessions;

namespace Iris.Net.Tests.Sessions;

/// <summary>What was answered with 202 is run to its end, also by the process after.</summary>
internal sealed class AcceptedWorkTests
{
    private const string Key = "a key of twenty and more";

    private readonly ManualTime _time = new();
    private MemoryStateStore _memory = null!;

    [SetUp]
    public void MakeStore() => _memory = new MemoryStateStore(time: _time);

    [TearDown]
    public ValueTask DropStore() => _memory.DisposeAsync();

    private SessionTester Make(TurnProgram program) =>
        new(program, s => s with { Time = _time }, store: new DurableMemory(_memory));

    private static TurnProgram Hangs => async (_, _) => await new TaskCompletionSource<TurnOutcome>().Task;

    private static ValueTask<TurnOutcome> Attempt(TurnContext turn, CancellationToken cancel) =>
        ValueTask.FromResult(TurnOutcome.Finished(SessionTester.Json($"[{turn.Body},{turn.Attempt}]")));

    /// <summary>Accepts a request in a process that then ends without any word.</summary>
    private async Task<SessionTesterClient> CrashAsync(SessionTesterClient? before = null, bool accepts = true, string? key = Key)
    {
        SessionTester host = Make(Hangs);
        SessionTesterClient client = before?.At(host) ?? host.Client();
        Admission admission = await client.AdmitAsync("1", key);
        Assert.That(admission.Turn, Is.Not.Null, $"{admission.Refusal}");
        if (accepts)
            Assert.That(await admission.Turn!.AcceptAsync(), Is.Null);
        admission.Turn!.Start();
        await host.Sessions.DisposeAsync();   // whose lease nobody renews any more
        _time.Advance(TimeSpan.FromMinutes(1));
        return client;
    }

    private static async Task<TurnEnd?> EndAsync(SessionTester host, SessionTesterClient client)
    {
        Admission asked = await client.At(host).AskAsync();
        return asked.Attached is { } turn ? await turn.Events.EndAsync() : asked.Replayed?.End;
    }

    private static string Fields(TurnEnd? end) => end is null ? "" : Encoding.UTF8.GetString(end.Fields.Span);

    [Test]
    public async Task AnAcceptedRequestGoesOnAndIsKnownByItsKey()
    {
        SessionTesterClient client = await CrashAsync();
        TaskCompletionSource gate = new();
        await using SessionTester host = Make(async (turn, cancel) =>
        {
            await gate.Task;
            return await Attempt(turn, cancel);
        });
        Admission again = await host.Client().AdmitAsync("1", Key);
        Assert.That(again.Attached, Is.Not.Null, $"{again.Refusal}");
        Assert.That((await host.Client().AdmitAsync("2", Key)).Refusal, Is.EqualTo(Refusal.IdempotencyMismatch));
        gate.SetResult();
        TurnEnd end = await again.Attached!.Events.EndAsync();
        Assert.That(Fields(end), Does.EndWith("[1,2]"));
        Assert.That(Fields((await host.Client().AdmitAsync("1", Key)).Replayed?.End), Is.EqualTo(Fields(end)));
        Assert.That(Fields(await EndAsync(host, client)), Is.EqualTo(Fields(end)), "and by its token");
    }

    [Test]
    public async Task WhatWasNotAcceptedWaitsForItsClient()
    {
        SessionTesterClient client = await CrashAsync(accepts: false);
        await using SessionTester host = Make(Attempt);
        TurnEnd end = (await EndAsync(host, client))!;
        Assert.That((end.Status, end.Reason), Is.EqualTo((TurnStatus.Aborted, AbortReason.Crashed)));
        Admission again = await host.Client().AdmitAsync("1", Key);
        Assert.That((await again.Turn!.RunAsync()).IsCommitted);
    }

    [Test]
    public async Task ARequestThatBeganThreeTimesWithoutAnEndIsLeftToItsClient()
    {
        SessionTesterClient client = await CrashAsync();
        for (int i = 0; i < 2; i++)
        {
            SessionTester next = Make(Hangs);
            Assert.That((await client.At(next).AskAsync()).Attached, Is.Not.Null, $"process {i + 2} took it up");
            await next.Sessions.DisposeAsync();
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        await using (SessionTester last = Make(Attempt))
        {
            Assert.That((await EndAsync(last, client))!.Reason, Is.EqualTo(AbortReason.Crashed));
        }

        // Accepted once more it is a promise once more.
        await CrashAsync(client, key: null);
        await using SessionTester again = Make(Attempt);
        Assert.That(Fields(await EndAsync(again, client)), Does.EndWith("[1,5]"));
    }

    [Test]
    public async Task AttemptsThatHadAnEndAreNotCounted()
    {
        SessionTesterClient client;
        await using (SessionTester host = Make((_, _) => ValueTask.FromResult(TurnOutcome.Aborted())))
        {
            client = host.Client();
            for (int i = 0; i < 4; i++)
                await client.SendAsync("1");
        }

        await CrashAsync(client, key: null);
        await using SessionTester next = Make(Attempt);
        Assert.That(Fields(await EndAsync(next, client)), Does.EndWith("[1,6]"));
    }

    [Test]
    public async Task ARequestThatIsAcceptedAgainAfterItFailedIsTakenUpAgain()
    {
        SessionTesterClient client;
        await using (SessionTester host = Make((_, _) => ValueTask.FromResult(TurnOutcome.Aborted())))
        {
            client = host.Client();
            RunningTurn turn = await client.BeginAsync("1");
            await turn.AcceptAsync();
            Assert.That((await turn.RunAsync()).Status, Is.EqualTo(TurnStatus.Aborted));
        }

        await using (SessionTester idle = Make(Attempt))
            Assert.That((await EndAsync(idle, client))!.Reason, Is.EqualTo(AbortReason.Failed), "its end was told");
        await CrashAsync(client, key: null);
        await using SessionTester next = Make(Attempt);
        Assert.That(Fields(await EndAsync(next, client)), Does.EndWith("[1,3]"));
    }

    [Test]
    public async Task MoreThanAThousandAreAllTakenUp()
    {
        const int Count = 1100;
        await using (SessionTester first = new(
            Hangs, s => s with { Time = _time, MaxConcurrentTurns = Count }, store: new DurableMemory(_memory)))
        {
            for (int i = 0; i < Count; i++)
            {
                RunningTurn turn = await first.Client().BeginAsync("1");
                await turn.AcceptAsync();
                turn.Start();
            }

            await first.Sessions.DisposeAsync();
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        int ran = 0;
        TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using SessionTester next = new(
            (turn, cancel) =>
            {
                if (Interlocked.Increment(ref ran) == Count)
                    all.SetResult();
                return Attempt(turn, cancel);
            },
            s => s with { Time = _time, MaxConcurrentTurns = Count }, store: new DurableMemory(_memory));
        await all.Task.WaitAsync(TimeSpan.FromSeconds(90));
    }

    [Test]
    public async Task WhatFindsNoPlaceAtStartIsTakenUpOnceThereIsOne()
    {
        SessionTesterClient[] clients = [await CrashAsync(key: null), await CrashAsync(key: null)];
        TaskCompletionSource gate = new();
        await using SessionTester next = new(
            async (turn, cancel) =>
            {
                await gate.Task;
                return await Attempt(turn, cancel);
            },
            s => s with { Time = _time, MaxConcurrentTurns = 1 }, store: new DurableMemory(_memory));
        Admission[] first = [await clients[0].At(next).AskAsync(), await clients[1].At(next).AskAsync()];
        Assert.That(first.Count(asked => asked.Attached is not null), Is.EqualTo(1));
        gate.SetResult();
        await first.Single(asked => asked.Attached is not null).Attached!.Events.EndAsync();
        foreach (SessionTesterClient client in clients)
        {
            TurnEnd? end = null;
            for (DateTime late = DateTime.UtcNow.AddSeconds(30); end is not { IsCommitted: true } && DateTime.UtcNow < late;)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                await Task.Yield();
                end = await EndAsync(next, client);
            }

            Assert.That(end?.IsCommitted, Is.True, "nobody asked for it again");
        }
    }

    [Test]
    public async Task AnAcceptanceThatTheStoreDoesNotTakeIsNone()
    {
        FaultyStore store = null!;
        await using SessionTester host = new(Hangs, wrap: memory => store = new FaultyStore(new DurableMemory(memory)));
        SessionTesterClient client = host.Client();
        RunningTurn turn = await client.BeginAsync("1");
        (store.At, store.Lasts, store.Fault) = (1, true, Fault.FailsBefore);
        Assert.That((await turn.AcceptAsync())!.Status, Is.EqualTo(TurnStatus.StoreUnavailable));
        Assert.That(turn.IsAccepted, Is.False);
        await host.Sessions.DrainAsync();
    }
}
