using System.Diagnostics;
using System.Net.Sockets;
using Iris.Net.Server;
using Iris.Net.Tests.Conformance.Raw;
using RawClient = Iris.Net.Tests.Server.RawClient;

namespace Iris.Net.Tests.Conformance;

/// <summary>Many that read one turn, some of which never read: no reader holds up a turn, and none sees another turn than the
/// others.</summary>
[NonParallelizable]
public sealed class ManyReadersTests
{
    private const int Readers = 12, Stuck = 4;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    // One turn speaks 2 MiB: a reader that never reads falls too far behind. Of many each speaks 512 KiB: it takes nothing for 2 s.
    [TestCase(1, 14, 8192)]
    [TestCase(100, 80, 2048)]
    [Category("Long")]
    public async Task All_see_the_same_and_hold_up_nobody(int turns, int pauseMs, int size)
    {
        int rounds = IsLong ? turns == 1 ? 20 : 2 : 1;
        if (!IsLong)
            (turns, pauseMs) = (Math.Min(turns, 6), 14);
        List<double> alone = [], read = [];
        for (int round = 0; round < rounds; round++)
        {
            if (IsLong)
                alone.AddRange(await RunAsync(turns, isRead: false, TimeSpan.FromMilliseconds(pauseMs), size));
            read.AddRange(await RunAsync(turns, isRead: true, TimeSpan.FromMilliseconds(pauseMs), size));
        }

        if (!IsLong)
            return;
        double ratio = Median(read) / Median(alone);
        TestContext.Out.WriteLine(
            $"{turns} turns at once, {alone.Count} each: {Median(alone):F0} ms alone, {Median(read):F0} ms with {Readers} that read and {Stuck} that do not: {ratio:F2}");
        Assert.That(ratio, Is.LessThanOrEqualTo(1.2));
    }

    // The times of so many turns at once, in milliseconds.
    private static async Task<double[]> RunAsync(int turns, bool isRead, TimeSpan pause, int size)
    {
        string text = new('d', size);
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            if (turn.Number == 1)
                return TurnOutcome.ParkedOnUser();
            await gate.PassAsync();
            for (int i = 0; i < 256; i++)
            {
                await turn.DeltaAsync($"{i} {text}", cancel);
                if (i % 16 == 0)
                    await Programs.StepAsync(turn, "s", () => i);
                await Task.Delay(pause, cancel);
            }

            return TurnOutcome.Finished();
        }, o => o with { Limits = new RestChannelLimits { Http = new HttpServerLimits { ResponseStallTimeout = TimeSpan.FromSeconds(2) } } });
        List<Turn> running = [];
        for (int i = 0; i < turns; i++)
            running.Add(await Turn.BeginAsync(channel, isRead));
        await gate.ReachedAsync();
        long start = Stopwatch.GetTimestamp();
        gate.Open();
        double[] times = await Task.WhenAll(running.Select(async turn =>
        {
            Assert.That((await turn.Reply).Json.GetProperty("status").GetString(), Is.EqualTo("finished"));
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }));
        // Short turns may be over before a reader that takes nothing is given up.
        await Task.WhenAll(running.Select(turn => turn.CheckAsync(isCut: IsLong || turns == 1)));
        return times;
    }

    private static double Median(List<double> times) => times.Order().ElementAt(times.Count / 2);

    private sealed class Turn
    {
        private readonly List<(StreamDigest Reader, Task Reading)> _readers = [];
        private readonly List<RawClient> _stuck = [];

        public required Task<RawResponse> Reply { get; init; }

        public static async Task<Turn> BeginAsync(Channel channel, bool isRead)
        {
            RawResponse first = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
            string id = first.Json.GetProperty("sessionId").GetString()!, token = first.Json.GetProperty("continuationToken").GetString()!;
            Turn turn = new() { Reply = channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", "{}", $"X-Continuation-Token: {token}")) };
            await Patience.Until(async () =>
                (await channel.AskAsync(RawRequest.Get($"/v1/session/{id}/turn", $"X-Continuation-Token: {token}"))).Status == 202);
            for (int i = 0; isRead && i < Readers; i++)
            {
                StreamDigest reader = new();
                await reader.OpenAsync(channel.Url, RawRequest.Get($"/v1/session/{id}/stream", $"X-Continuation-Token: {token}"));
                turn._readers.Add((reader, reader.ReadToEndAsync()));
            }

            for (int i = 0; isRead && i < Stuck; i++)
            {
                RawClient stuck = await RawClient.ConnectAsync(channel.Url, receiveBuffer: 4096);
                turn._stuck.Add(stuck);
                await stuck.SendAsync($"GET /v1/session/{id}/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Continuation-Token: {token}\r\n\r\n");
            }

            return turn;
        }

        public async Task CheckAsync(bool isCut)
        {
            foreach ((StreamDigest reader, Task reading) in _readers)
            {
                await reading.Within("the stream's end");
                Assert.That((reader.Outcomes, reader.Gaps, reader.Digest), Is.EqualTo((1, 0, _readers[0].Reader.Digest)), "all see the same");
                reader.Dispose();
            }

            foreach (RawClient stuck in _stuck)
            {
                string got = "";
                try
                {
                    got = await stuck.ReadToEndAsync();
                }
                catch (SocketException)
                {
                    // The cut.
                }

                if (isCut)
                    Assert.That(got, Does.Not.Contain("event: outcome"), "one that never read was cut");
                stuck.Dispose();
            }
        }
    }
}
