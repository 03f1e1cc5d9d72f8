using static Iris.Net.Stores.Conformance.TrialRecords;

namespace Iris.Net.Stores.Conformance;

/// <summary>How long a lease lasts, and what one that was lost can do: nothing.</summary>
internal static class Leases
{
    public static async Task ALapsedLeaseIsHeldByNobody(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        t.Time.Advance(StoreTrial.Ttl - TimeSpan.FromMilliseconds(1));
        t.Is(BeginStatus.Held, (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Status);
        t.Time.Advance(TimeSpan.FromMilliseconds(1));
        BeginResult begun = await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false);
        t.Is(BeginStatus.Begun, begun.Status);
        t.Holds(begun.Lease.Fence > mine.Fence);
    }

    public static async Task AWriterThatLostItsLeaseIsRefusedWhateverItBelieves(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        await t.AppendAsync(mine, Decision(1)).ConfigureAwait(false);
        t.Time.Advance(StoreTrial.Ttl);
        Lease yours = (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Lease;

        t.Is(AppendResult.StaleFence, await t.AppendAsync(mine, Decision(2)).ConfigureAwait(false));
        t.Is(AppendResult.StaleFence, await t.CommitAsync(mine, 2, Head("stolen")).ConfigureAwait(false));
        t.Is(false, await t.Store.RenewAsync(mine, StoreTrial.Ttl).ConfigureAwait(false));
        await t.Store.ReleaseAsync(mine).ConfigureAwait(false);
        await t.Store.DeleteAsync(mine, Tombstone.Deleted).ConfigureAwait(false);
        t.Is(false, await t.Store.PostAsync(StoreTrial.Id, new CancelMail(mine.Fence)).ConfigureAwait(false));

        t.Are([0, 1], await t.SeqsAsync(0).ConfigureAwait(false));
        t.Is(BeginStatus.Held, (await t.BeginAsync("T0", StoreTrial.Me).ConfigureAwait(false)).Status, "the new holder keeps it");
        t.Is(AppendResult.Appended, await t.CommitAsync(yours, 2, Head("T1")).ConfigureAwait(false));
    }

    public static async Task ALapsedLeaseThatNobodyTookStillWrites(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        t.Time.Advance(StoreTrial.Ttl * 2);
        t.Is(AppendResult.Appended, await t.AppendAsync(mine, Decision(1)).ConfigureAwait(false));
        t.Holds(await t.Store.RenewAsync(mine, StoreTrial.Ttl).ConfigureAwait(false));
        t.Is(BeginStatus.Held, (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Status);
    }

    public static async Task ARenewedLeaseLastsFromThen(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        t.Time.Advance(TimeSpan.FromSeconds(20));
        t.Holds(await t.Store.RenewAsync(mine, StoreTrial.Ttl).ConfigureAwait(false));
        t.Time.Advance(TimeSpan.FromSeconds(29));
        t.Is(BeginStatus.Held, (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Status);
        t.Time.Advance(TimeSpan.FromSeconds(1));
        t.Is(BeginStatus.Begun, (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Status);
    }

    public static async Task AReleasedLeaseIsLost(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        await t.Store.ReleaseAsync(mine).ConfigureAwait(false);
        t.Is(AppendResult.StaleFence, await t.AppendAsync(mine, Decision(1)).ConfigureAwait(false));
        t.Is(false, await t.Store.RenewAsync(mine, StoreTrial.Ttl).ConfigureAwait(false));
        await t.Store.ReleaseAsync(mine).ConfigureAwait(false);   // a lost one is no error
    }

    public static async Task ADeletedSessionIsGone(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        await t.AppendAsync(lease, Decision(1), Decision(2), Decision(3)).ConfigureAwait(false);
        await t.Store.DeleteAsync(lease, Tombstone.Deleted).ConfigureAwait(false);
        await IsGoneAsync(t).ConfigureAwait(false);
        t.Is(AppendResult.Unknown, await t.AppendAsync(lease, Decision(4)).ConfigureAwait(false));
        t.Is(false, await t.Store.RenewAsync(lease, StoreTrial.Ttl).ConfigureAwait(false));
    }

    public static async Task WhoseADeletedSessionWasIsToldWithWhyItIsGone(StoreTrial t)
    {
        foreach (string? principal in (string?[])["somebody", "ä", null])
        {
            SessionId id = new($"of {principal}");
            await t.CommitAsync(await t.CreateAsync(id: id.Value).ConfigureAwait(false), 1, Head("T1") with { Principal = principal }).ConfigureAwait(false);
            await t.Store.DeleteAsync(await t.TakeAsync(id.Value).ConfigureAwait(false), Tombstone.Deleted).ConfigureAwait(false);
            BeginResult gone = await t.Store.BeginAsync(id, default, StoreTrial.You).ConfigureAwait(false);
            t.Is(BeginStatus.Unknown, gone.Status);
            if (gone.Why != Tombstone.None)   // a store may have forgotten it
                t.Is(principal, gone.Principal);
        }
    }

    public static async Task ALeaseOfADeletedSessionDoesNotReachItsSuccessor(StoreTrial t)
    {
        Lease old = await t.CreateAsync().ConfigureAwait(false);
        await t.Store.DeleteAsync(old, Tombstone.Deleted).ConfigureAwait(false);
        Lease now = await t.CreateAsync("U0").ConfigureAwait(false);
        t.Holds(now.Fence > old.Fence);
        t.Is(AppendResult.StaleFence, await t.CommitAsync(old, 1, Head("stolen")).ConfigureAwait(false));
        t.Is(false, await t.Store.PostAsync(StoreTrial.Id, new CancelMail(old.Fence)).ConfigureAwait(false));
        await t.Store.DeleteAsync(old, Tombstone.Deleted).ConfigureAwait(false);
        t.Is(AppendResult.Appended, await t.CommitAsync(now, 1, Head("U1")).ConfigureAwait(false));
    }

    public static async ValueTask IsGoneAsync(StoreTrial t)
    {
        t.Is("none", await t.GuardAsync().ConfigureAwait(false));
        t.Are([], await t.SeqsAsync(0).ConfigureAwait(false));
        t.Is(BeginStatus.Unknown, (await t.BeginAsync("T0", StoreTrial.You).ConfigureAwait(false)).Status);
        t.Is(BeginStatus.Unknown, (await t.BeginAsync("", StoreTrial.You).ConfigureAwait(false)).Status);
        t.Is(false, await t.Store.PostAsync(StoreTrial.Id, Signal(turn: 0, seq: 9)).ConfigureAwait(false));
        t.Are([], await t.ListAsync(new ListQuery()).ConfigureAwait(false));
        t.Are([], await t.DueAsync(DateTimeOffset.MaxValue).ConfigureAwait(false));
    }
}
