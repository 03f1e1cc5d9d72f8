using System.Diagnostics;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores.Files;

public sealed class ScaleTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    [Test, Category("Long"), NonParallelizable]
    public async Task Sessions_at_rest_cost_little_memory_and_a_start_little_time()
    {
        int count = IsLong ? 1_000_000 : 20_000;
        using TempDirectory directory = new();
        await using (FileStateStore store = new(directory.Path))
        {
            byte[] record = new byte[1100];
            for (int i = 0; i < count; i++)
            {
                Lease lease = await Player.CreateAsync(store, $"session-{i:D14}");
                await store.AppendAsync(lease, new JournalEntry[] { new(1, RecordKind.Decision, record) }, null, Flush.Written);
                await store.ReleaseAsync(lease);
            }
        }

        long before = GC.GetTotalMemory(forceFullCollection: true);
        long start = Stopwatch.GetTimestamp();
        await using FileStateStore again = new(directory.Path);
        TimeSpan took = Stopwatch.GetElapsedTime(start);
        long each = (GC.GetTotalMemory(forceFullCollection: true) - before) / count;
        TestContext.Out.WriteLine($"{count} sessions: {took.TotalSeconds:F2} s, {each} bytes each");
        Assert.That(each, Is.LessThanOrEqualTo(400));
        Assert.That(took, Is.LessThan(TimeSpan.FromSeconds(10)));
        Assert.That((await again.FindAsync(new SessionId($"session-{count - 1:D14}")))!.Turn, Is.Zero);
    }
}
