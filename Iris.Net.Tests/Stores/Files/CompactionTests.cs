using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Stores.Files;

namespace Iris.Net.Tests.Stores.Files;

public sealed class CompactionTests
{
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
