using System.Diagnostics;
using System.Globalization;
using Iris.Net.Tests.Server;

namespace Iris.Net.Tests.Serve;

/// <summary>A server that has no descriptors left.</summary>
[Platform("Linux")]
internal sealed class DescriptorTests
{
    private const int Descriptors = 256, Connections = 300;
    private const string Health = "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    [Test]
    [Category("Long")]
    public async Task It_sheds_at_little_cost_and_serves_again_within_a_second_of_relief()
    {
        await using IrisServer server = await IrisServer.StartAsync(Descriptors, "--memory");
        Uri url = server.Client.BaseAddress!;
        Assert.That(await IsServedAsync(url), Is.True);
        List<RawClient> clients = [];
        for (int i = 0; i < Connections; i++)
            clients.Add(await RawClient.ConnectAsync(url));
        await UntilAsync(() => CountOf(server.Log, "Too many open files") > 0);

        // Compiling what runs for the first time costs more than running it, but once.
        var all = Stopwatch.StartNew();
        double share = await ShareAsync(server.ProcessId, url);
        for (int i = 0; i < 4 && share >= 0.05; i++)
            share = await ShareAsync(server.ProcessId, url);
        Assert.That(share, Is.LessThan(0.05));
        Assert.That(CountOf(server.Log, "Too many open files"), Is.LessThanOrEqualTo(2 + (int)(all.Elapsed.TotalSeconds / 5)));

        foreach (RawClient client in clients)
            client.Dispose();
        var watch = Stopwatch.StartNew();
        while (!await IsServedAsync(url))
            Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)), server.Log);
        TestContext.Out.WriteLine($"served {watch.Elapsed.TotalMilliseconds:F0} ms after the relief");
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(1)), server.Log);
        Assert.That(server.Log, Does.Not.Contain("Unhandled"));
    }

    // The share of a processor that it takes to turn peers away.
    private static async Task<double> ShareAsync(int process, Uri url)
    {
        TimeSpan length = TimeSpan.FromSeconds(IsLong ? 12 : 3), before = ProcessorTime(process);
        var watch = Stopwatch.StartNew();
        int shed = 0;
        for (; watch.Elapsed < length; shed++)
        {
            Assert.That(await IsServedAsync(url), Is.False);
            await Task.Delay(20);
        }

        double share = (ProcessorTime(process) - before) / watch.Elapsed;
        TestContext.Out.WriteLine($"{share:P2} of a processor, {shed} peers turned away");
        return share;
    }

    // A shed peer sees an end or a reset, where others see an answer.
    private static async Task<bool> IsServedAsync(Uri url)
    {
        try
        {
            using RawClient client = await RawClient.ConnectAsync(url);
            await client.SendAsync(Health);
            return (await client.ReadToEndAsync()).StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal);
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        var watch = Stopwatch.StartNew();
        while (!holds())
        {
            Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)));
            await Task.Delay(10);
        }
    }

    private static int CountOf(string text, string part) => text.Split(part).Length - 1;

    // proc(5): fields 14 and 15, in hundredths of a second; the second field ends with the last parenthesis.
    private static TimeSpan ProcessorTime(int process)
    {
        string stat = File.ReadAllText($"/proc/{process}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromMilliseconds(10 * fields[11..13].Sum(ticks => long.Parse(ticks, CultureInfo.InvariantCulture)));
    }
}
