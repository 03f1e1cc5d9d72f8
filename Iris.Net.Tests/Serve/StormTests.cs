using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Iris.Net.Tests.Serve;

/// <summary>Very many connections that never come to a request, against a server of its own process.</summary>
[NonParallelizable, Category("Long")]
public sealed class StormTests
{
    private const long KiB = 1024;
    private const string Head = "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";
    private static readonly int Size = IsLong ? 5000 : 200;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Test]
    public async Task Slow_heads_cost_little_and_hold_up_nobody()
    {
        await using IrisServer server = await IrisServer.StartAsync();
        await HealthyAsync(server, TimeSpan.FromSeconds(IsLong ? 5 : 0.5));
        await ResetStormAsync(server, 100, seconds: 0);
        int descriptors = ProcessUse.Descriptors(server.ProcessId);
        long before = ProcessUse.ResidentBytes(server.ProcessId);

        long start = Stopwatch.GetTimestamp();
        List<Socket> sockets = Connect(server, Size);
        Task<List<double>> healthy = HealthyAsync(server, TimeSpan.FromSeconds(IsLong ? 20 : 2));
        for (int second = 0; second < (IsLong ? 20 : 2); second++)
        {
            SendByte(sockets, second);
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        long each = (ProcessUse.ResidentBytes(server.ProcessId) - before) / Size;
        List<double> times = await healthy;
        times.Sort();
        double p99 = times[times.Count * 99 / 100];
        TestContext.Out.WriteLine($"{Size} connections, {each} bytes each; {times.Count} turns beside, p99 {p99:F1} ms");
        if (IsLong)
        {
            Assert.That(each, Is.LessThanOrEqualTo(12 * KiB), "resident bytes of each connection");
            Assert.That(p99, Is.LessThan(25), "milliseconds of a healthy client");
            for (int second = 20; !sockets.TrueForAll(HasEnded) && second < 40; second++)
            {
                SendByte(sockets, second);
                await Task.Delay(TimeSpan.FromSeconds(1));
            }

            Assert.That(Stopwatch.GetElapsedTime(start).TotalSeconds, Is.InRange(30, 36), "seconds to the cut");
            Assert.That(sockets.ConvertAll(Answer), Is.All.StartsWith("HTTP/1.1 408 "));
        }

        sockets.ForEach(socket => socket.Dispose());
        Assert.That(() => ProcessUse.Descriptors(server.ProcessId), Is.LessThanOrEqualTo(descriptors + 2).After((int)Patience.TotalMilliseconds, 20));
        Assert.That(server.Log, Is.Empty);
    }

    [Test]
    public async Task Connections_that_are_reset_at_once_leave_nothing_behind()
    {
        await using IrisServer server = await IrisServer.StartAsync();
        await HealthyAsync(server, TimeSpan.FromSeconds(0.5));
        int descriptors = ProcessUse.Descriptors(server.ProcessId);
        await ResetStormAsync(server, Size, seconds: 2);     // brings the server to its size
        await ResetStormAsync(server, Size, seconds: 2);
        long first = ProcessUse.ResidentBytes(server.ProcessId);
        Assert.That(ProcessUse.Descriptors(server.ProcessId), Is.LessThanOrEqualTo(descriptors + 2));
        await ResetStormAsync(server, Size, seconds: 2);
        long second = ProcessUse.ResidentBytes(server.ProcessId);
        Assert.That(ProcessUse.Descriptors(server.ProcessId), Is.LessThanOrEqualTo(descriptors + 2));
        TestContext.Out.WriteLine($"{first / KiB} KiB after the first storm, {second / KiB} KiB after the second");
        if (IsLong)
            Assert.That(second - first, Is.LessThanOrEqualTo(2048 * KiB), "what the second storm adds");
        Assert.That((await server.TurnAsync(new { message = "still" })).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(server.Log, Is.Empty);
    }

    // Opens connections, sends a byte of a head each second, and resets all of them; gives up where the server keeps them.
    private static async Task ResetStormAsync(IrisServer server, int size, int seconds)
    {
        int before = ProcessUse.Descriptors(server.ProcessId);
        List<Socket> sockets = Connect(server, size);
        for (int second = 0; second <= seconds; second++)
        {
            SendByte(sockets, second);
            await Task.Delay(TimeSpan.FromSeconds(second < seconds ? 1 : 0));
        }

        Assert.That(() => ProcessUse.Descriptors(server.ProcessId), Is.GreaterThanOrEqualTo(before + size - 2).After((int)Patience.TotalMilliseconds, 20));
        foreach (Socket socket in sockets)
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }

        TimeSpan within = IsLong ? TimeSpan.FromSeconds(2) : Patience;
        Assert.That(() => ProcessUse.Descriptors(server.ProcessId), Is.LessThanOrEqualTo(before + 2).After((int)within.TotalMilliseconds, 20),
            "descriptors after the resets");
    }

    private static List<Socket> Connect(IrisServer server, int count)
    {
        var address = new IPEndPoint(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        var sockets = new ConcurrentBag<Socket>();
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(address);
            sockets.Add(socket);
        });
        return [.. sockets];
    }

    private static void SendByte(List<Socket> sockets, int at)
    {
        byte[] one = [at < Head.Length ? (byte)Head[at] : (byte)'x'];
        foreach (Socket socket in sockets)
            socket.Send(one, SocketFlags.None, out _);
    }

    private static bool HasEnded(Socket socket) => socket.Poll(0, SelectMode.SelectRead);

    private static string Answer(Socket socket)
    {
        var buffer = new byte[4096];
        socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        int length = 0;
        for (int count; (count = socket.Receive(buffer, length, buffer.Length - length, SocketFlags.None)) > 0;)
            length += count;
        return Encoding.Latin1.GetString(buffer, 0, length);
    }

    // The times of one client's turns, in milliseconds.
    private static async Task<List<double>> HealthyAsync(IrisServer server, TimeSpan time)
    {
        List<double> times = [];
        TurnReply reply = await server.TurnAsync(new { message = "first" });
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < time;)
        {
            long asked = Stopwatch.GetTimestamp();
            reply = await server.TurnAsync(new { message = "hello" }, reply);
            times.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            Assert.That(reply.Status, Is.EqualTo(HttpStatusCode.OK));
            await Task.Delay(TimeSpan.FromMilliseconds(5));
        }

        return times;
    }
}
