namespace Iris.Net.Tests.Conformance;

/// <summary>What a client gets to read of an exception: nothing, unless the option says so.</summary>
[TestFixture(Face.Json)]
[TestFixture(Face.Sse)]
[TestFixture(Face.WebSocket)]
public sealed class FailureTextTests(Face face)
{
    [Test]
    public async Task A_turn_that_throws_says_turn_failed_and_names_an_error_in_the_log([Values] Thrown how)
    {
        await using Channel channel = await Channel.StartAsync((turn, cancel) => Run(how, turn, cancel));
        await using SessionClient client = channel.Client(face);
        HashSet<string> ids = [];
        foreach (string _ in (string[])["first", "again"])
        {
            TurnReply reply = await client.SendAsync("{}");
            Assert.That((reply.Status, reply.Error, reply.Code), Is.EqualTo(((string?)null, "turn failed", "turn-failed")));
            Assert.That(reply.ToString(), Does.Not.Contain("secret").And.Not.Contain("Exception"));
            Assert.That(reply.ErrorId, Is.Not.Null.And.Not.Empty);
            Assert.That(ids.Add(reply.ErrorId!), "each failure has a name of its own");
        }
    }

    [Test]
    public async Task The_option_ExposeErrors_shows_the_exceptions_text()
    {
        await using Channel channel = await Channel.StartAsync(
            (turn, cancel) => Run(Thrown.AfterWait, turn, cancel), options => options with { ExposeErrors = true });
        await using SessionClient client = channel.Client(face);
        TurnReply reply = await client.SendAsync("{}");
        Assert.That((reply.Error, reply.Code), Is.EqualTo(("the secret", "turn-failed")));
    }

    [Test]
    public async Task A_turn_that_throws_keeps_the_token()
    {
        bool fails = false;
        await using Channel channel = await Channel.StartAsync(
            (turn, cancel) => fails ? Run(Thrown.AfterWait, turn, cancel) : Programs.Count(turn, cancel));
        await using SessionClient client = channel.Client(face);
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("1"));
        for (int i = 0; i < 5; i++)
        {
            fails = true;
            Assert.That((await client.SendAsync("{}")).Code, Is.EqualTo("turn-failed"));
        }

        fails = false;
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("2"));
    }

    /// <summary>The ways in which a program can fail.</summary>
    public enum Thrown
    {
        AtOnce,
        AfterWait,
        AfterDelta,
        AsCancellation,
        InStep,
        NullOutcome,
        AsFailedTask,
    }

    private static ValueTask<TurnOutcome> Run(Thrown how, TurnContext turn, CancellationToken cancel) => how switch
    {
        Thrown.AtOnce => throw new InvalidOperationException("the secret"),
        Thrown.NullOutcome => ValueTask.FromResult<TurnOutcome>(null!),
        Thrown.AsFailedTask => ValueTask.FromException<TurnOutcome>(new InvalidOperationException("the secret")),
        _ => Later(how, turn, cancel),
    };

    private static async ValueTask<TurnOutcome> Later(Thrown how, TurnContext turn, CancellationToken cancel)
    {
        await Task.Yield();
        if (how == Thrown.AfterDelta)
            await turn.DeltaAsync("text", cancel);
        if (how == Thrown.InStep)
            await Programs.StepAsync(turn, "s", () => throw new InvalidOperationException("the secret"));
        throw how == Thrown.AsCancellation ? new OperationCanceledException("the secret") : new InvalidOperationException("the secret");
    }
}
