using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Stores.Files;

namespace Iris.Net.Tests.Stores.Files;

/// <summary>What the store makes of a disk that fails.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FailureTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    private readonly ManualTime _time = new();
    private readonly List<string> _log = [];

    private FileStoreOptions Options => new() { Time = _time, SegmentSize = 3000, Log = line => { lock (_log) _log.Add(line); } };

    // Plays a turn, again and again until the disk is well; the time goes on meanwhile.
    private async Task PlayAsync(Player player, IStateStore store)
    {
        for (DateTime end = DateTime.UtcNow + Soon; DateTime.UtcNow < end;)
        {
            try
            {
                await player.PlayAsync(store);
                return;
            }
            catch (IOException)
            {
                _time.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Yield();
            }
        }

        Assert.Fail("service did not resume");
    }

    [Test]
    public async Task The_kth_operation_fails([Values("write", "sync", "directory sync", "create", "rename")] string which, [Range(1, 50)] int k)
    {
        MemoryDirectory disk = new();
        FileStateStore store = new(disk, "memory", Options);
        Player[] players = [.. Enumerable.Range(0, 3).Select(i => new Player($"session-{i}"))];
        int count = 0;
        disk.Before = operation =>
        {
            // Twice: the first attempt to go on fails as well.
            if (operation == which && Interlocked.Increment(ref count) is int n && (n == k || n == k + 1))
                throw new IOException($"{which} {k} fails");
        };
        for (int turn = 0; turn < 25 || (IsLong && count < k && turn < 300); turn++)
            await Task.WhenAll(players.Select(player => PlayAsync(player, store)));
        Assert.That(disk.Misdeeds, Is.Empty);

        // What a killed process leaves, and what a power cut leaves.
        foreach (MemoryDirectory left in (MemoryDirectory[])[disk.Copy(), disk.CutPower(new Random(k))])
        {
            Assert.That(new FileJournals(left).Verify().Damage, Is.Null);
            await using FileStateStore again = new(left, "memory", Options);
            foreach (Player player in players)
                await player.CheckAsync(again, player.Acknowledged);
        }

        disk.Before = null;
        await store.DisposeAsync();
    }

    [Test]
    public async Task While_the_disk_fails_the_session_in_doubt_is_neither_where_it_was_nor_where_it_went()
    {
        MemoryDirectory disk = new();
        await using FileStateStore store = new(disk, "memory", Options);
        Player certain = new("certain");
        await certain.PlayAsync(store);
        Lease lease = await Player.CreateAsync(store, "doubted");
        Assert.That(await Player.CommitAsync(store, lease, 1, 1), Is.EqualTo(AppendResult.Appended));
        lease = (await store.BeginAsync(new SessionId("doubted"), default, new LeaseRequest("me", Soon))).Lease;
        disk.Before = operation => throw new IOException("no space left");

        Assert.ThrowsAsync<IOException>(async () => await Player.CommitAsync(store, lease, 2, 3));
        Assert.Throws<IOException>(() => store.BeginAsync(lease.Session, default, new LeaseRequest("you", Soon)).GetAwaiter().GetResult());
        Assert.Throws<IOException>(() => store.FindAsync(lease.Session).GetAwaiter().GetResult());
        await store.ReleaseAsync(lease);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Throws<IOException>(() => store.BeginAsync(lease.Session, default, new LeaseRequest("you", Soon)).GetAwaiter().GetResult());
        Assert.That((await store.FindAsync(certain.Session))!.Turn, Is.EqualTo(1), "nothing of it is in doubt");
        Assert.ThrowsAsync<IOException>(() => certain.PlayAsync(store));
        Assert.That(disk.Copy().Names().Count(name => name.EndsWith(Segments.UnfinishedSuffix, StringComparison.Ordinal)), Is.LessThan(2));

        disk.Before = null;
        for (DateTime end = DateTime.UtcNow + Soon; store.Log.Failure is not null && DateTime.UtcNow < end;)
        {
            _time.Advance(1);
            await Task.Yield();
        }

        SessionHead head = (await store.FindAsync(lease.Session))!;
        Assert.That(head.Turn, Is.EqualTo(2), "it was appended after all");
        BeginResult begun = await store.BeginAsync(lease.Session, Player.Head("doubted", 2, 5).Guard, new LeaseRequest("you", Soon));
        Assert.That(begun.Status, Is.EqualTo(BeginStatus.Begun), "the lease ended with the commit");
        await certain.PlayAsync(store);
        Assert.That(_log, Has.Count.EqualTo(2));
        Assert.That(_log[0], Does.Contain("cannot be written").And.Contain("no space left"));
        Assert.That(_log[1], Does.Contain("can be written again"));
    }

    [Test]
    public async Task Nothing_is_acknowledged_before_its_sync()
    {
        MemoryDirectory disk = new();
        await using FileStateStore store = new(disk, "memory", Options);
        Lease lease = await Player.CreateAsync(store, "s");
        using ManualResetEventSlim reached = new(), go = new();
        disk.Before = operation =>
        {
            if (operation != "sync")
                return;
            reached.Set();
            go.Wait(Soon);
        };
        Task<AppendResult> commit = Player.CommitAsync(store, lease, 1, 1);
        Assert.That(reached.Wait(Soon));
        Assert.That(commit.IsCompleted, Is.False);
        Assert.That((await store.FindAsync(lease.Session))!.Turn, Is.Zero, "claims are judged by what is on disk");
        BeginResult claim = await store.BeginAsync(lease.Session, Player.Head("s", 0, 1).Guard, new LeaseRequest("you", Soon));
        Assert.That(claim.Status, Is.EqualTo(BeginStatus.Held));
        go.Set();
        Assert.That(await commit, Is.EqualTo(AppendResult.Appended));
        Assert.That((await store.FindAsync(lease.Session))!.Turn, Is.EqualTo(1));
    }

    [Test]
    public async Task One_sync_answers_all_who_came_before_it()
    {
        const int Sessions = 64;
        MemoryDirectory disk = new();
        await using FileStateStore store = new(disk, "memory", new FileStoreOptions { Time = _time });
        Lease[] leases = await Task.WhenAll(Enumerable.Range(0, Sessions).Select(i => Player.CreateAsync(store, $"s{i}")));
        using ManualResetEventSlim reached = new(), go = new();
        disk.Before = operation =>
        {
            if (operation != "sync")
                return;
            reached.Set();
            go.Wait(Soon);
        };
        int before = disk.Syncs;
        Task<AppendResult> first = Player.CommitAsync(store, leases[0], 1, 1);
        Assert.That(reached.Wait(Soon));
        Task<AppendResult[]> others = Task.WhenAll(leases[1..].Select(lease => Player.CommitAsync(store, lease, 1, 1)));
        go.Set();
        Assert.That(await others, Is.All.EqualTo(AppendResult.Appended));
        Assert.That(await first, Is.EqualTo(AppendResult.Appended));
        Assert.That(disk.Syncs - before, Is.EqualTo(2));
    }

    [Test]
    public async Task A_directory_that_is_in_use_is_refused_and_free_afterwards()
    {
        using TempDirectory directory = new();
        await using (FileStateStore store = new(directory.Path))
            Assert.That(
                () => new FileStateStore(directory.Path), Throws.InstanceOf<IOException>().With.Message.Contains("in use"));
        await using FileStateStore again = new(directory.Path);
    }

    [Test, Category("Long")]
    public async Task A_power_cut_at_any_moment_loses_nothing_that_was_acknowledged([Values(0, 512, 4096)] int page)
    {
        Random random = new(4711);
        int cut = 0;
        for (int round = 0; round < (IsLong ? 1000 : 20); round++)
        {
            MemoryDirectory disk = new();
            Player[] players = [.. Enumerable.Range(0, 4).Select(i => new Player($"session-{i}"))];
            List<(MemoryDirectory Left, long[] Acknowledged)> cuts = [];
            int seed = random.Next();
            Random cutting = new(seed);
            disk.Before = _ =>
            {
                if (cutting.Next(12) != 0)
                    return;
                long[] acknowledged = [.. players.Select(player => player.Acknowledged)];   // before the cut
                cuts.Add((disk.CutPower(cutting, page), acknowledged));
            };
            await using (FileStateStore store = new(disk, "memory", new FileStoreOptions { Time = new ManualTime(), SegmentSize = 2000 }))
                await Task.WhenAll(players.Select(player => Task.Run(async () =>
                {
                    for (int turn = 0; turn < 6; turn++)
                        await player.PlayAsync(store);
                })));
            disk.Before = null;
            foreach ((MemoryDirectory left, long[] acknowledged) in cuts)
            {
                // A page that is missing before others that are there is damage, and an operator's to cut: behind what was synced.
                if (page > 0 && new FileJournals(left).Cut() is not null)
                    cut++;
                await using FileStateStore again = new(left, "memory", new FileStoreOptions { Time = new ManualTime() });
                for (int i = 0; i < players.Length; i++)
                    await players[i].CheckAsync(again, acknowledged[i]);
            }
        }

        TestContext.Out.WriteLine($"{cut} had to be cut by hand");
    }
}
