using System.Text;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores;

/// <summary>What the memory store promises beside what every store does: bounds.</summary>
internal sealed class MemoryStateStoreTests
{
    private const int MiB = 1 << 20;

    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);
    private static readonly SessionId Id = new("session-1");

    private ManualTime Time { get; set; } = null!;

    private MemoryStateStore Memory { get; set; } = null!;

    private IStateStore Store => Memory;

    [SetUp]
    public void SetUp()
    {
        Time = new ManualTime();
        Memory = new MemoryStateStore(MiB, Time);
    }

    [TearDown]
    public async Task TearDown() => await Memory.DisposeAsync();

    [Test]
    public void ItSaysThatItIsNotDurable()
    {
        Assert.That(Store.Traits, Is.EqualTo(new StoreTraits("memory", Durable: false, Shared: false, KeepsPrivateRecords: false)));
        Assert.That(Memory.MaxBytes, Is.EqualTo(MiB));
    }

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(MiB - 1)]
    public void LessThanOneMebibyteIsRefused(long bytes) =>
        Assert.That(() => new MemoryStateStore(bytes), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public async Task ItsDefaultIsAnEighthOfTheMemoryAndAtMostOneGibibyte()
    {
        await using MemoryStateStore store = new();
        Assert.That(
            store.MaxBytes, Is.EqualTo(Math.Min(1L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8)));
    }

    [Test]
    public async Task SessionsOfTheLastMinuteStayAndANewOneIsRefused()
    {
        int filled = await FillAsync();
        Time.Advance(TimeSpan.FromSeconds(60) - TimeSpan.FromTicks(filled - 1));   // the oldest one is idle for just a minute
        int before = Memory.Count;
        Assert.That((await Store.CreateAsync(new SessionId("new"), Seed("T"), Someone)).Status, Is.EqualTo(CreateStatus.Full));
        Assert.That((Memory.Count, Memory.Evicted), Is.EqualTo((before, 0L)));
    }

    [Test]
    public async Task SessionsIdleForAMinuteMakeRoom()
    {
        await FillAsync();
        Time.Advance(TimeSpan.FromSeconds(60) + TimeSpan.FromTicks(1));
        Assert.That((await Store.CreateAsync(new SessionId("new"), Seed("T"), Someone)).Status, Is.EqualTo(CreateStatus.Created));
        Assert.That(Memory.Evicted, Is.Positive);
        Assert.That(Memory.Bytes, Is.LessThanOrEqualTo(MiB));
    }

    [Test]
    public async Task AFullStoreWorksOnForTheSessionsThatItHas()
    {
        await FillAsync();
        Lease lease = (await Store.BeginAsync(new SessionId("fill-0"), default, Someone)).Lease;
        Assert.That(await Append(lease, 2, commit: Head("T2", 3)), Is.EqualTo(AppendResult.Appended));
    }

    [Test]
    public async Task AFullStoreHasRoomAgainOnceSessionsWereIdleLongEnough()
    {
        await FillAsync();
        for (int second = 0; second < 60; second++)
        {
            Assert.That((await Store.CreateAsync(new SessionId("new"), Seed("T"), Someone)).Status, Is.EqualTo(CreateStatus.Full));
            Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That((await Store.CreateAsync(new SessionId("new"), Seed("T"), Someone)).Status, Is.EqualTo(CreateStatus.Created));
    }

    [Test]
    public async Task TheLeastMissedGoFirstAndThenTheLeastRecentlyUsed()
    {
        // Used in this order; every one is large, so that few must go.
        await LargeAsync("missed-old", SessionStatus.Parked, clientTurns: 2);
        await LargeAsync("once-old", SessionStatus.Parked, clientTurns: 1);
        await LargeAsync("finished", SessionStatus.Finished, clientTurns: 5);
        await LargeAsync("once-new", SessionStatus.Parked, clientTurns: 1);
        await LargeAsync("missed-new", SessionStatus.Parked, clientTurns: 2);
        Time.Advance(TimeSpan.FromMinutes(2));

        string[] order = ["once-old", "finished", "once-new", "missed-old", "missed-new"];
        for (int gone = 1; gone <= order.Length; gone++)
        {
            await LargeAsync($"filler-{gone}", SessionStatus.Parked, 1, size: (int)(MiB - Memory.Bytes), leased: true);
            Assert.That((await Store.CreateAsync(new SessionId($"new-{gone}"), Seed("T"), Someone)).Status, Is.EqualTo(CreateStatus.Created));
            for (int i = 0; i < order.Length; i++)
                Assert.That(await Store.FindAsync(new SessionId(order[i])), i < gone ? Is.Null : Is.Not.Null, order[i]);
        }
    }

    [Test]
    public async Task OnlyAsManyGoAsMustAndTheLeastRecentlyUsedFirst()
    {
        int filled = await FillAsync();
        Time.Advance(TimeSpan.FromMinutes(2));
        await Store.CreateAsync(new SessionId("new"), Seed("T"), Someone);
        Assert.That(Memory.Bytes, Is.InRange(MiB / 10 * 8, MiB / 10 * 9 + 2000));
        long gone = Memory.Evicted;
        for (int i = 0; i < filled; i++)
            Assert.That(await Store.FindAsync(new SessionId($"fill-{i}")), i < gone ? Is.Null : Is.Not.Null, $"{i} of {gone}");
    }

    [Test]
    public async Task NeitherHeldSessionsNorOnesWithSignalsNorWaitingTimersGo()
    {
        SessionId held = new("held"), mail = new("mail"), timer = new("timer");
        Lease lease = await CreateAsync("T", held);
        await LargeAsync("mail", SessionStatus.Finished, 1);
        Assert.That(await Store.PostAsync(mail, Signal(turn: 0, seq: 100)));
        await LargeAsync("timer", SessionStatus.Parked, 1, wait: SessionWait.Timer(Time.GetUtcNow().AddMinutes(10)));
        await FillAsync();
        for (int i = 0; i < 12; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(10));
            await Store.RenewAsync(lease, Ttl);
        }

        Assert.That((await Store.CreateAsync(new SessionId("new"), Seed("T"), Someone)).Status, Is.EqualTo(CreateStatus.Created));
        Assert.That(Memory.Evicted, Is.Positive);
        foreach (SessionId id in (SessionId[])[held, mail, timer])
            Assert.That(await Store.FindAsync(id), Is.Not.Null, id.Value);
    }

    [Test]
    public async Task ADayWithoutUseEndsASessionAndLessDoesNot()
    {
        await LargeAsync("old", SessionStatus.Parked, 2, size: 100);
        Time.Advance(TimeSpan.FromHours(12));
        await LargeAsync("young", SessionStatus.Parked, 2, size: 100);
        await LargeAsync("timer", SessionStatus.Parked, 2, size: 100, wait: SessionWait.Timer(Time.GetUtcNow().AddHours(24)));
        Time.Advance(TimeSpan.FromHours(12));
        Assert.That(Memory.Count, Is.EqualTo(3), "a day, and no more");
        Time.Advance(TimeSpan.FromMinutes(10));
        Assert.That(await Store.FindAsync(new SessionId("old")), Is.Null);
        Assert.That(Memory.Count, Is.EqualTo(2));
        Time.Advance(TimeSpan.FromHours(12));
        Assert.That(await Store.FindAsync(new SessionId("young")), Is.Null);
        Assert.That(await Store.FindAsync(new SessionId("timer")), Is.Not.Null, "idle counts from its timer");
        Time.Advance(TimeSpan.FromHours(25));
        Assert.That((Memory.Count, Memory.Bytes, Memory.Evicted), Is.EqualTo((0, 0L, 3L)));
    }

    [Test]
    public async Task EveryByteIsGivenBack()
    {
        for (int i = 0; i < 20; i++)
        {
            SessionId id = new($"s{i}");
            Lease lease = await CreateAsync("T0", id);
            await Append(lease, 1, count: 1 + i);
            await Append(lease, 2 + i, count: 2);
            if (i % 2 == 0)
            {
                Time.Advance(Ttl);   // the next one takes over what a lapsed lease left
                lease = (await Store.BeginAsync(id, default, Someone)).Lease;
            }

            await Append(lease, 4 + i, commit: Head("T1", 5 + i) with { State = new byte[1000], Reply = new byte[50] });
            lease = (await Store.BeginAsync(id, default, Someone)).Lease;
            Assert.That(Memory.Bytes, Is.Positive);
            await Store.DeleteAsync(lease, Tombstone.Deleted);
        }

        Assert.That((Memory.Bytes, Memory.Count), Is.EqualTo((0L, 0)));
    }

    [Test]
    public void EveryByteIsGivenBackThoughASessionIsUsedWhileItIsMade()
    {
        SessionId id = new("s");
        CreateResult created = default;
        Rendezvous.Run(
            20_000,
            _ => { },
            _ => created = Store.CreateAsync(id, Seed("T0"), Someone).AsTask().Result,
            round =>
            {
                JournalEntry[] entries = [Entry(1)];
                while (Store.AppendAsync(new Lease(id, round, ""), entries, null, Flush.Written).AsTask().Result != AppendResult.Appended) { }
            },
            _ => Store.DeleteAsync(created.Lease, Tombstone.Deleted).AsTask().Wait());
        Assert.That((Memory.Bytes, Memory.Count), Is.EqualTo((0L, 0)));
    }

    [Test]
    public async Task BytesCountRecordsStateAndReply()
    {
        Lease lease = await CreateAsync("T0");
        long before = Memory.Bytes;
        await Append(lease, [Entry(1, RecordKind.Decision, new string('x', 10_000))]);
        Assert.That(Memory.Bytes, Is.GreaterThan(before + 10_000));
        before = Memory.Bytes;
        await Append(lease, 2, commit: Head("T1", 3) with { State = new byte[20_000], Reply = new byte[5_000] });
        Assert.That(Memory.Bytes, Is.EqualTo(before + 25_000));
    }

    [Test]
    public async Task OfWhatIsOverTheNewest256RecordsStay()
    {
        Lease lease = await CreateAsync("T0");
        long seq = 1;
        for (int turn = 0; turn < 500; turn++)
        {
            await Append(lease, [Entry(seq++, RecordKind.TurnStarted), Entry(seq++, RecordKind.Decision)]);
            await Append(lease, [Entry(seq++, RecordKind.Marker), Entry(seq++, RecordKind.Commit)], Head("T", seq));
            lease = (await Store.BeginAsync(Id, default, Someone)).Lease;
            List<JournalEntry> kept = await ReadAsync(0);
            Assert.That(kept, Has.Count.InRange(Math.Min(256, 2 * (turn + 1)), 320));
            Assert.That(kept.TakeLast(2).Select(e => e.Seq), Is.EqualTo((long[])[seq - 3, seq - 2]), "what is public of the newest");
        }
    }

    [Test]
    public async Task OfWhatIsOverOneMebibyteStays()
    {
        Lease lease = await CreateAsync("T0");
        string large = new('x', 100_000);
        for (int i = 1; i <= 60; i += 3)
        {
            await Append(lease, [Entry(i, RecordKind.Decision, large), Entry(i + 1, RecordKind.Marker), Entry(i + 2, RecordKind.Commit)], Head("T", i + 3));
            lease = (await Store.BeginAsync(Id, default, Someone)).Lease;
            List<JournalEntry> kept = await ReadAsync(0);
            Assert.That(kept.Sum(e => (long)e.Utf8.Length), Is.LessThanOrEqualTo(MiB));
            Assert.That(kept[^1].Seq, Is.EqualTo(i + 1));
            if (i > 40)
                Assert.That(kept.Sum(e => (long)e.Utf8.Length), Is.GreaterThan(MiB - 150_000));
        }
    }

    [Test]
    public async Task AnOpenRequestIsNeverTrimmed()
    {
        Lease lease = await CreateAsync("T0");
        string large = new('x', 5_000);
        for (int i = 1; i <= 1000; i++)
            await Append(lease, [Entry(i, i == 1 ? RecordKind.TurnStarted : RecordKind.EffectIntent, large)]);
        await Store.ReleaseAsync(lease);
        Assert.That((await ReadAsync(1)).Select(e => e.Seq), Is.EqualTo(Enumerable.Range(1, 1000).Select(i => (long)i)));
        lease = (await Store.BeginAsync(Id, default, Someone)).Lease;
        await Append(lease, [Entry(1001, RecordKind.RequestClosed), Entry(1002, RecordKind.TurnStarted)]);
        List<JournalEntry> kept = await ReadAsync(0);
        Assert.That(kept, Has.Count.LessThanOrEqualTo(257), "closed, it is");
        Assert.That(kept[^1].Seq, Is.EqualTo(1002));
    }

    private static LeaseRequest Someone => new("someone", Ttl);

    private static JournalEntry Entry(long seq, RecordKind kind = RecordKind.EffectIntent, string text = "") =>
        new(seq, kind, Encoding.UTF8.GetBytes($"{{\"seq\":{seq},\"text\":\"{text}\"}}"));

    private static SignalMail Signal(long turn, long seq) => new(turn, Entry(seq, RecordKind.Signal));

    private static SessionHead Head(string guard, long nextSeq) =>
        new() { Guard = Encoding.UTF8.GetBytes(guard), NextSeq = nextSeq, Status = SessionStatus.Parked, Wait = SessionWait.User };

    private static SessionSeed Seed(string guard) =>
        new(new SessionHead { Guard = Encoding.UTF8.GetBytes(guard), NextSeq = 1 }, new[] { Entry(0, RecordKind.Session) });

    private async Task<Lease> CreateAsync(string guard, SessionId? id = null)
    {
        CreateResult created = await Store.CreateAsync(id ?? Id, Seed(guard), Someone);
        Assert.That(created.Status, Is.EqualTo(CreateStatus.Created));
        return created.Lease;
    }

    private ValueTask<AppendResult> Append(Lease lease, long seq, int count = 1, SessionHead? commit = null) =>
        Append(lease, [.. Enumerable.Range(0, count).Select(i => Entry(seq + i))], commit);

    private ValueTask<AppendResult> Append(Lease lease, JournalEntry[] entries, SessionHead? commit = null) =>
        Store.AppendAsync(lease, entries, commit, Flush.Durable);

    private async Task<List<JournalEntry>> ReadAsync(long from) => await Store.ReadAsync(Id, from).ToListAsync();

    /// <summary>Makes sessions until the store is full; returns how many.</summary>
    private async Task<int> FillAsync()
    {
        int made = 0;
        for (; Memory.Bytes <= MiB; made++)
            await LargeAsync($"fill-{made}", SessionStatus.Parked, clientTurns: 1, size: 2000);
        return made;
    }

    private async Task LargeAsync(
        string id, SessionStatus status, long clientTurns, int size = 150_000, SessionWait? wait = null, bool leased = false)
    {
        Time.Advance(TimeSpan.FromTicks(1));
        if (Memory.Bytes > MiB)
            return;
        Lease lease = await CreateAsync("T0", new SessionId(id));
        SessionHead head = Head("T1", 2) with { Status = status, ClientTurns = clientTurns, State = new byte[size], Wait = wait };
        Assert.That(await Append(lease, 1, commit: head), Is.EqualTo(AppendResult.Appended));
        if (leased)
            await Store.BeginAsync(new SessionId(id), default, new LeaseRequest("someone", TimeSpan.FromDays(30)));
    }
}
