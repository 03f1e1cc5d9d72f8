using Iris.Net.Journal;
using static Iris.Net.Stores.Conformance.TrialRecords;

namespace Iris.Net.Stores.Conformance;

/// <summary>Who gets a session, and what a commit leaves for the next one.</summary>
internal static class Claims
{
    public static async Task ANewSessionIsLeasedToItsMaker(StoreTrial t)
    {
        CreateResult created = await t.Store.CreateAsync(StoreTrial.Id, Seed("T0"), StoreTrial.Me).ConfigureAwait(false);
        t.Is(CreateStatus.Created, created.Status);
        t.Is((StoreTrial.Id, "me"), (created.Lease.Session, created.Lease.Owner));
        t.Is("T0", Text(created.Head!.Guard));
        t.Is(BeginStatus.Held, (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Status);
    }

    public static async Task ATakenIdIsNotMadeAgain(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        CreateResult again = await t.Store.CreateAsync(StoreTrial.Id, Seed("other"), StoreTrial.You).ConfigureAwait(false);
        t.Is((CreateStatus.Exists, "T0"), (again.Status, Text(again.Head!.Guard)));
        t.Is(AppendResult.Appended, await t.AppendAsync(lease, Decision(1)).ConfigureAwait(false));
        t.Is("T0", await t.GuardAsync().ConfigureAwait(false));
    }

    public static async Task IdsAreComparedAsTheyStand(StoreTrial t)
    {
        foreach (string id in (string[])["a", "A", "a ", "ä", "a\u0308", "../a", new('x', SessionId.MaxLength)])
            await t.CreateAsync(id: id).ConfigureAwait(false);
    }

    public static async Task AClaimIsJudgedUnknownThenStaleThenHeldThenBegun(StoreTrial t)
    {
        t.Is(BeginStatus.Unknown, (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Status);
        Lease mine = await t.CreateAsync().ConfigureAwait(false);

        BeginResult stale = await t.BeginAsync("wrong", StoreTrial.You).ConfigureAwait(false);
        t.Is((BeginStatus.Stale, "T0"), (stale.Status, Text(stale.Head!.Guard)), "while it is held");
        BeginResult held = await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false);
        t.Is((BeginStatus.Held, mine, "T0"), (held.Status, held.Lease, Text(held.Head!.Guard)));

        await t.Store.ReleaseAsync(mine).ConfigureAwait(false);
        t.Is(BeginStatus.Stale, (await t.BeginAsync("wrong", StoreTrial.You).ConfigureAwait(false)).Status, "while nobody holds it");
        BeginResult begun = await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false);
        t.Is((BeginStatus.Begun, "you", 1L), (begun.Status, begun.Lease.Owner, begun.NextSeq));
        t.Holds(begun.Lease.Fence > mine.Fence);
    }

    public static async Task OnlyTheWholeGuardOpens(StoreTrial t)
    {
        await t.Store.ReleaseAsync(await t.CreateAsync().ConfigureAwait(false)).ConfigureAwait(false);
        foreach (string guard in (string[])["T", "T00", "t0", "T0\0"])
            t.Is(BeginStatus.Stale, (await t.BeginAsync(guard, StoreTrial.You).ConfigureAwait(false)).Status, guard);
    }

    public static async Task TheEmptyGuardOpensAnySessionThatNobodyHolds(StoreTrial t)
    {
        t.Is(BeginStatus.Unknown, (await t.BeginAsync("", StoreTrial.You).ConfigureAwait(false)).Status);
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        t.Is(BeginStatus.Held, (await t.BeginAsync("", StoreTrial.You).ConfigureAwait(false)).Status);
        await t.Store.ReleaseAsync(mine).ConfigureAwait(false);
        t.Is(BeginStatus.Begun, (await t.BeginAsync("", StoreTrial.You).ConfigureAwait(false)).Status);
    }

