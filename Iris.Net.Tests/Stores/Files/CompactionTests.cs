using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Stores.Files;

namespace Iris.Net.Tests.Stores.Files;

public sealed class CompactionTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    private readonly ManualTime _time = new();

    private FileStoreOptions Options => new() { Time = _time, SegmentSize = 4000, HotSessions = 4, CompactEvery = TimeSpan.FromDays(9) };

    [Test]
    public async Task Under_load_every_journal_stays_readable_and_its_chain_whole()
    {
        MemoryDirectory disk = new();
        Player[] players = [.. Enumerable.Range(0, 6).Select(i => new Player($"session-{i}"))];
        await using (FileStateStore store = new(disk, "memory", Options))
        {
            Task playing = Task.WhenAll(players.Select(player => Task.Run(async () =>
            {
                for (int turn = 0; turn < 60; turn++)
                {
                    await player.PlayAsync(store);
                    await player.CheckAsync(store, player.Acknowledged);
                }
            })));
            await DeleteManyAsync(store);
            while (!playing.IsCompleted)
            {
                await store.Compaction.RunAsync();
                await Task.Yield();
            }

            await playing;
            await store.Compaction.RunAsync();
            Assert.That(store.Log.End, Is.GreaterThan(50_000));
            Assert.That(store.Compaction.IsDue, Is.False);
            Assert.That(disk.Names().Count(name => Segment.NumberOf(name) is not null), Is.LessThan(store.Log.End / 4000));
            foreach (Player player in players)
                await player.CheckTurnAsync(store, 60, player.Id);
        }

        Assert.That(new FileJournals(disk).Verify().Damage, Is.Null);
        await using FileStateStore again = new(disk.Copy(), "memory", Options);
        foreach (Player player in players)
        {
            await player.CheckTurnAsync(again, 60, player.Id);
            await player.PlayAsync(again);
        }
    }

    [Test]
    public async Task A_deleted_session_is_known_for_a_day()
    {
        MemoryDirectory disk = new();
        await using FileStateStore store = new(disk, "memory", Options);
        await DeleteManyAsync(store);
        await store.Compaction.RunAsync();
        Assert.That((await Begin(store, "gone-0")).Why, Is.EqualTo(Tombstone.Deleted));
        _time.Advance(TimeSpan.FromHours(25));
        await DeleteManyAsync(store, "more");
        await store.Compaction.RunAsync();
        Assert.That((await Begin(store, "gone-0")).Why, Is.EqualTo(Tombstone.None));
        Assert.That((await Begin(store, "more-0")).Why, Is.EqualTo(Tombstone.Deleted));
    }

    [Test]
    public async Task The_disk_fails_while_it_runs()
    {
        for (int k = 1; k <= 30; k++)   // the first ones of some forty operations
        {
            MemoryDirectory disk = new();
            Player[] players = [.. Enumerable.Range(0, 4).Select(i => new Player($"session-{i}"))];
            FileStateStore store = new(disk, "memory", Options);
            foreach (Player player in players)
                for (int turn = 0; turn < 5; turn++)
                    await player.PlayAsync(store);
            await DeleteManyAsync(store);
            int count = 0;
            disk.Before = _ =>
            {
                if (Interlocked.Increment(ref count) == k)
                    throw new IOException("fails");
            };
            while (store.Compaction.IsDue)
            {
                try
                {
                    await store.Compaction.RunAsync();
                }
                catch (IOException)
                {
                    _time.Advance(1);
                }
            }

            MemoryDirectory left = disk.CutPower(new Random(k));
            disk.Before = null;
            await store.DisposeAsync();
            Assert.That(disk.Misdeeds, Is.Empty);
            Assert.That(new FileJournals(left).Verify().Damage, Is.Null, $"{k}");
            await using FileStateStore again = new(left, "memory", Options);
            foreach (Player player in players)
                await player.CheckTurnAsync(again, 5, $"{k}");
        }
    }

    [Test, Category("Long")]
    public async Task Disk_use_stays_bounded_while_the_same_sessions_are_written_and_the_process_is_killed()
    {
        const int Sessions = 50, Segment = 16 << 10;
        int turns = IsLong ? 400 : 30;
        FileStoreOptions options = Options with { SegmentSize = Segment };
        MemoryDirectory disk = new();
        Player[] players = [.. Enumerable.Range(0, Sessions).Select(i => new Player($"session-{i}", stateSize: 1000))];
        Random random = new(1);
        List<(MemoryDirectory Left, long[] Acknowledged)> kills = [];
        disk.Before = _ =>
        {
            if (random.Next(turns * 20) != 0)
                return;
            long[] acknowledged = [.. players.Select(player => player.Acknowledged)];   // before what is left
            kills.Add((disk.Copy(), acknowledged));
        };
        await using FileStateStore store = new(disk, "memory", options);
        long most = 0;
        for (int turn = 0; turn < turns; turn++)
        {
            Task compacting = store.Compaction.RunAsync();
            await Task.WhenAll(players.Select(player => player.PlayAsync(store)));
            await compacting;
            long used = disk.Names().Sum(name => (long)disk[name].Length);
            Assert.That(used, Is.LessThan(3 * store.Sessions.Live + 4 * Segment), $"turn {turn}: {store.Sessions.Live} bytes are needed");
            most = Math.Max(most, used);
        }

        disk.Before = null;
        Assert.That(most, Is.LessThan(store.Log.End / 2), "most of what was written is gone");
        foreach (Player player in players)
            await player.CheckTurnAsync(store, turns, player.Id);
        foreach ((MemoryDirectory left, long[] acknowledged) in kills)
        {
            await using FileStateStore again = new(left, "memory", options);
            foreach ((Player player, long turn) in players.Zip(acknowledged))
                await player.CheckAsync(again, turn);
        }

        TestContext.Out.WriteLine($"{turns * Sessions} turns, {store.Log.End} bytes written, at most {most} on disk, {kills.Count} kills");
    }

    private static ValueTask<BeginResult> Begin(IStateStore store, string id) =>
        store.BeginAsync(new SessionId(id), default, new LeaseRequest("me", TimeSpan.FromSeconds(30)));

    private static async Task DeleteManyAsync(IStateStore store, string prefix = "gone")
    {
        for (int i = 0; i < 60; i++)
        {
            Lease lease = await Player.CreateAsync(store, $"{prefix}-{i}");
            await store.AppendAsync(lease, new JournalEntry[] { new(1, RecordKind.Decision, new byte[200]) }, null, Flush.Durable);
            await store.DeleteAsync(lease, Tombstone.Deleted);
        }
    }
}
