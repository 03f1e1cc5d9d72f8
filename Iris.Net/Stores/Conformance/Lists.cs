using Iris.Net.Journal;
using static Iris.Net.Stores.Conformance.TrialRecords;

namespace Iris.Net.Stores.Conformance;

/// <summary>What a store finds for whoever serves it, and its key.</summary>
internal static class Lists
{
    public static async Task AnAcceptedRequestIsDueUntilItEndsOrIsPutOff(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        await t.AppendAsync(lease, 1, RecordKind.TurnStarted, RecordKind.RequestAccepted).ConfigureAwait(false);
        t.Are([], await t.DueAsync(DateTimeOffset.MinValue).ConfigureAwait(false), "it runs");
        await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
        long seq = 3;
        foreach (RecordKind end in (RecordKind[])[RecordKind.TurnEnded, RecordKind.RequestDeferred, RecordKind.RequestClosed])
        {
            t.Are([StoreTrial.Id.Value], await t.DueAsync(DateTimeOffset.MinValue).ConfigureAwait(false), $"before {end}");
            lease = await t.TakeAsync().ConfigureAwait(false);
            t.Is(AppendResult.Appended, await t.AppendAsync(lease, seq++, end).ConfigureAwait(false));
            await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
            t.Are([], await t.DueAsync(DateTimeOffset.MinValue).ConfigureAwait(false), $"after {end}");
            lease = await t.TakeAsync().ConfigureAwait(false);
            await t.AppendAsync(lease, seq, RecordKind.TurnStarted, RecordKind.RequestAccepted).ConfigureAwait(false);
            seq += 2;
            await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
        }

        await t.CommitAsync(await t.TakeAsync().ConfigureAwait(false), seq, Head("T1")).ConfigureAwait(false);
        t.Are([], await t.DueAsync(DateTimeOffset.MinValue).ConfigureAwait(false), "the commit ended it");
    }

    public static async Task SessionsAreDueByTimerOrMailWhileNobodyHoldsThem(StoreTrial t)
    {
        DateTimeOffset now = t.Time.GetUtcNow();
        await t.ParkAsync("later", SessionWait.Timer(now.AddMilliseconds(1))).ConfigureAwait(false);
        await t.ParkAsync("due", SessionWait.Timer(now)).ConfigureAwait(false);
        await t.ParkAsync("past", SessionWait.Timer(now.AddYears(-1))).ConfigureAwait(false);
        await t.ParkAsync("signal", SessionWait.Signal("go")).ConfigureAwait(false);
        await t.ParkAsync("mail", SessionWait.Signal("go")).ConfigureAwait(false);
        t.Holds(await t.Store.PostAsync(new SessionId("mail"), Signal(turn: 1, seq: 2)).ConfigureAwait(false));
        await t.ParkAsync("held", SessionWait.Timer(now)).ConfigureAwait(false);
        await t.TakeAsync("held").ConfigureAwait(false);

        t.Are(["due", "mail", "past"], await t.DueAsync(now).ConfigureAwait(false));
        t.Are(["due", "later", "mail", "past"], await t.DueAsync(now.AddMilliseconds(1)).ConfigureAwait(false));
        t.Is(2, (await t.DueAsync(now, 2).ConfigureAwait(false)).Count);
        t.Is(0, (await t.DueAsync(now, 0).ConfigureAwait(false)).Count);
        t.Time.Advance(StoreTrial.Ttl);
        t.Are(["due", "held", "mail", "past"], await t.DueAsync(now).ConfigureAwait(false), "its lease ran out");
    }

