using Iris.Net.Journal;
using static Iris.Net.Stores.Conformance.TrialRecords;

namespace Iris.Net.Stores.Conformance;

/// <summary>Cancels and signals: accepted once, or not at all.</summary>
internal static class Mails
{
    public static async Task ACancelIsAcceptedWhereItsFenceHoldsTheLease(StoreTrial t)
    {
        t.Is(false, await CancelAsync(t, 1).ConfigureAwait(false), "no session");
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        t.Is(false, await CancelAsync(t, lease.Fence + 1).ConfigureAwait(false));
        t.Is(false, await CancelAsync(t, lease.Fence - 1).ConfigureAwait(false));
        t.Holds(await CancelAsync(t, lease.Fence).ConfigureAwait(false));

        t.Is(AppendResult.Cancelled, await t.CommitAsync(lease, 1, Head("T1")).ConfigureAwait(false));
        t.Is("T0", await t.GuardAsync().ConfigureAwait(false));
        t.Are([0], await t.SeqsAsync(0).ConfigureAwait(false));
        t.Is(AppendResult.Appended, await t.AppendAsync(lease, Decision(1)).ConfigureAwait(false), "what is no commit is still taken");
        await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
        t.Is(false, await CancelAsync(t, lease.Fence).ConfigureAwait(false), "nobody holds it");
    }

    public static async Task ACancelReachesNoLaterLease(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        await CancelAsync(t, lease.Fence).ConfigureAwait(false);
        await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
        lease = await t.TakeAsync().ConfigureAwait(false);
        t.Is(AppendResult.Appended, await t.CommitAsync(lease, 1, Head("T1")).ConfigureAwait(false));
        t.Is(false, await CancelAsync(t, lease.Fence).ConfigureAwait(false), "the commit came first");
    }

    public static async Task ASignalIsAcceptedOnceForTheWaitOfTheLastCommit(StoreTrial t)
    {
        t.Is(false, await PostAsync(t, turn: 0, seq: 1).ConfigureAwait(false), "no session");
        await t.CommitAsync(await t.CreateAsync().ConfigureAwait(false), 1, Head("T1")).ConfigureAwait(false);
        t.Is(false, await PostAsync(t, turn: 0, seq: 2).ConfigureAwait(false), "an earlier wait");
        t.Is(false, await PostAsync(t, turn: 1, seq: 1).ConfigureAwait(false), "its seq is taken");
        t.Holds(await PostAsync(t, turn: 1, seq: 2).ConfigureAwait(false));
        t.Is(false, await PostAsync(t, turn: 1, seq: 3).ConfigureAwait(false), "there is one");

        BeginResult begun = await t.BeginAsync("T1", StoreTrial.Me).ConfigureAwait(false);
        t.Is((BeginStatus.Begun, 3L), (begun.Status, begun.NextSeq));
        t.Are([2], await t.SeqsAsync(2).ConfigureAwait(false));
        await t.AppendAsync(begun.Lease, 3, RecordKind.TurnStarted, RecordKind.RequestClosed, RecordKind.TurnStarted).ConfigureAwait(false);
        t.Holds((await t.SeqsAsync(2).ConfigureAwait(false)).Contains(2), "no request's end consumes it");
        t.Is(false, await PostAsync(t, turn: 1, seq: 6).ConfigureAwait(false));
        await t.CommitAsync(begun.Lease, 6, Head("T2", turn: 2)).ConfigureAwait(false);
        t.Are([], await t.DueAsync(DateTimeOffset.MinValue).ConfigureAwait(false), "the commit consumed it");
        t.Holds(await PostAsync(t, turn: 2, seq: 7).ConfigureAwait(false));
    }

    public static async Task ASignalIsNotAcceptedWhileSomebodyHoldsTheSession(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        t.Is(false, await PostAsync(t, turn: 0, seq: 1).ConfigureAwait(false));
        await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
        t.Holds(await PostAsync(t, turn: 0, seq: 1).ConfigureAwait(false));
    }

    private static ValueTask<bool> CancelAsync(StoreTrial t, long fence) => t.Store.PostAsync(StoreTrial.Id, new CancelMail(fence));

    private static ValueTask<bool> PostAsync(StoreTrial t, long turn, long seq) => t.Store.PostAsync(StoreTrial.Id, Signal(turn, seq));
}
