namespace Iris.Net.Tests.Serve;

/// <summary>A server whose disk fails under load: what was acknowledged is on disk, and service resumes by itself.</summary>
[Platform("Linux")]
internal sealed class FailingDiskTests
{
    private const int Clients = 6;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    [TestCase("fsync", "EIO")]
    [TestCase("pwrite64", "EIO")]
    [TestCase("pwrite64", "ENOSPC")]
    [Category("Long")]
    public async Task The_kth_call_fails_and_the_next_one_too(string call, string error)
    {
        await using LedgerServer server = new();
        await using LedgerLoad load = new(server, Clients);
        foreach (int k in IsLong ? Enumerable.Range(1, 50) : [1, 4])
        {
            await server.StartAsync();
            await load.AcknowledgedAsync(20);
            int told = server.Log.Length;
            await using DiskTrace trace = await DiskTrace.AttachAsync(server, $"{call}:error={error}:when={k}..{k + 1}");
            await load.UntilAsync(() => server.Log[told..].Contains("can be written again", StringComparison.Ordinal));
            await load.AcknowledgedAsync(20);
            string log = server.Log[told..];
            long[] acknowledged = load.Acknowledged();
            await server.KillAsync();
            await trace.EndAsync();
            List<DiskCall> calls = trace.Calls();
            // At least these two, of one thread: strace counts each thread's alone, so that a compaction may have its kth call, too.
            DiskCall[] failed = [.. calls.Where(c => c.Failed)];
            Assert.That(failed.CountBy(c => c.Thread).Max(thread => thread.Value), Is.GreaterThanOrEqualTo(2), $"{k}: {string.Join(", ", failed.AsEnumerable())}");
            AssertNothingIsTriedAgain(calls);
            DropWhatIsNotSynced(server.Data, calls);
            Assert.That(log.Split("cannot be written"), Has.Length.EqualTo(2), log);
            Assert.That(log.Split("can be written again"), Has.Length.EqualTo(2), log);
            using FileJournals journals = new(server.Data);
            Assert.That(journals.Verify().Damage, Is.Null);
            await load.CheckAsync(acknowledged);
        }

        await server.StartAsync();
        await load.EveryoneAsync();
        Assert.That(load.Unavailable, Is.GreaterThan(0), "503 was answered");
    }

    [TestCase("ENOSPC")]
    [TestCase("EROFS")]
    public async Task A_disk_that_takes_nothing_for_a_while(string error)
    {
        await using LedgerServer server = new();
        await using LedgerLoad load = new(server, Clients);
        await server.StartAsync();
        await load.AcknowledgedAsync(20);
        await using (DiskTrace trace = await DiskTrace.AttachAsync(server, $"pwrite64:error={error}:when=1+"))
        {
            await load.EveryoneRefusedAsync();
            long[] before = load.Acknowledged();
            await load.EveryoneRefusedAsync();
            Assert.That(load.Acknowledged(), Is.EqualTo(before), "nothing is acknowledged meanwhile");
            await trace.DetachAsync();
        }

        await load.EveryoneAsync();
        long[] acknowledged = load.Acknowledged();
        await server.KillAsync();   // all of its log has come then
        Assert.That(server.Log.Split("cannot be written"), Has.Length.EqualTo(2), server.Log);
        Assert.That(server.Log.Split("can be written again"), Has.Length.EqualTo(2), server.Log);
        await load.CheckAsync(acknowledged);
    }

    [Test]
    public async Task A_full_disk_refuses_turns_until_there_is_room()
    {
        using Mount mount = Mount.Tmpfs("512k");
        await using LedgerServer server = new() { Data = Path.Combine(mount.Path, "data") };
        await using LedgerLoad load = new(server, Clients);
        string ballast = Path.Combine(mount.Path, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[256 << 10]);
        await server.StartAsync();
        await load.UntilAsync(() => load.Unavailable > 2 * Clients);
        File.Delete(ballast);
        await load.EveryoneAsync();
        long[] acknowledged = load.Acknowledged();
        await server.KillAsync();
        Assert.That(server.Log, Does.Contain("cannot be written").And.Contain("can be written again"));
        await load.CheckAsync(acknowledged);
    }

    // A file whose write or sync failed is done with; a directory is synced for the next file, too.
    private static void AssertNothingIsTriedAgain(List<DiskCall> calls)
    {
        HashSet<string> failed = [];
        foreach (DiskCall call in calls.Where(call => call.File.StartsWith("segment-", StringComparison.Ordinal)))
        {
            Assert.That(failed, Does.Not.Contain(call.File), $"{call} after one that failed");
            if (call.Failed)
                failed.Add(call.File);
        }
    }

    // What a power cut would leave of the files that were synced at all.
    private static void DropWhatIsNotSynced(string data, List<DiskCall> calls)
    {
        foreach (IGrouping<string, DiskCall> file in calls.GroupBy(call => call.File))
        {
            long written = 0, synced = 0;
            foreach (DiskCall call in file.Where(call => !call.Failed))
                if (call.IsSync)
                    synced = written;
                else
                    written = Math.Max(written, call.Offset + call.Result);
            string path = Path.Combine(data, file.Key);
            if (synced == 0 || synced == written || !File.Exists(path))
                continue;
            using FileStream stream = File.OpenWrite(path);
            stream.SetLength(synced);
        }
    }
}