    public static async Task ACommitTurnsTheGuardAndEndsTheLease(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        t.Is(AppendResult.Appended, await t.CommitAsync(lease, 2, Head("T1"), Decision(1)).ConfigureAwait(false));
        t.Is("T1", await t.GuardAsync().ConfigureAwait(false));
        t.Is(AppendResult.StaleFence, await t.AppendAsync(lease, Decision(3)).ConfigureAwait(false));
        t.Is(false, await t.Store.RenewAsync(lease, StoreTrial.Ttl).ConfigureAwait(false));
        t.Is(BeginStatus.Stale, (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Status);
        BeginResult begun = await t.BeginAsync("T1", StoreTrial.You).ConfigureAwait(false);
        t.Is((BeginStatus.Begun, 3L), (begun.Status, begun.NextSeq));
    }

    public static async Task AReleaseLeavesTheGuardAndTheRecords(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        await t.AppendAsync(lease, Decision(1), Decision(2), Decision(3)).ConfigureAwait(false);
        await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
        BeginResult begun = await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false);
        t.Is((BeginStatus.Begun, 4L), (begun.Status, begun.NextSeq));
        t.Are([0, 1, 2, 3], await t.SeqsAsync(0).ConfigureAwait(false));
    }

    public static async Task TheHeadComesBackWhole(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        SessionHead head = FullHead();
        await t.CommitAsync(lease, 1, head).ConfigureAwait(false);
        ExpectHead(t, head with { NextSeq = 2 }, await t.Store.FindAsync(StoreTrial.Id).ConfigureAwait(false), "found");
        BeginResult begun = await t.BeginAsync("T1", StoreTrial.Me).ConfigureAwait(false);
        ExpectHead(t, head with { NextSeq = 2 }, begun.Head, "begun");
    }

    /// <summary>A head of which every member says something.</summary>
    public static SessionHead FullHead() => Head("T1") with
    {
        Turn = 3,
        ClientTurns = 2,
        Status = SessionStatus.Parked,
        Wait = SessionWait.Timer(TrialClock.Start.AddHours(1)),
        Principal = "somebody",
        Salt = new byte[] { 1, 2, 3 },
        Spent = new byte[] { 4 },
        Sealed = new byte[] { 5 },
        RequestSeq = 1,
        RequestKey = new byte[] { 6 },
        RequestBody = new byte[] { 7 },
        State = Bytes("{\"s\":\"ä\"}"),
        Reply = Bytes("{\"status\":\"parked\"}"),
        Signals = Bytes("{\"last\":\"go\"}"),
        TailSeq = 1,
        LastWake = new WakeCommit(Bytes("{\"status\":\"finished\"}"), 8, 2, 7, 1),
        UpdatedAt = TrialClock.Start.AddSeconds(1),
    };

    public static void ExpectHead(StoreTrial t, SessionHead expected, SessionHead? seen, string when)
    {
        t.Holds(seen is not null, when);
        t.Is(Members(expected), Members(seen!), when);
        t.Are(Parts(expected), Parts(seen!), when);
    }

    private static (long Turn, long ClientTurns, long NextSeq, SessionStatus, SessionWait?, string?, long RequestSeq, DateTimeOffset, DateTimeOffset)
        Members(SessionHead head) =>
        (head.Turn, head.ClientTurns, head.NextSeq, head.Status, head.Wait, head.Principal, head.RequestSeq, head.CreatedAt, head.UpdatedAt);

    private static IEnumerable<string> Parts(SessionHead head) =>
        ((ReadOnlyMemory<byte>[])[head.Guard, head.Spent, head.Sealed, head.Salt, head.State, head.Reply, head.RequestKey, head.RequestBody,
            head.Signals, head.LastWake?.Reply ?? default])
        .Select(part => Convert.ToHexString(part.Span))
        .Append($"{head.TailSeq} {(head.LastWake is null ? null : head.LastWake with { Reply = default })}");
}
