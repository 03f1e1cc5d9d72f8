using Iris.Net.Journal;
using static Iris.Net.Stores.Conformance.TrialRecords;

namespace Iris.Net.Stores.Conformance;

/// <summary>A shared store opened twice: two processes see one truth.</summary>
internal static class Sharing
{
    public static async Task LeasesHoldForEveryProcess(StoreTrial t)
    {
        IStateStore other = await t.OpenAgainAsync().ConfigureAwait(false);
        await using (other.ConfigureAwait(false))
        {
            Lease mine = await t.CreateAsync().ConfigureAwait(false);
            t.Is(CreateStatus.Exists, (await other.CreateAsync(StoreTrial.Id, Seed("other"), StoreTrial.You).ConfigureAwait(false)).Status);
            BeginResult held = await other.BeginAsync(StoreTrial.Id, default, StoreTrial.You).ConfigureAwait(false);
            t.Is((BeginStatus.Held, mine), (held.Status, held.Lease));
            t.Time.Advance(StoreTrial.Ttl);
            BeginResult begun = await other.BeginAsync(StoreTrial.Id, Bytes("T0"), StoreTrial.You).ConfigureAwait(false);
            t.Is(BeginStatus.Begun, begun.Status, "the lease ran out");
            t.Is(AppendResult.StaleFence, await t.CommitAsync(mine, 1, Head("stolen")).ConfigureAwait(false));
            SessionHead head = Head("T1") with { NextSeq = 2 };
            t.Is(
                AppendResult.Appended,
                await other.AppendAsync(begun.Lease, new[] { Commit(1, head) }, head, Flush.Durable).ConfigureAwait(false));
            t.Is("T1", await t.GuardAsync().ConfigureAwait(false), "what the other one committed");
            t.Is(BeginStatus.Stale, (await t.BeginAsync("T0", StoreTrial.Me).ConfigureAwait(false)).Status);
            t.Is(
                Convert.ToHexString((await t.Store.KeyAsync().ConfigureAwait(false)).Span),
                Convert.ToHexString((await other.KeyAsync().ConfigureAwait(false)).Span));
        }
    }

    public static async Task MailReachesWhoeverRunsTheSession(StoreTrial t)
    {
        IStateStore other = await t.OpenAgainAsync().ConfigureAwait(false);
        await using (other.ConfigureAwait(false))
        {
            Lease lease = await t.CreateAsync().ConfigureAwait(false);
            t.Holds(await other.PostAsync(StoreTrial.Id, new CancelMail(lease.Fence)).ConfigureAwait(false));
            t.Is(AppendResult.Cancelled, await t.CommitAsync(lease, 1, Head("T1")).ConfigureAwait(false));
            await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
            t.Holds(await other.PostAsync(StoreTrial.Id, Signal(turn: 0, seq: 1)).ConfigureAwait(false));
            t.Is(false, await t.Store.PostAsync(StoreTrial.Id, Signal(turn: 0, seq: 2)).ConfigureAwait(false), "there is one");
            t.Are([StoreTrial.Id.Value], await t.DueAsync(DateTimeOffset.MinValue).ConfigureAwait(false));
            t.Are([0, 1], await t.SeqsAsync(0).ConfigureAwait(false));
        }
    }

    public static async Task OfTwoProcessesOneBegins(StoreTrial t)
    {
        IStateStore other = await t.OpenAgainAsync().ConfigureAwait(false);
        await using (other.ConfigureAwait(false))
        {
            await t.Store.ReleaseAsync(await t.CreateAsync().ConfigureAwait(false)).ConfigureAwait(false);
            for (int round = 0; round < t.Rounds; round++)
            {
                (BeginResult mine, BeginResult yours) = await t.RaceAsync(
                    () => t.BeginAsync("T0", StoreTrial.Me),
                    () => other.BeginAsync(StoreTrial.Id, Bytes("T0"), StoreTrial.You)).ConfigureAwait(false);
                t.Is((true, true), (mine.Status != yours.Status, mine.Lease == yours.Lease), $"round {round}");
                await t.Store.ReleaseAsync(mine.Lease).ConfigureAwait(false);
            }
        }
    }
}
