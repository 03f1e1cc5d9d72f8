using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>Check and claim are one step: of any number that present one token, one runs.</summary>
public sealed class PresenterTests
{
    private const int Presenters = 16;

    [TestCase(false, TestName = "Of_16_that_present_one_token_one_runs")]
    [TestCase(true, TestName = "Of_16_that_present_one_token_one_runs_where_the_program_waits")]
    public Task Few_rounds(bool waits) => Race(waits, 500);

    /// <summary>Thousands of rounds; only where IRIS_LONG is 1.</summary>
    [TestCase(false, TestName = "Of_16_that_present_one_token_one_runs_thousands_of_times")]
    [TestCase(true, TestName = "Of_16_that_present_one_token_one_runs_where_the_program_waits_thousands_of_times")]
    [Category("Long")]
    public Task Many_rounds(bool waits)
    {
        if (Environment.GetEnvironmentVariable("IRIS_LONG") != "1")
            Assert.Ignore("IRIS_LONG is not 1.");
        return Race(waits, 5000);
    }

    private static async Task Race(bool waits, int rounds)
    {
        int runs = 0;
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            Interlocked.Increment(ref runs);
            if (waits)
                await Task.Yield();
            return await Programs.Count(turn, cancel);
        });
        await using SessionClient starter = channel.Client(Face.Json);
        await starter.SendAsync("{}");
        (string target, string token) = ($"/v1/session/{starter.SessionId}/message", starter.Token!);
        RawConnection[] connections = await Task.WhenAll(Enumerable.Range(0, Presenters).Select(_ => RawConnection.OpenAsync(channel.Url)));
        for (int round = 1; round <= rounds; round++)
        {
            // Everybody's request but the last byte is there before anybody's last byte leaves.
            byte[] request = RawRequest.Post(target, $$"""{"continuationToken":"{{token}}"}""").Bytes(channel.Url);
            foreach (RawConnection connection in connections)
                await connection.WriteAsync(request.AsMemory(..^1));
            RawResponse[] replies = await Task.WhenAll(connections.Select(async connection =>
            {
                await connection.WriteAsync(request.AsMemory(^1..));
                return await connection.ReadResponseAsync();
            }));
            RawResponse[] winners = replies.Where(reply => reply.Status == 200).ToArray();
            Assert.That(winners, Has.Length.EqualTo(1), $"round {round}");
            foreach (RawResponse loser in replies.Except(winners))
            {
                Assert.That(loser.Status, Is.EqualTo(409));
                WireForm.CheckRefusal(loser);
                Assert.That(loser["Iris-Refusal"], Is.EqualTo("stale-token").Or.EqualTo("in-flight"));
            }

            Assert.That(winners[0].Json.GetProperty("output").GetInt32(), Is.EqualTo(round + 1));
            token = winners[0].Json.GetProperty("continuationToken").GetString()!;
        }

        Assert.That(runs, Is.EqualTo(rounds + 1));
        foreach (RawConnection connection in connections)
            await connection.DisposeAsync();
    }
}
