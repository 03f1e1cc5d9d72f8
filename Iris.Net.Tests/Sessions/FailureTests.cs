using System.Text.Json;
using Iris.Net.Sessions;

namespace Iris.Net.Tests.Sessions;

/// <summary>No sequence of failed attempts makes a session unusable.</summary>
internal sealed class FailureTests
{
    private static ValueTask<JsonElement> One() => ValueTask.FromResult(SessionTester.Json("1"));

    /// <summary>Every way in which an attempt may fail.</summary>
    private static readonly (string Name, TurnProgram Program)[] Failures =
    [
        ("throws at once", (_, _) => throw new InvalidOperationException()),
        ("throws later", async (_, _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException();
        }),
        ("is cancelled by nobody", (_, _) => throw new OperationCanceledException()),
        ("a task of its own is cancelled", (_, _) => ValueTask.FromCanceled<TurnOutcome>(new CancellationToken(true))),
        ("returns nothing", (_, _) => ValueTask.FromResult<TurnOutcome>(null!)),
        ("returns no task", (_, _) => default),
        ("is contended", (_, _) => ValueTask.FromResult(TurnOutcome.Contended(1))),
        ("aborts", (_, _) => ValueTask.FromResult(TurnOutcome.Aborted())),
        ("has no room", (_, _) => throw new HostOverloadedException("full")),
        ("throws after steps", async (turn, _) =>
        {
            await turn.StepAsync("a", (_, _) => One());
            await turn.StepAsync("b", (_, _) => One());
            throw new InvalidOperationException();
        }),
        ("a step throws", async (turn, _) =>
        {
            await turn.StepAsync("a", (_, _) => One());
            await turn.StepAsync("c", (_, _) => throw new TimeoutException());
            return TurnOutcome.Finished();
        }),
        ("an unsafe step throws", async (turn, _) =>
        {
            await turn.StepAsync("unsafe", (_, _) => throw new TimeoutException(), new StepOptions { RetrySafe = false });
            return TurnOutcome.Finished();
        }),
        ("a step gives what is no JSON", async (turn, _) =>
        {
            await turn.StepAsync("d", (_, _) => default);
            return TurnOutcome.Finished();
        }),
        ("its steps change", async (turn, _) =>
        {
            await turn.StepAsync($"x{turn.Attempt}", (_, _) => One());
            throw new InvalidOperationException();
        }),
        ("steps side by side throw", async (turn, _) =>
        {
            await Task.WhenAll(Enumerable.Range(0, 5).Select(i =>
                turn.StepAsync($"p{i}", (_, _) => i % 2 == 0 ? One() : throw new TimeoutException()).AsTask()));
            return TurnOutcome.Finished();
        }),
        ("has too many steps", async (turn, _) =>
        {
            for (int i = 0; i < 20; i++)
                await turn.StepAsync("many", (_, _) => One());
            return TurnOutcome.Finished();
        }),
        ("does not wait for its steps", (turn, _) =>
        {
            Task stray = Task.Run(() => turn.StepAsync("stray", (_, _) => One()).AsTask());
            throw new InvalidOperationException($"{stray.Id}");
        }),
        ("stands still", async (_, cancel) =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            return TurnOutcome.Finished();
        }),
        ("stands still whatever is asked of it", (_, _) => new(new TaskCompletionSource<TurnOutcome>().Task)),
        ("its state is too deep", (_, _) => ValueTask.FromResult(TurnOutcome.Finished(state: Deep()))),
    ];

    [Test]
    public async Task HundredsOfFailuresInAnyOrderLeaveASessionUsable([Range(1, 8)] int seed)
    {
        Random random = new(seed);
        await using SessionTester host = new(change: s => s with { MaxStepsPerTurn = 10 });
        SessionTesterClient client = host.Client();
        string? token = null;
        for (int round = 0; round < 300; round++)
        {
            (string name, TurnProgram program) = Failures[random.Next(Failures.Length)];
            host.Program = program;
            string body = $"{random.Next(3)}";
            switch (client.Id.Value is null ? 9 : random.Next(10))
            {
                case 0:
                    Assert.That(await client.With("wrong").RefusedAsync(body), Is.EqualTo(Refusal.StaleToken));
                    break;
                case 1:
                    Assert.That(await client.With("").RefusedAsync(body), Is.EqualTo(Refusal.MissingToken));
                    break;
                case 2:
                    RunningTurn held = await client.BeginAsync(body);
                    Assert.That(await client.RefusedAsync(body), Is.EqualTo(Refusal.InFlight));
                    client.Take(await RunAsync(host, held));
                    break;
                default:
                    TurnEnd end = await RunAsync(host, await client.BeginAsync(body));
                    Assert.That(end.IsCommitted, Is.False, name);
                    client.Take(end);
                    break;
            }

            if (!client.Token.IsEmpty)
                Assert.That(client.TokenText, Is.EqualTo(token ??= client.TokenText), $"round {round}, {name}: the token is kept");
        }

        Assert.That(await host.Memory.FindAsync(client.Id), Has.Property("Turn").Zero);
        host.Program = async (turn, _) =>
        {
            foreach (string step in (string[])["a", "z"])
                await turn.StepAsync(step, (_, _) => One());
            return TurnOutcome.ParkedOnUser();
        };
        Assert.That((await client.SendAsync("\"another\"")).IsCommitted);
        Assert.That((await client.SendAsync("\"another\"")).IsCommitted);
        await host.Sessions.DrainAsync();
    }

    /// <summary>A turn that stands still needs time to go on.</summary>
    private static async Task<TurnEnd> RunAsync(SessionTester host, RunningTurn turn)
    {
        Task<TurnEnd> run = turn.RunAsync().AsTask();
        while (await Task.WhenAny(run, Task.Delay(1)) != run)
            host.Time.Advance(TimeSpan.FromSeconds(20));
        return await run;
    }

    [Test]
    public async Task EachFailureAloneIsRepeatedAndThenOver()
    {
        foreach ((string name, TurnProgram program) in Failures)
        {
            await using SessionTester host = new(program, s => s with { MaxStepsPerTurn = 10 });
            SessionTesterClient client = host.Client();
            for (int i = 0; i < 4; i++)
                Assert.That((client.Take(await RunAsync(host, await client.BeginAsync("1")))).IsCommitted, Is.False, name);
            host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnUser());
            Assert.That((await client.SendAsync("1")).IsCommitted, name);
        }
    }

    [Test]
    public async Task WhatAProgramThrewIsReportedWithItsId()
    {
        await using SessionTester host = new((_, _) => throw new InvalidOperationException("secret"));
        TurnEnd end = await host.Client().SendAsync();
        Assert.That(end.Status, Is.EqualTo(TurnStatus.Failed));
        Assert.That(end.ErrorId, Has.Length.EqualTo(6));
        Assert.That(host.Reports.Single(), Is.EqualTo((end.ErrorId, end.Error)));
    }

    [Test]
    public async Task ALogThatThrowsHarmsNoTurn()
    {
        await using SessionTester host = new(
            (_, _) => throw new InvalidOperationException(), s => s with { Failed = (_, _, _) => throw new TimeoutException() });
        SessionTesterClient client = host.Client();
        RunningTurn turn = await client.BeginAsync();
        TurnEnd end = await turn.RunAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(end.Status, Is.EqualTo(TurnStatus.Failed));
        host.Program = (_, _) => ValueTask.FromResult(TurnOutcome.Aborted());
        Assert.That((await (await client.BeginAsync()).RunAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30))).Status, Is.EqualTo(TurnStatus.Aborted));
        await host.Sessions.DrainAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    private static JsonPayload Deep() =>
        JsonDocument.Parse(new string('[', 100) + new string(']', 100), new JsonDocumentOptions { MaxDepth = 200 }).RootElement;
}
