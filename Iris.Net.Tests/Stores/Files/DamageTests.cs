using Iris.Net.Stores.Files;

namespace Iris.Net.Tests.Stores.Files;

/// <summary>What a start makes of files that are not as they were written.</summary>
public sealed class DamageTests
{
    private const string First = "segment-0000000001.iris";
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    // A journal of about 16 KiB, and how each session stood at each length of the log.
    private static async Task<(MemoryDirectory Disk, List<(long End, Dictionary<string, long> Turns)> Steps)> MakeAsync(
        int turns = 36, long segmentSize = 1 << 20)
    {
        MemoryDirectory disk = new();
        List<(long End, Dictionary<string, long> Turns)> steps = [(0, [])];
        await using FileStateStore store = new(disk, "memory", new FileStoreOptions { Time = new ManualTime(), SegmentSize = segmentSize });
        for (int i = 0; i < turns; i++)
        {
            Player player = new($"session-{i % 3}");
            long turn = i / 3;
            if (turn == 0)
                await store.ReleaseAsync(await Player.CreateAsync(store, player.Id));
            else
                await player.PlayAsync(store);
            steps.Add((store.Log.End, new Dictionary<string, long>(steps[^1].Turns) { [player.Id] = turn }));
        }

        return (disk, steps);
    }

    private static FileStateStore Open(MemoryDirectory disk) => new(disk, "memory", new FileStoreOptions { Time = new ManualTime() });

    [Test, Category("Long")]
    public async Task Every_cut_of_the_tail_leaves_the_prefix_of_whole_appends()
    {
        (MemoryDirectory disk, var steps) = await MakeAsync();
        byte[] whole = disk[First];
        for (int length = whole.Length; length >= 0; length -= IsLong || length > whole.Length - 700 ? 1 : 31)
        {
            MemoryDirectory cut = disk.Copy();
            cut[First] = whole[..length];
            await using FileStateStore store = Open(cut);
            Dictionary<string, long> expected = steps.Last(step => step.End <= Math.Max(0, length - SegmentHeader.Size)).Turns;
            foreach ((string id, long turn) in expected)
                await new Player(id).CheckTurnAsync(store, turn, $"{length} bytes");
            Assert.That(store.Sessions.All.Count(), Is.EqualTo(expected.Count), $"{length} bytes");
        }
    }

    [Test]
    public async Task What_was_cut_is_kept_beside_the_segment()
    {
        (MemoryDirectory disk, var steps) = await MakeAsync();
        byte[] whole = disk[First];
        disk[First] = whole[..^5];
        long kept = steps[^2].End + SegmentHeader.Size;
        List<string> log = [];
        FileStoreOptions options = new() { Time = new ManualTime(), Log = log.Add };
        await using (FileStateStore store = new(disk, "memory", options))
            Assert.That(disk[$"{First}.torn-{kept}"], Is.EqualTo(whole[(int)kept..^5]));
        Assert.That(disk[First], Is.EqualTo(whole[..(int)kept]));
        Assert.That(log, Has.One.Contains($"cut at offset {kept}"));
    }

    [TestCase(1)]
    [TestCase(512)]
    [TestCase(5000)]
    public async Task Zeros_behind_the_last_frame_are_cut(int zeros)
    {
        (MemoryDirectory disk, var steps) = await MakeAsync();
        byte[] whole = disk[First];
        disk[First] = [.. whole, .. new byte[zeros]];
        await using FileStateStore store = Open(disk);
        await new Player("session-2").CheckTurnAsync(store, steps[^1].Turns["session-2"], "the last");
        Assert.That(disk[First], Is.EqualTo(whole));
    }

    [Test]
    public async Task A_frame_that_is_zeros_from_a_sector_on_is_cut()
    {
        (MemoryDirectory disk, var steps) = await MakeAsync();
        byte[] whole = disk[First];
        long last = steps[^2].End + SegmentHeader.Size, sector = (last + 511) / 512 * 512;
        Assert.That(sector, Is.LessThan(whole.Length), "the last frame has a sector's start within");
        whole.AsSpan((int)sector).Clear();
        disk[First] = whole;
        await using FileStateStore store = Open(disk);
        foreach ((string id, long turn) in steps[^2].Turns)
            await new Player(id).CheckTurnAsync(store, turn, id);
    }

    [Test, Category("Long")]
    public async Task Every_flipped_bit_is_refused_and_found()
    {
        (MemoryDirectory disk, _) = await MakeAsync(segmentSize: 6000);
        foreach (string name in disk.Names().Where(name => Segment.NumberOf(name) is not null))
        {
            byte[] bytes = disk[name];
            int end = bytes.AsSpan().LastIndexOf(Segment.GoesOnMark) is > 0 and int mark ? mark : bytes.Length;   // it is void behind
            for (int bit = 0; bit < end * 8; bit += IsLong ? 1 : 29)
            {
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                MemoryDirectory flipped = disk.Copy();
                flipped[name] = bytes;
                bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                DamagedStoreException? refused = Assert.Throws<DamagedStoreException>(() => Open(flipped), $"{name}, bit {bit}");
                DamagedStoreException? found = new FileJournals(flipped).Verify().Damage;
                Assert.That((refused!.File, refused.Offset), Is.EqualTo((found?.File, found?.Offset)), $"{name}, bit {bit}");
                Assert.That(refused.Offset, Is.LessThanOrEqualTo(bit / 8), "the record that has the bit");
            }
        }

        Assert.That(disk.Names().Count(name => Segment.NumberOf(name) is not null), Is.GreaterThan(2));
    }

    [Test]
    public async Task A_missing_segment_is_refused()
    {
        (MemoryDirectory disk, _) = await MakeAsync(segmentSize: 4000);
        string[] names = [.. disk.Names().Where(name => Segment.NumberOf(name) is not null).Order()];
        Assert.That(names, Has.Length.GreaterThan(3));
        foreach (string name in names)
        {
            MemoryDirectory without = disk.Copy();
            without.Remove(name);
            Assert.Throws<DamagedStoreException>(() => Open(without), name);
            Assert.That(new FileJournals(without).Verify().Damage, Is.Not.Null, name);
            Assert.That(new FileJournals(without).Cut(), Is.Not.Null, name);
            await Open(without).DisposeAsync();
        }
    }

    [Test]
    public async Task A_segment_in_anothers_place_is_refused()
    {
        (MemoryDirectory disk, _) = await MakeAsync(segmentSize: 4000);
        disk["segment-0000000001.iris"] = disk["segment-0000000002.iris"];
        Assert.Throws<DamagedStoreException>(() => Open(disk));
    }

    [Test]
    public async Task A_segment_before_the_last_that_ends_inside_a_frame_is_refused()
    {
        (MemoryDirectory disk, _) = await MakeAsync(segmentSize: 4000);
        disk[First] = disk[First][..(disk[First].AsSpan().LastIndexOf(Segment.GoesOnMark) - 3)];
        Assert.Throws<DamagedStoreException>(() => Open(disk));
    }

    [Test]
    public async Task A_whole_log_has_nothing_wrong()
    {
        (MemoryDirectory disk, _) = await MakeAsync(segmentSize: 4000);
        Assert.That(
            new FileJournals(disk).Verify(), Is.EqualTo(new JournalCheck(Sessions: 3, Records: 3 + 33 * 2, null, null, 0)));
    }
}
