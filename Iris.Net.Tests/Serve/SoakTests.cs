using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Iris.Net.Tests.Conformance.RawTable;

namespace Iris.Net.Tests.Serve;

/// <summary>Turns at full load beside peers that send nonsense, go away in the middle, and reset, for a long time.</summary>
[NonParallelizable, Category("Long")]
public sealed class SoakTests
{
    private const int Clients = 8, Rogues = 4;
    private const long MiB = 1024 * 1024;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";
    private static readonly TimeSpan Time = IsLong ? TimeSpan.FromMinutes(8) : TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(IsLong ? 5 : 0.5);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly byte[][] Nonsense =
    [
        .. RequestLineCases.All.Concat(HostCases.All).Concat(FieldCases.All).Concat(FramingCases.All).Concat(ChunkCases.All)
            .Concat(ConnectionCases.All).Select(row => Encoding.Latin1.GetBytes(row.Request)),
        // A turn whose body never comes whole.
        "POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{\"message\":\"half"u8.ToArray(),
        "POST /v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"me\r\nx"u8.ToArray(),
    ];

    [Test]
    public async Task The_server_neither_fails_nor_grows()
    {
        await using IrisServer server = await IrisServer.StartAsync();
        TurnReply[] sessions = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => server.TurnAsync(new { message = "first" })));
        int descriptors = ProcessUse.Descriptors(server.ProcessId);

        using var stop = new CancellationTokenSource(Time);
        Task<int>[] turns = [.. sessions.Select(session => Task.Run(() => TurnsAsync(server, session, stop.Token)))];
        Task<int>[] rogues = [.. Enumerable.Range(0, Rogues).Select(seed => Task.Run(() => RogueAsync(server, new Random(seed), stop.Token)))];
        List<(TimeSpan At, long Bytes)> samples = [];
        for (long start = Stopwatch.GetTimestamp(); !stop.IsCancellationRequested;)
        {
            await Task.Delay(Sample);
            samples.Add((Stopwatch.GetElapsedTime(start), ProcessUse.ResidentBytes(server.ProcessId)));
        }

        int ran = (await Task.WhenAll(turns)).Sum(), refused = (await Task.WhenAll(rogues)).Sum();
        TestContext.Out.WriteLine($"{ran} turns, {refused} rogue connections; MiB resident: " +
            string.Join(' ', samples.Where((_, i) => i % 6 == 0).Select(sample => sample.Bytes / MiB)));
        Assert.That((ran, refused), Is.GreaterThan((0, 0)));
        Assert.That(() => ProcessUse.Descriptors(server.ProcessId), Is.LessThanOrEqualTo(descriptors + 2).After(20_000, 50));
        Assert.That(server.Log, Is.Empty);
        if (IsLong)
            Assert.That(GrowthPerMinute(samples), Is.LessThan(MiB), "bytes a minute after the second");
    }

    // Of the least of each minute: what a collection may still free is no growth.
    private static double GrowthPerMinute(List<(TimeSpan At, long Bytes)> samples)
    {
        long[] least = [.. samples.GroupBy(sample => (int)(sample.At / Minute)).Where(minute => minute.Key is >= 2 and < 8)
            .Select(minute => minute.Min(sample => sample.Bytes))];
        return (least[^1] - least[0]) / (least.Length - 1.0);
    }

    // One session, continued all the time: new ones would be memory that the store rightly takes.
    private static async Task<int> TurnsAsync(IrisServer server, TurnReply session, CancellationToken stop)
    {
        int ran = 0;
        for (; !stop.IsCancellationRequested; ran++)
        {
            session = await server.TurnAsync(new { message = "some words to echo" }, session);
            Assert.That(session.Status, Is.EqualTo(HttpStatusCode.OK));
        }

        return ran;
    }

    private static async Task<int> RogueAsync(IrisServer server, Random random, CancellationToken stop)
    {
        var address = new IPEndPoint(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        var buffer = new byte[4096];
        int count = 0;
        for (; !stop.IsCancellationRequested; count++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(address, CancellationToken.None);
            byte[] bytes = Nonsense[random.Next(Nonsense.Length)];
            try
            {
                int end = random.Next(3) == 0 ? random.Next(bytes.Length) : bytes.Length;
                int middle = random.Next(end + 1);
                await socket.SendAsync(bytes.AsMemory(0, middle));
                await socket.SendAsync(bytes.AsMemory(middle, end - middle));
                if (random.Next(2) == 0)
                    socket.Shutdown(SocketShutdown.Send);
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
                patience.CancelAfter(TimeSpan.FromMilliseconds(random.Next(50)));
                if (random.Next(2) == 0)
                    await socket.ReceiveAsync(buffer, patience.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The server was faster to close, or has nothing to say to half a request.
            }

            if (random.Next(4) > 0)
                socket.LingerState = new LingerOption(true, 0);
        }

        return count;
    }
}
