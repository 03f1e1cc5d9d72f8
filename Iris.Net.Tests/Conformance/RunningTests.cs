using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>What happens to a turn while it runs, over all three faces: it is alone, and nobody's leaving ends it.</summary>
[TestFixture(Face.Json)]
[TestFixture(Face.Sse)]
[TestFixture(Face.WebSocket)]
public sealed class RunningTests(Face face)
{
    [TestCase(false, TestName = "A_client_that_leaves_does_not_end_the_turn")]
    [TestCase(true, TestName = "A_client_that_leaves_a_program_with_much_to_say_does_not_end_the_turn")]
    public async Task A_client_leaves(bool talks)
    {
        using Gate gate = new();
        bool cancelled = false;
        List<string> tokens = [];
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                if (turn.Number > 1)
                    return TurnOutcome.Finished(JsonValue.Create(turn.Number));
                await turn.DeltaAsync("first", cancel);
                await gate.PassAsync();
                for (int i = 0; talks && i < 500; i++)
                {
                    await turn.DeltaAsync(new string('x', 1024), cancel);
                    await Task.Yield();
                }

                await Programs.StepAsync(turn, "after", () => 1);
                cancelled = cancel.IsCancellationRequested;
                return TurnOutcome.Finished();
            },
            options => options with
            {
                MintSessionId = () => "left",
                MintToken = () =>
                {
                    lock (tokens)
                    {
                        tokens.Add($"token{tokens.Count}");
                        return tokens[^1];
                    }
                },
            });
        await using SessionClient client = channel.Client(face);
        RunningTurn turn = await client.BeginAsync("{}");
        await gate.ReachedAsync();
        turn.Leave();
        Assert.That((await channel.AskAsync(RawRequest.Get("/v1/health"))).Status, Is.EqualTo(200));
        gate.Open();

        // The client never saw its token; here the test knows what was minted.
        await Patience.Until(async () =>
        {
            string[] minted;
            lock (tokens)
                minted = [.. tokens];
            foreach (string token in minted)
            {
                await using HttpSessionClient next = HttpSessionClient.Of(channel.Url, streams: false, "left", token);
                TurnReply reply = await next.SendAsync("{}");
                if (reply.Status is null)
                    continue;
                Assert.That(reply.Output, Is.EqualTo("2"), "turn 1 committed");
                return true;
            }

            return false;
        });
        Assert.That(cancelled, Is.False, "disconnecting never cancels");
    }

    [TestCase(false, TestName = "A_second_message_meets_a_turn_in_flight")]
    [TestCase(true, TestName = "A_second_message_meets_a_program_that_blocks_its_thread")]
    public async Task A_second_message(bool blocks)
    {
        using Gate gate = new();
        int runs = 0;
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Field("wait") is null)
                return TurnOutcome.Finished();
            Interlocked.Increment(ref runs);
            if (blocks)
                gate.Block();
            else
                await gate.PassAsync();
            return TurnOutcome.Finished(JsonValue.Create(turn.Number));
        });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        RunningTurn first = await client.BeginAsync("""{"wait":"yes"}""");
        await gate.ReachedAsync();
        foreach (string body in (string[])["""{"wait":"yes"}""", "5", "{}"])
        {
            TurnReply second = await client.SendAsync(body);
            Assert.That((second.Error, second.Code), Is.EqualTo(("a turn is already in flight for this session", "in-flight")));
        }

        TurnReply wrong = await client.SendAsync("{}", "wrong");
        Assert.That((wrong.Error, wrong.Code), Is.EqualTo(("stale or invalid continuationToken", "stale-token")), "not in flight");
        gate.Open();
        Assert.That((await first.EndAsync()).Output, Is.EqualTo("2"));
        Assert.That(runs, Is.EqualTo(1));
        Assert.That((await client.SendAsync("{}")).Status, Is.EqualTo("finished"));
    }

    [Test]
    public async Task A_program_that_blocks_its_thread_holds_up_nobody_else()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync((turn, _) =>
        {
            if (turn.Field("block") is not null)
                gate.Block();
            return Programs.Finish(JsonValue.Create(turn.Number));
        });
        await using SessionClient blocked = channel.Client(face);
        RunningTurn turn = await blocked.BeginAsync("""{"block":"yes"}""");
        await gate.ReachedAsync();
        for (int i = 0; i < 10; i++)
        {
            await using SessionClient other = channel.Client(face);
            Assert.That((await other.SendAsync("{}")).Output, Is.EqualTo("1"));
        }

        gate.Open();
        Assert.That((await turn.EndAsync()).Output, Is.EqualTo("1"));
    }

    [Test]
    public async Task A_program_that_works_past_its_time_is_cancelled_and_its_client_keeps_the_token()
    {
        using Gate gate = new();
        ManualTime time = new();
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                if (turn.Field("hang") is not null)
                {
                    _ = gate.PassAsync();
                    await Task.Delay(Timeout.Infinite, cancel);
                }

                return TurnOutcome.Finished(JsonValue.Create(turn.Number));
            },
            options => options with { TurnTimeout = TimeSpan.FromSeconds(4), Time = time });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        string? before = client.Token;
        Task<TurnReply> hanging = client.SendAsync("""{"hang":"yes"}""");
        await gate.ReachedAsync();
        time.Advance(4);
        TurnReply reply = await hanging.Within("the cancelled turn's reply");
        Assert.That((reply.Status, reply.Token), Is.EqualTo(("aborted", before)));
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("2"));
    }

    [TestCase(false, TestName = "A_program_that_ignores_its_cancellation_is_given_up_and_can_do_nothing_more")]
    [TestCase(true, TestName = "A_program_that_blocks_its_thread_past_its_time_is_given_up_and_can_do_nothing_more")]
    public async Task A_program_that_ignores_its_cancellation(bool blocks)
    {
        using Gate gate = new();
        ManualTime time = new();
        TaskCompletionSource<Exception?[]> late = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                if (turn.Field("hang") is null)
                    return TurnOutcome.Finished(JsonValue.Create(turn.Number));
                if (blocks)
                    gate.Block();
                else
                    await gate.PassAsync();
                late.SetResult(
                [
                    await Thrown(async () => await turn.DeltaAsync("late")),
                    await Thrown(async () => await Programs.StepAsync(turn, "late", () => 1)),
                    await Thrown(() => Task.FromResult(turn.TryGetSignal("late", out _))),
                ]);
                return TurnOutcome.Finished(JsonValue.Create("too late"));
            },
            options => options with { TurnTimeout = TimeSpan.FromSeconds(4), Time = time });
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        Task<TurnReply> reply = client.SendAsync("""{"hang":"yes"}""");
        await gate.ReachedAsync();
        DateTimeOffset start = time.GetUtcNow();
        await Patience.Until(async () =>
        {
            // Little by little: what one second rings may set the alarm for another.
            time.Advance(TimeSpan.FromSeconds(1));
            return await Task.WhenAny(reply, Task.Delay(50)) == reply;
        });
        Assert.That((await reply).Status, Is.EqualTo("aborted"));
        Assert.That(time.GetUtcNow() - start, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(9)), "4 s for the turn, 5 s for its end");
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("2"));
        gate.Open();
        Assert.That(await late.Task.Within(), Has.All.InstanceOf<InvalidOperationException>());
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("3"));
    }

    [Test]
    public async Task A_context_whose_turn_is_over_throws_on_every_call()
    {
        TurnContext? kept = null;
        await using Channel channel = await Channel.StartAsync((turn, _) =>
        {
            kept ??= turn;
            return Programs.Finish();
        });
        await using SessionClient client = channel.Client(face);
        TurnReply first = await client.SendAsync("{}");
        Assert.That(await Thrown(async () => await kept!.DeltaAsync("late")), Is.InstanceOf<InvalidOperationException>());
        Assert.That(await Thrown(async () => await Programs.StepAsync(kept!, "late", () => 1)), Is.InstanceOf<InvalidOperationException>());
        Assert.That(await Thrown(() => Task.FromResult(kept!.TryGetSignal("late", out _))), Is.InstanceOf<InvalidOperationException>());
        TurnReply second = await client.SendAsync("{}");
        Assert.That((first.Status, second.Status, second.Deltas), Is.EqualTo(("finished", "finished", "")));
    }

    private static async Task<Exception?> Thrown(Func<Task> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (Exception thrown)
        {
            return thrown;
        }
    }
}
