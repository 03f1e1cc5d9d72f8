using System.Text;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores;

/// <summary>What every store promises, said against the port alone. A store's own fixture derives from this one.</summary>
internal abstract class StateStoreTests
{
    protected static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);
    protected static readonly SessionId Id = new("session-1");
    private static readonly LeaseRequest Me = new("me", Ttl), You = new("you", Ttl);

    protected ManualTime Time { get; private set; } = null!;

    protected IStateStore Store { get; private set; } = null!;

    protected abstract IStateStore Make(TimeProvider time);

    [SetUp]
    public void SetUp()
    {
        Time = new ManualTime();
        Store = Make(Time);
    }

    [TearDown]
    public async Task TearDown() => await Store.DisposeAsync();

    [Test]
    public async Task ANewSessionIsLeasedToItsMaker()
    {
        CreateResult created = await Store.CreateAsync(Id, Seed("T0"), Me);
        Assert.That(created.Status, Is.EqualTo(CreateStatus.Created));
        Assert.That(created.Lease, Has.Property("Session").EqualTo(Id).And.Property("Owner").EqualTo("me"));
        Assert.That(Text(created.Head!.Guard), Is.EqualTo("T0"));
        Assert.That((await Begin("T0", You)).Status, Is.EqualTo(BeginStatus.Held));
    }

    [Test]
    public async Task ATakenIdIsNotMadeAgain()
    {
        Lease lease = await CreateAsync("T0");
        CreateResult again = await Store.CreateAsync(Id, Seed("other"), You);
        Assert.That(again.Status, Is.EqualTo(CreateStatus.Exists));
        Assert.That(Text(again.Head!.Guard), Is.EqualTo("T0"));
        Assert.That(await Append(lease, 1), Is.EqualTo(AppendResult.Appended));
        Assert.That(Text((await Store.FindAsync(Id))!.Guard), Is.EqualTo("T0"));
    }

    [Test]
    public async Task IdsAreComparedAsTheyStand()
    {
        foreach (string id in (string[])["a", "A", "a ", "ä", "a\u0308"])
            Assert.That((await Store.CreateAsync(new SessionId(id), Seed("T"), Me)).Status, Is.EqualTo(CreateStatus.Created), id);
    }

    [Test]
    public async Task AClaimIsJudgedUnknownThenStaleThenHeldThenBegun()
    {
        Assert.That((await Begin("T0", You)).Status, Is.EqualTo(BeginStatus.Unknown));
        Lease mine = await CreateAsync("T0");

        BeginResult stale = await Begin("wrong", You);
        Assert.That((stale.Status, Text(stale.Head!.Guard)), Is.EqualTo((BeginStatus.Stale, "T0")), "while it is held");

        BeginResult held = await Begin("T0", You);
        Assert.That((held.Status, held.Lease, Text(held.Head!.Guard)), Is.EqualTo((BeginStatus.Held, mine, "T0")));

        await Store.ReleaseAsync(mine);
        Assert.That((await Begin("wrong", You)).Status, Is.EqualTo(BeginStatus.Stale), "while nobody holds it");
        BeginResult begun = await Begin("T0", You);
        Assert.That((begun.Status, begun.Lease.Owner, begun.NextSeq), Is.EqualTo((BeginStatus.Begun, "you", 1L)));
        Assert.That(begun.Lease.Fence, Is.GreaterThan(mine.Fence));
    }

    [TestCase("T")]
    [TestCase("T00")]
    [TestCase("t0")]
    [TestCase("T0\0")]
    public async Task OnlyTheWholeGuardOpens(string guard)
    {
        await Store.ReleaseAsync(await CreateAsync("T0"));
        Assert.That((await Begin(guard, You)).Status, Is.EqualTo(BeginStatus.Stale));
    }

    [Test]
    public async Task TheEmptyGuardOpensAnySessionThatNobodyHolds()
    {
        Assert.That((await Begin("", You)).Status, Is.EqualTo(BeginStatus.Unknown));
        Lease mine = await CreateAsync("T0");
        Assert.That((await Begin("", You)).Status, Is.EqualTo(BeginStatus.Held));
        await Store.ReleaseAsync(mine);
        Assert.That((await Begin("", You)).Status, Is.EqualTo(BeginStatus.Begun));
    }

    [Test]
    public async Task ACommitTurnsTheGuardAndEndsTheLease()
    {
        Lease lease = await CreateAsync("T0");
        Assert.That(await Append(lease, 1, count: 2, commit: Head("T1", nextSeq: 3)), Is.EqualTo(AppendResult.Appended));
        Assert.That(Text((await Store.FindAsync(Id))!.Guard), Is.EqualTo("T1"));
        Assert.That(await Append(lease, 3), Is.EqualTo(AppendResult.StaleFence));
        Assert.That(await Store.RenewAsync(lease, Ttl), Is.False);
        Assert.That((await Begin("T0", You)).Status, Is.EqualTo(BeginStatus.Stale));
        BeginResult begun = await Begin("T1", You);
        Assert.That((begun.Status, begun.NextSeq), Is.EqualTo((BeginStatus.Begun, 3L)));
    }

    [Test]
    public async Task AReleaseLeavesTheGuardAndTheRecords()
    {
        Lease lease = await CreateAsync("T0");
        await Append(lease, 1, count: 3);
        await Store.ReleaseAsync(lease);
        BeginResult begun = await Begin("T0", You);
        Assert.That((begun.Status, begun.NextSeq), Is.EqualTo((BeginStatus.Begun, 4L)));
        Assert.That(await SeqsAsync(0), Is.EqualTo((long[])[0, 1, 2, 3]));
    }

    [Test]
    public async Task TheHeadComesBackWhole()
    {
        Lease lease = await CreateAsync("T0");
        SessionHead head = Head("T1", nextSeq: 2) with
        {
            Turn = 3,
            ClientTurns = 2,
            Status = SessionStatus.Parked,
            Wait = SessionWait.Timer(Time.GetUtcNow().AddHours(1)),
            Principal = "somebody",
            Salt = new byte[] { 1, 2, 3 },
            State = "{\"s\":1}"u8.ToArray(),
            Reply = "{\"status\":\"parked\"}"u8.ToArray(),
            CreatedAt = Time.GetUtcNow(),
            UpdatedAt = Time.GetUtcNow().AddSeconds(1),
        };
        await Append(lease, 1, commit: head);
        SessionHead found = (await Store.FindAsync(Id))!;
        Assert.Multiple(() =>
        {
            Assert.That(Text(found.State), Is.EqualTo("{\"s\":1}"));
            Assert.That(Text(found.Reply), Is.EqualTo("{\"status\":\"parked\"}"));
            Assert.That(found.Salt.ToArray(), Is.EqualTo((byte[])[1, 2, 3]));
            Assert.That(
                (found.Turn, found.ClientTurns, found.NextSeq, found.Status, found.Wait, found.Principal, found.CreatedAt, found.UpdatedAt),
                Is.EqualTo((3L, 2L, 2L, SessionStatus.Parked, head.Wait, "somebody", head.CreatedAt, head.UpdatedAt)));
        });
    }

    [Test]
    public async Task ALapsedLeaseIsHeldByNobody()
    {
        Lease mine = await CreateAsync("T0");
        Time.Advance(Ttl - TimeSpan.FromTicks(1));
        Assert.That((await Begin("T0", You)).Status, Is.EqualTo(BeginStatus.Held));
        Time.Advance(TimeSpan.FromTicks(1));
        BeginResult begun = await Begin("T0", You);
        Assert.That(begun.Status, Is.EqualTo(BeginStatus.Begun));
        Assert.That(begun.Lease.Fence, Is.GreaterThan(mine.Fence));
    }

    [Test]
    public async Task AWriterThatLostItsLeaseIsRefusedWhateverItBelieves()
    {
        Lease mine = await CreateAsync("T0");
        await Append(mine, 1);
        Time.Advance(Ttl);
        Lease yours = (await Begin("T0", You)).Lease;

        Assert.That(await Append(mine, 2), Is.EqualTo(AppendResult.StaleFence));
        Assert.That(await Append(mine, 2, commit: Head("stolen", 3)), Is.EqualTo(AppendResult.StaleFence));
        Assert.That(await Store.RenewAsync(mine, Ttl), Is.False);
        await Store.ReleaseAsync(mine);
        await Store.DeleteAsync(mine, Tombstone.Deleted);
        Assert.That(await Store.PostAsync(Id, new CancelMail(mine.Fence)), Is.False);

        Assert.That(await SeqsAsync(0), Is.EqualTo((long[])[0, 1]));
        Assert.That((await Begin("T0", Me)).Status, Is.EqualTo(BeginStatus.Held), "the new holder keeps it");
        Assert.That(await Append(yours, 2, commit: Head("T1", 3)), Is.EqualTo(AppendResult.Appended));
    }

    [Test]
    public async Task ALapsedLeaseThatNobodyTookStillWrites()
    {
        Lease mine = await CreateAsync("T0");
        Time.Advance(Ttl * 2);
        Assert.That(await Append(mine, 1), Is.EqualTo(AppendResult.Appended));
        Assert.That(await Store.RenewAsync(mine, Ttl));
        Assert.That((await Begin("T0", You)).Status, Is.EqualTo(BeginStatus.Held));
    }

    [Test]
    public async Task ARenewedLeaseLastsFromThen()
    {
        Lease mine = await CreateAsync("T0");
        Time.Advance(TimeSpan.FromSeconds(20));
        Assert.That(await Store.RenewAsync(mine, Ttl));
        Time.Advance(TimeSpan.FromSeconds(29));
        Assert.That((await Begin("T0", You)).Status, Is.EqualTo(BeginStatus.Held));
        Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await Begin("T0", You)).Status, Is.EqualTo(BeginStatus.Begun));
    }

    [Test]
    public async Task AReleasedLeaseIsLost()
    {
        Lease mine = await CreateAsync("T0");
        await Store.ReleaseAsync(mine);
        Assert.That(await Append(mine, 1), Is.EqualTo(AppendResult.StaleFence));
        Assert.That(await Store.RenewAsync(mine, Ttl), Is.False);
        await Store.ReleaseAsync(mine);   // a lost one is no error
    }

    [Test]
    public async Task SeqsRiseBeyondTheJournalsLast()
    {
        Lease mine = await CreateAsync("T0");
        Assert.That(await Append(mine, 1, count: 2), Is.EqualTo(AppendResult.Appended));
        foreach (long seq in (long[])[0, 1, 2])
        {
            Assert.That(await Append(mine, seq), Is.EqualTo(AppendResult.SeqConflict));
            Assert.That(await Append(mine, seq, count: 3, commit: Head("T1", seq + 3)), Is.EqualTo(AppendResult.SeqConflict));
        }

        Assert.That(await SeqsAsync(0), Is.EqualTo((long[])[0, 1, 2]));
        Assert.That(await Append(mine, 5), Is.EqualTo(AppendResult.Appended), "the lease is still there, and seqs may skip");
        Assert.That(await Append(mine, 4), Is.EqualTo(AppendResult.SeqConflict));
        Assert.That(await Append(mine, 7, commit: Head("T1", 9)), Is.EqualTo(AppendResult.Appended));
        Assert.That((await Begin("T1", Me)).NextSeq, Is.EqualTo(9), "the head says where the journal goes on");
    }

    [Test]
    public async Task SeqsRiseWithinAnAppend()
    {
        Lease mine = await CreateAsync("T0");
        JournalEntry[] falling = [Entry(3), Entry(2)], twice = [Entry(1), Entry(1)];
        Assert.That(await Store.AppendAsync(mine, falling, null, Flush.Written), Is.EqualTo(AppendResult.SeqConflict));
        Assert.That(await Store.AppendAsync(mine, twice, null, Flush.Written), Is.EqualTo(AppendResult.SeqConflict));
        Assert.That(await SeqsAsync(0), Is.EqualTo((long[])[0]));
    }

    [Test]
    public async Task RecordsComeBackAsTheyWereWrittenThoughTheirMemoryIsUsedAgain()
    {
        Lease mine = await CreateAsync("T0");
        byte[] memory = Encoding.UTF8.GetBytes("{\"seq\":1,\"x\":\"ä\"}");
        JournalEntry[] entries = [new JournalEntry(1, RecordKind.EffectIntent, memory)];
        await Store.AppendAsync(mine, entries, null, Flush.Durable);
        memory.AsSpan().Clear();
        entries[0] = default;
        JournalEntry read = (await ReadAsync(1)).Single();
        Assert.That((read.Seq, read.Kind, Text(read.Utf8)), Is.EqualTo((1L, RecordKind.EffectIntent, "{\"seq\":1,\"x\":\"ä\"}")));
    }

    [Test]
    public async Task ReadingBeginsAtASeq()
    {
        Lease mine = await CreateAsync("T0");
        await Append(mine, 1, count: 5);
        Assert.That(await SeqsAsync(0), Is.EqualTo((long[])[0, 1, 2, 3, 4, 5]));
        Assert.That(await SeqsAsync(3), Is.EqualTo((long[])[3, 4, 5]));
        Assert.That(await SeqsAsync(5), Is.EqualTo((long[])[5]));
        Assert.That(await SeqsAsync(6), Is.Empty);
        Assert.That(await Store.ReadAsync(new SessionId("other"), 0).CountAsync(), Is.Zero);
    }

    [Test]
    public async Task PublicRecordsStayWhenTheirRequestIsOver()
    {
        Lease lease = await CreateAsync("T0");
        await Append(lease, [Entry(1, RecordKind.TurnStarted), Entry(2, RecordKind.EffectIntent), Entry(3, RecordKind.EffectResult)]);
        await Append(lease, [Entry(4, RecordKind.Marker), Entry(5, RecordKind.Commit)], Head("T1", 6));
        lease = (await Begin("T1", Me)).Lease;
        await Append(lease, [Entry(6, RecordKind.TurnStarted), Entry(7, RecordKind.EffectIntent)]);
        await Append(lease, [Entry(8, RecordKind.RequestClosed), Entry(9, RecordKind.TurnStarted), Entry(10, RecordKind.Decision)]);

        List<JournalEntry> all = await ReadAsync(0);
        Assert.That(all.Where(e => e.IsPublic).Select(e => e.Seq), Is.EqualTo((long[])[2, 3, 4, 7, 10]));
        Assert.That(all.Select(e => e.Seq), Is.Ordered);
        Assert.That((await ReadAsync(6)).Where(e => e.Seq > 8).Select(e => e.Seq), Is.EqualTo((long[])[9, 10]), "the open request is whole");
    }

    [Test]
    public async Task AReaderSeesNoHalfAppendAndIsNotDisturbedByLaterOnes()
    {
        Lease lease = await CreateAsync("T0");
        await Append(lease, 1, count: 3);
        await using IAsyncEnumerator<JournalEntry> reader = Store.ReadAsync(Id, 0).GetAsyncEnumerator();
        List<string> read = [];
        while (await reader.MoveNextAsync())
        {
            read.Add(Text(reader.Current.Utf8));
            await Append(lease, 3 + read.Count, kind: RecordKind.Decision);
        }

        Assert.That(read.Take(4), Is.EqualTo(Enumerable.Range(0, 4).Select(i => Text(Entry(i).Utf8))));
    }

    [Test]
    public async Task ACancelIsAcceptedWhereItsFenceHoldsTheLease()
    {
        Assert.That(await Store.PostAsync(Id, new CancelMail(1)), Is.False);
        Lease lease = await CreateAsync("T0");
        Assert.That(await Store.PostAsync(Id, new CancelMail(lease.Fence + 1)), Is.False);
        Assert.That(await Store.PostAsync(Id, new CancelMail(lease.Fence - 1)), Is.False);
        Assert.That(await Store.PostAsync(Id, new CancelMail(lease.Fence)));

        Assert.That(await Append(lease, 1, commit: Head("T1", 2)), Is.EqualTo(AppendResult.Cancelled));
        Assert.That(Text((await Store.FindAsync(Id))!.Guard), Is.EqualTo("T0"));
        Assert.That(await SeqsAsync(0), Is.EqualTo((long[])[0]));
        Assert.That(await Append(lease, 1), Is.EqualTo(AppendResult.Appended), "what is no commit is still taken");
        await Store.ReleaseAsync(lease);
        Assert.That(await Store.PostAsync(Id, new CancelMail(lease.Fence)), Is.False);
    }

    [Test]
    public async Task ACancelReachesNoLaterLease()
    {
        Lease lease = await CreateAsync("T0");
        await Store.PostAsync(Id, new CancelMail(lease.Fence));
        await Store.ReleaseAsync(lease);
        lease = (await Begin("T0", Me)).Lease;
        Assert.That(await Append(lease, 1, commit: Head("T1", 2)), Is.EqualTo(AppendResult.Appended));
        Assert.That(await Store.PostAsync(Id, new CancelMail(lease.Fence)), Is.False, "the commit came first");
    }

    [Test]
    public async Task ASignalIsAcceptedOnceForTheWaitOfTheLastCommit()
    {
        Assert.That(await Store.PostAsync(Id, Signal(turn: 0, seq: 1)), Is.False);
        Lease lease = await CreateAsync("T0");
        await Append(lease, 1, commit: Head("T1", 2) with { Turn = 1 });
        Assert.That(await Store.PostAsync(Id, Signal(turn: 0, seq: 2)), Is.False, "an earlier wait");
        Assert.That(await Store.PostAsync(Id, Signal(turn: 1, seq: 1)), Is.False, "its seq is taken");
        Assert.That(await Store.PostAsync(Id, Signal(turn: 1, seq: 2)));
        Assert.That(await Store.PostAsync(Id, Signal(turn: 1, seq: 3)), Is.False, "there is one");

        BeginResult begun = await Begin("T1", Me);
        Assert.That((begun.Status, begun.NextSeq), Is.EqualTo((BeginStatus.Begun, 3L)));
        Assert.That(await SeqsAsync(2), Is.EqualTo((long[])[2]));
        await Append(begun.Lease, [Entry(3, RecordKind.TurnStarted), Entry(4, RecordKind.RequestClosed), Entry(5, RecordKind.TurnStarted)]);
        Assert.That(await SeqsAsync(2), Does.Contain(2L), "no request's end consumes it");
        Assert.That(await Store.PostAsync(Id, Signal(turn: 1, seq: 6)), Is.False);
        await Append(begun.Lease, 6, commit: Head("T2", 7) with { Turn = 2 });
        Assert.That(await DueAsync(DateTimeOffset.MinValue, 9), Is.Empty, "the commit consumed it");
        Assert.That(await Store.PostAsync(Id, Signal(turn: 2, seq: 7)));
    }

    [Test]
    public async Task ASignalIsNotAcceptedWhileSomebodyHoldsTheSession()
    {
        Lease lease = await CreateAsync("T0");
        Assert.That(await Store.PostAsync(Id, Signal(turn: 0, seq: 1)), Is.False);
        await Store.ReleaseAsync(lease);
        Assert.That(await Store.PostAsync(Id, Signal(turn: 0, seq: 1)));
    }

    [Test]
    public async Task OfASignalAndAClaimTheFirstIsSeenByTheOther()
    {
        Lease lease = await CreateAsync("T0");
        await Append(lease, 1, commit: Head("T1", 2) with { Turn = 1 });
        long seq = 2, turn = 1;
        bool accepted = false;
        BeginResult begun = default;
        Rendezvous.Run(
            3_000,
            _ => { },
            _ => accepted = Now(Store.PostAsync(Id, Signal(turn, seq))),
            _ => begun = Now(Store.BeginAsync(Id, default, Me)),
            round =>
            {
                Assert.That(begun.NextSeq, Is.EqualTo(accepted ? seq + 1 : seq), $"round {round}");
                seq = begun.NextSeq;
                turn++;
                JournalEntry[] last = [Entry(seq)];
                Now(Store.AppendAsync(begun.Lease, last, Head("T1", seq + 1) with { Turn = turn }, Flush.Written));
                seq++;
            });
    }

    [Test]
    public async Task AnAcceptedRequestIsDueUntilItEndsOrIsPutOff()
    {
        Lease lease = await CreateAsync("T0");
        await Append(lease, [Entry(1, RecordKind.TurnStarted), Entry(2, RecordKind.RequestAccepted)]);
        Assert.That(await DueAsync(DateTimeOffset.MinValue, 9), Is.Empty, "it runs");
        await Store.ReleaseAsync(lease);
        foreach (RecordKind end in (RecordKind[])[RecordKind.TurnEnded, RecordKind.RequestDeferred, RecordKind.RequestClosed])
        {
            Assert.That(await DueAsync(DateTimeOffset.MinValue, 9), Is.EqualTo((string[])[Id.Value]), $"before {end}");
            BeginResult begun = await Begin("T0", Me);
            await Append(begun.Lease, [Entry(begun.NextSeq, end)]);
            await Store.ReleaseAsync(begun.Lease);
            Assert.That(await DueAsync(DateTimeOffset.MinValue, 9), Is.Empty, $"after {end}");
            lease = (await Begin("T0", Me)).Lease;
            await Append(lease, [Entry(begun.NextSeq + 1, RecordKind.RequestAccepted)]);
            await Store.ReleaseAsync(lease);
        }
    }

    [Test]
    public async Task SessionsThatNobodyUsedAreIdle()
    {
        DateTimeOffset start = Time.GetUtcNow();
        await Parked("old", SessionWait.User);
        await Parked("timer", SessionWait.Timer(start.AddHours(1)));
        await Parked("signal", SessionWait.Signal("go"));
        await Store.PostAsync(new SessionId("signal"), Signal(turn: 0, seq: 2));
        Time.Advance(TimeSpan.FromMinutes(1));
        await Parked("young", SessionWait.User);
        await CreateAsync("T0", new SessionId("held"));
        Assert.That(await IdleAsync(start.AddSeconds(1)), Is.EqualTo((string[])["old"]));
        Time.Advance(TimeSpan.FromHours(2));
        Assert.That(await IdleAsync(start.AddHours(1)), Is.EquivalentTo((string[])["old", "young", "held"]));
        Assert.That(await IdleAsync(start.AddHours(1.5)), Is.EquivalentTo((string[])["old", "young", "held", "timer"]));
    }

    [Test]
    public async Task TheKeyStays()
    {
        ReadOnlyMemory<byte> key = await Store.KeyAsync();
        Assert.That(key.Length, Is.EqualTo(32));
        Assert.That((await Store.KeyAsync()).ToArray(), Is.EqualTo(key.ToArray()));
        await using IStateStore other = Make(Time);
        Assert.That((await other.KeyAsync()).ToArray(), Is.Not.EqualTo(key.ToArray()));
    }

    [Test]
    public async Task SessionsAreDueByTimerOrMailWhileNobodyHoldsThem()
    {
        DateTimeOffset now = Time.GetUtcNow();
        await Parked("later", SessionWait.Timer(now.AddMilliseconds(1)));
        await Parked("due", SessionWait.Timer(now));
        await Parked("past", SessionWait.Timer(now.AddYears(-1)));
        await Parked("signal", SessionWait.Signal("go"));
        await Parked("mail", SessionWait.Signal("go"));
        Assert.That(await Store.PostAsync(new SessionId("mail"), Signal(turn: 0, seq: 2)));
        await Parked("held", SessionWait.Timer(now));
        await Store.BeginAsync(new SessionId("held"), default, Me);

        Assert.That(await DueAsync(now, 100), Is.EquivalentTo((string[])["due", "past", "mail"]));
        Assert.That(await DueAsync(now.AddMilliseconds(1), 100), Is.EquivalentTo((string[])["later", "due", "past", "mail"]));
        Assert.That(await DueAsync(now, 2), Has.Count.EqualTo(2));
        Assert.That(await DueAsync(now, 0), Is.Empty);
        Time.Advance(Ttl);
        Assert.That(await DueAsync(now, 100), Does.Contain("held"), "its lease ran out");
    }

    [Test]
    public async Task SessionsAreListedByStatusInOrdinalOrder()
    {
        foreach (string id in (string[])["b", "a", "B", "ä", "a1"])
            await Parked(id, SessionWait.User);
        await CreateAsync("T0", new SessionId("new"));

        Assert.That(await ListAsync(new ListQuery()), Is.EqualTo((string[])["B", "a", "a1", "b", "new", "ä"]));
        Assert.That(await ListAsync(new ListQuery(SessionStatus.Parked)), Is.EqualTo((string[])["B", "a", "a1", "b", "ä"]));
        Assert.That(await ListAsync(new ListQuery(SessionStatus.New)), Is.EqualTo((string[])["new"]));
        Assert.That(await ListAsync(new ListQuery(SessionStatus.Finished)), Is.Empty);
        Assert.That(await ListAsync(new ListQuery(Limit: 2)), Is.EqualTo((string[])["B", "a"]));
        Assert.That(await ListAsync(new ListQuery(After: "a", Limit: 2)), Is.EqualTo((string[])["a1", "b"]));
        Assert.That(await ListAsync(new ListQuery(After: "aa")), Is.EqualTo((string[])["b", "new", "ä"]));
        Assert.That(await ListAsync(new ListQuery(Limit: 0)), Is.Empty);
    }

    [Test]
    public async Task ADeletedSessionIsGone()
    {
        Lease lease = await CreateAsync("T0");
        await Append(lease, 1, count: 3);
        await Store.DeleteAsync(lease, Tombstone.Deleted);
        Assert.That(await Store.FindAsync(Id), Is.Null);
        Assert.That(await ReadAsync(0), Is.Empty);
        Assert.That((await Begin("T0", You)).Status, Is.EqualTo(BeginStatus.Unknown));
        Assert.That((await Begin("", You)).Status, Is.EqualTo(BeginStatus.Unknown));
        Assert.That(await Append(lease, 4), Is.EqualTo(AppendResult.Unknown));
        Assert.That(await Store.PostAsync(Id, Signal(turn: 0, seq: 9)), Is.False);
        Assert.That(await Store.RenewAsync(lease, Ttl), Is.False);
        Assert.That(await ListAsync(new ListQuery()), Is.Empty);
        Assert.That(await DueAsync(DateTimeOffset.MaxValue, 9), Is.Empty);
    }

    [Test]
    public async Task ALeaseOfADeletedSessionDoesNotReachItsSuccessor()
    {
        Lease old = await CreateAsync("T0");
        await Store.DeleteAsync(old, Tombstone.Deleted);
        Lease now = await CreateAsync("U0");
        Assert.That(now.Fence, Is.GreaterThan(old.Fence));
        Assert.That(await Append(old, 1, commit: Head("stolen", 2)), Is.EqualTo(AppendResult.StaleFence));
        Assert.That(await Store.PostAsync(Id, new CancelMail(old.Fence)), Is.False);
        await Store.DeleteAsync(old, Tombstone.Deleted);
        Assert.That(await Append(now, 1, commit: Head("U1", 2)), Is.EqualTo(AppendResult.Appended));
    }

    [Test]
    public async Task OneOfTwoPresentersBegins()
    {
        Lease lease = await CreateAsync("T0"), one = default, other = default;
        await Store.ReleaseAsync(lease);
        BeginStatus mine = default, yours = default;
        byte[] guard = "T0"u8.ToArray();
        Rendezvous.Run(
            20_000,
            _ => { },
            _ => mine = Now(Store.BeginAsync(Id, guard, Me), out one),
            _ => yours = Now(Store.BeginAsync(Id, guard, You), out other),
            round =>
            {
                Assert.That((BeginStatus[])[mine, yours], Is.EquivalentTo((BeginStatus[])[BeginStatus.Begun, BeginStatus.Held]), $"round {round}");
                Assert.That(one, Is.EqualTo(other), "whoever lost is told who won");
                Now(Store.ReleaseAsync(one));
            });
    }

    [Test]
    public async Task OfACommitAndACancelOneIsTooLate()
    {
        Lease lease = await CreateAsync("T0");
        await Store.ReleaseAsync(lease);
        long seq = 1;
        bool cancelled = false;
        AppendResult committed = default;
        JournalEntry[] entries = [];
        Rendezvous.Run(
            20_000,
            _ =>
            {
                Now(Store.BeginAsync(Id, default, Me), out lease);
                entries = [Entry(seq, RecordKind.Commit)];
            },
            _ => committed = Now(Store.AppendAsync(lease, entries, Head("T", seq + 1), Flush.Durable)),
            _ => cancelled = Now(Store.PostAsync(Id, new CancelMail(lease.Fence))),
            round =>
            {
                Assert.That(committed, Is.EqualTo(cancelled ? AppendResult.Cancelled : AppendResult.Appended), $"round {round}");
                seq += cancelled ? 0 : 1;
                Now(Store.ReleaseAsync(lease));
            });
    }

    [Test]
    public async Task OfAnOldWriterAndWhoTookItsLeaseOneCommits()
    {
        Lease old = await CreateAsync("T0"), taken = default;
        long seq = 1;
        BeginResult begun = default;
        AppendResult late = default;
        JournalEntry[] entries = [];
        byte[] guard = [], next = [];
        await Store.ReleaseAsync(old);
        Rendezvous.Run(
            5_000,
            round =>
            {
                Now(Store.BeginAsync(Id, default, Me), out old);
                guard = Now(Store.FindAsync(Id))!.Guard.ToArray();
                next = Encoding.UTF8.GetBytes($"G{round}");
                entries = [Entry(seq, RecordKind.Decision), Entry(seq + 1, RecordKind.Commit)];
                Time.Advance(Ttl);
            },
            _ => late = Now(Store.AppendAsync(old, entries, Head("", seq + 2) with { Guard = next }, Flush.Durable)),
            _ => begun = Now(Store.BeginAsync(Id, guard, You)),
            round =>
            {
                bool took = begun.Status == BeginStatus.Begun;
                Assert.That(late, Is.EqualTo(took ? AppendResult.StaleFence : AppendResult.Appended), $"round {round}");
                taken = begun.Lease;
                if (took)
                    Assert.That(
                        Now(Store.AppendAsync(taken, entries, Head("", seq + 2) with { Guard = next }, Flush.Durable)),
                        Is.EqualTo(AppendResult.Appended));
                else   // held while the commit is on its way to the disk
                    Assert.That(begun.Status, Is.EqualTo(BeginStatus.Stale).Or.EqualTo(BeginStatus.Held), $"round {round}");
                seq += 2;
            });
        List<long> kept = await SeqsAsync(0);
        Assert.That(kept, Is.Ordered.And.Unique);
        Assert.That(kept[^1], Is.EqualTo(Store.Traits.KeepsPrivateRecords ? seq - 1 : seq - 2));
    }

    [Test]
    public void AWriterThatLostItsLeaseDisturbsNoRecordOfItsSuccessor()
    {
        // Many small records take longer to write than one large one, which overtakes them.
        JournalEntry[] many = [.. Enumerable.Range(10, 300).Select(i => Entry(i))], one = [Entry(1000, text: new string('b', 30_000))];
        JournalEntry[] before = [Entry(1, text: new string('x', 120_000))], room = [Entry(2)];
        Lease old = default;
        AppendResult late = default, next = default;
        Rendezvous.Run(
            1_500,
            _ =>
            {
                old = Now(Store.CreateAsync(Id, Seed("T0"), Me)).Lease;
                Now(Store.AppendAsync(old, before, null, Flush.Written));
                Now(Store.AppendAsync(old, room, null, Flush.Written));
                Time.Advance(Ttl);
            },
            _ => late = Now(Store.AppendAsync(old, many, null, Flush.Written)),
            _ => next = Now(Store.AppendAsync(Now(Store.BeginAsync(Id, default, You)).Lease, one, null, Flush.Written)),
            round =>
            {
                Assert.That(next, Is.EqualTo(AppendResult.Appended), $"round {round}");
                string[] expected = [.. (late == AppendResult.Appended ? many : []).Concat(one).Select(e => Text(e.Utf8))];
                string[] read = [.. Store.ReadAsync(Id, 3).ToBlockingEnumerable().Select(e => Text(e.Utf8))];
                if (!read.SequenceEqual(expected))
                    Assert.Fail($"round {round}: {read.Length} records, {late}");
                Time.Advance(Ttl);
                Now(Store.DeleteAsync(Now(Store.BeginAsync(Id, default, Me)).Lease, Tombstone.Deleted));
            });
    }

    [Test]
    public async Task ConcurrentAppendsWithOneLeaseCorruptNothing()
    {
        Lease lease = await CreateAsync("T0");
        AppendResult mine = default, yours = default;
        long seq = 1;
        JournalEntry[] a = [], b = [];
        List<string> expected = [Text(Entry(0).Utf8)];
        Rendezvous.Run(
            3_000,
            round =>
            {
                a = [Entry(seq, text: $"a{round}"), Entry(seq + 1, text: new string('a', 4000 + round % 97))];
                b = [Entry(seq, text: $"bbbbbb{round}"), Entry(seq + 1, text: new string('b', 4000 + round % 31))];
            },
            _ => mine = Now(Store.AppendAsync(lease, a, null, Flush.Written)),
            _ => yours = Now(Store.AppendAsync(lease, b, null, Flush.Written)),
            round =>
            {
                Assert.That(
                    (AppendResult[])[mine, yours],
                    Is.EquivalentTo((AppendResult[])[AppendResult.Appended, AppendResult.SeqConflict]), $"round {round}");
                expected.AddRange((mine == AppendResult.Appended ? a : b).Select(e => Text(e.Utf8)));
                seq += 2;
            });
        Assert.That((await ReadAsync(0)).Select(e => Text(e.Utf8)), Is.EqualTo(expected));
    }

    [Test]
    public async Task OfTwoMakersOneMakesTheSession()
    {
        SessionId id = default;
        CreateResult mine = default, yours = default;
        Rendezvous.Run(
            20_000,
            round => id = new SessionId($"s{round}"),
            _ => mine = Now(Store.CreateAsync(id, Seed("mine"), Me)),
            _ => yours = Now(Store.CreateAsync(id, Seed("yours"), You)),
            round =>
            {
                Assert.That(
                    (CreateStatus[])[mine.Status, yours.Status],
                    Is.EquivalentTo((CreateStatus[])[CreateStatus.Created, CreateStatus.Exists]), $"round {round}");
                Assert.That(Text(mine.Head!.Guard), Is.EqualTo(Text(yours.Head!.Guard)));
                Now(Store.DeleteAsync(mine.Status == CreateStatus.Created ? mine.Lease : yours.Lease, Tombstone.Deleted));
            });
        Assert.That(await ListAsync(new ListQuery()), Is.Empty);
    }

    protected static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);

    protected static JournalEntry Entry(long seq, RecordKind kind = RecordKind.EffectIntent, string text = "") =>
        new(seq, kind, Encoding.UTF8.GetBytes($"{{\"seq\":{seq},\"text\":\"{text}\"}}"));

    protected static SignalMail Signal(long turn, long seq) => new(turn, Entry(seq, RecordKind.Signal));

    protected static SessionHead Head(string guard, long nextSeq) =>
        new() { Guard = Encoding.UTF8.GetBytes(guard), NextSeq = nextSeq, Status = SessionStatus.Parked, Wait = SessionWait.User };

    protected static SessionSeed Seed(string guard) =>
        new(new SessionHead { Guard = Encoding.UTF8.GetBytes(guard), NextSeq = 1 }, new[] { Entry(0, RecordKind.Session) });

    protected async Task<Lease> CreateAsync(string guard, SessionId? id = null)
    {
        CreateResult created = await Store.CreateAsync(id ?? Id, Seed(guard), Me);
        Assert.That(created.Status, Is.EqualTo(CreateStatus.Created));
        return created.Lease;
    }

    protected ValueTask<AppendResult> Append(
        Lease lease, long seq, int count = 1, SessionHead? commit = null, RecordKind kind = RecordKind.EffectIntent) =>
        Append(lease, [.. Enumerable.Range(0, count).Select(i => Entry(seq + i, kind))], commit);

    protected ValueTask<AppendResult> Append(Lease lease, JournalEntry[] entries, SessionHead? commit = null) =>
        Store.AppendAsync(lease, entries, commit, Flush.Durable);

    protected async Task<List<JournalEntry>> ReadAsync(long from) => await Store.ReadAsync(Id, from).ToListAsync();

    private async Task<List<long>> SeqsAsync(long from) => [.. (await ReadAsync(from)).Select(e => e.Seq)];

    private ValueTask<BeginResult> Begin(string guard, LeaseRequest by) => Store.BeginAsync(Id, Encoding.UTF8.GetBytes(guard), by);

    private async Task Parked(string id, SessionWait wait) =>
        await Append(await CreateAsync("T0", new SessionId(id)), 1, commit: Head("T1", 2) with { Wait = wait });

    private async Task<List<string>> DueAsync(DateTimeOffset now, int limit) =>
        await Store.DueAsync(now, limit).Select(id => id.Value).ToListAsync();

    private async Task<List<string>> IdleAsync(DateTimeOffset since) =>
        await Store.IdleAsync(since, 100).Select(id => id.Value).ToListAsync();

    private async Task<List<string>> ListAsync(ListQuery query) =>
        await Store.ListAsync(query).Select(row => row.Id.Value).ToListAsync();

    // The threads of a race do not wait for one another's continuations.
    private static T Now<T>(ValueTask<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : task.AsTask().GetAwaiter().GetResult();

    private static void Now(ValueTask task) => task.AsTask().GetAwaiter().GetResult();

    private static BeginStatus Now(ValueTask<BeginResult> task, out Lease lease)
    {
        BeginResult result = Now(task);
        lease = result.Lease;
        return result.Status;
    }
}