    public static async Task AWakeThatWasClosedIsNotDueUntilTheNextCommit(StoreTrial t)
    {
        DateTimeOffset now = t.Time.GetUtcNow();
        await t.ParkAsync("timer", SessionWait.Timer(now)).ConfigureAwait(false);
        await t.ParkAsync("signal", SessionWait.Signal("go")).ConfigureAwait(false);
        t.Holds(await t.Store.PostAsync(new SessionId("signal"), Signal(turn: 1, seq: 2)).ConfigureAwait(false));
        t.Are(["signal", "timer"], await t.DueAsync(now).ConfigureAwait(false));
        foreach (string id in (string[])["timer", "signal"])
        {
            Lease lease = await t.TakeAsync(id).ConfigureAwait(false);
            await t.AppendAsync(lease, 3, RecordKind.WakeStarted, RecordKind.WakeClosed, RecordKind.TurnEnded).ConfigureAwait(false);
            await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
        }

        t.Are([], await t.DueAsync(now).ConfigureAwait(false), "nothing is tried again");
        if (t.Store.Traits.Durable)
            await t.RestartAsync().ConfigureAwait(false);
        t.Are([], await t.DueAsync(now).ConfigureAwait(false), "and it stays so");
        await t.CommitAsync(
            await t.TakeAsync("timer").ConfigureAwait(false), 6, Head("T2", turn: 2) with { Wait = SessionWait.Timer(now) }).ConfigureAwait(false);
        t.Are(["timer"], await t.DueAsync(now).ConfigureAwait(false), "another wait");
    }

    public static async Task SessionsThatNobodyUsedAreIdle(StoreTrial t)
    {
        DateTimeOffset start = t.Time.GetUtcNow();
        await t.ParkAsync("old", SessionWait.User).ConfigureAwait(false);
        await t.ParkAsync("timer", SessionWait.Timer(start.AddHours(1))).ConfigureAwait(false);
        await t.ParkAsync("signal", SessionWait.Signal("go")).ConfigureAwait(false);
        t.Holds(await t.Store.PostAsync(new SessionId("signal"), Signal(turn: 1, seq: 2)).ConfigureAwait(false));
        t.Time.Advance(TimeSpan.FromMinutes(1));
        await t.ParkAsync("young", SessionWait.User).ConfigureAwait(false);
        await t.CreateAsync(id: "held").ConfigureAwait(false);
        t.Are(["old"], await t.IdleAsync(start.AddSeconds(1)).ConfigureAwait(false));
        t.Time.Advance(TimeSpan.FromHours(2));
        t.Are(["held", "old", "young"], await t.IdleAsync(start.AddHours(1)).ConfigureAwait(false));
        t.Are(["held", "old", "timer", "young"], await t.IdleAsync(start.AddHours(1.5)).ConfigureAwait(false));
    }

    public static async Task SessionsAreListedByStatusInOrdinalOrder(StoreTrial t)
    {
        foreach (string id in (string[])["b", "a", "B", "ä", "a1"])
            await t.ParkAsync(id, SessionWait.User).ConfigureAwait(false);
        await t.CreateAsync(id: "new").ConfigureAwait(false);

        t.Are(["B", "a", "a1", "b", "new", "ä"], await t.ListAsync(new ListQuery()).ConfigureAwait(false));
        t.Are(["B", "a", "a1", "b", "ä"], await t.ListAsync(new ListQuery(SessionStatus.Parked)).ConfigureAwait(false));
        t.Are(["new"], await t.ListAsync(new ListQuery(SessionStatus.New)).ConfigureAwait(false));
        t.Are([], await t.ListAsync(new ListQuery(SessionStatus.Finished)).ConfigureAwait(false));
        t.Are(["B", "a"], await t.ListAsync(new ListQuery(Limit: 2)).ConfigureAwait(false));
        t.Are(["a1", "b"], await t.ListAsync(new ListQuery(After: "a", Limit: 2)).ConfigureAwait(false));
        t.Are(["b", "new", "ä"], await t.ListAsync(new ListQuery(After: "aa")).ConfigureAwait(false));
        t.Are([], await t.ListAsync(new ListQuery(Limit: 0)).ConfigureAwait(false));
    }

    public static async Task TheKeyStays(StoreTrial t)
    {
        string key = Convert.ToHexString((await t.Store.KeyAsync().ConfigureAwait(false)).Span);
        t.Is(64, key.Length, "hexadecimal digits");
        t.Is(key, Convert.ToHexString((await t.Store.KeyAsync().ConfigureAwait(false)).Span));
        IStateStore other = await t.OpenElsewhereAsync().ConfigureAwait(false);
        await using (other.ConfigureAwait(false))
            t.Holds(key != Convert.ToHexString((await other.KeyAsync().ConfigureAwait(false)).Span), "another store's is another");
    }
}
