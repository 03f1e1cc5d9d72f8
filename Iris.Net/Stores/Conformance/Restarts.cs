using Iris.Net.Journal;
using static Iris.Net.Stores.Conformance.TrialRecords;

namespace Iris.Net.Stores.Conformance;

/// <summary>What a durable store still knows once it was closed and opened again.</summary>
internal static class Restarts
{
    public static async Task WhatWasAppendedDurablyIsThereAfterARestart(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        SessionHead head = Claims.FullHead();
        await t.AppendAsync(lease, 1, RecordKind.TurnStarted, RecordKind.EffectIntent, RecordKind.EffectResult).ConfigureAwait(false);
        await t.CommitAsync(lease, 5, head, Of(4, RecordKind.Marker)).ConfigureAwait(false);
        await t.ParkAsync("other", SessionWait.User).ConfigureAwait(false);
        List<string> before = Texts(await t.ReadAsync(0).ConfigureAwait(false));

        await t.RestartAsync().ConfigureAwait(false);
        Claims.ExpectHead(t, head with { NextSeq = 6 }, await t.Store.FindAsync(StoreTrial.Id).ConfigureAwait(false), "after a restart");
        t.Are(before, Texts(await t.ReadAsync(0).ConfigureAwait(false)));
        t.Are(["other", StoreTrial.Id.Value], await t.ListAsync(new ListQuery(SessionStatus.Parked)).ConfigureAwait(false));
        t.Is(BeginStatus.Stale, (await t.BeginAsync("T0", StoreTrial.Me).ConfigureAwait(false)).Status);
        BeginResult begun = await t.BeginAsync("T1", StoreTrial.Me).ConfigureAwait(false);
        t.Is((BeginStatus.Begun, 6L), (begun.Status, begun.NextSeq));
        t.Is(AppendResult.SeqConflict, await t.AppendAsync(begun.Lease, Decision(5)).ConfigureAwait(false));
        t.Is(AppendResult.Appended, await t.CommitAsync(begun.Lease, 6, Head("T2", turn: 4)).ConfigureAwait(false));
    }

    public static async Task AnOpenRequestIsWholeAfterARestart(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        await t.CommitAsync(lease, 1, Head("T1")).ConfigureAwait(false);
        lease = await t.TakeAsync().ConfigureAwait(false);
        await t.AppendAsync(lease, 2, RecordKind.TurnStarted, RecordKind.EffectIntent).ConfigureAwait(false);
        await t.AppendAsync(lease, 4, RecordKind.EffectResult).ConfigureAwait(false);
        List<string> before = Texts(await t.ReadAsync(2).ConfigureAwait(false));
        await t.RestartAsync().ConfigureAwait(false);
        t.Are(before, Texts(await t.ReadAsync(2).ConfigureAwait(false)));
        BeginResult begun = await t.BeginAsync("T1", StoreTrial.Me).ConfigureAwait(false);
        t.Is((BeginStatus.Begun, 5L, 2L), (begun.Status, begun.NextSeq, begun.Head?.NextSeq ?? -1), "the head stands before the request");
    }

    public static async Task TheKeyStaysOverARestart(StoreTrial t)
    {
        string key = Convert.ToHexString((await t.Store.KeyAsync().ConfigureAwait(false)).Span);
        await t.RestartAsync().ConfigureAwait(false);
        t.Is(key, Convert.ToHexString((await t.Store.KeyAsync().ConfigureAwait(false)).Span));
    }

    public static async Task PendingWorkIsDueAfterARestart(StoreTrial t)
    {
        DateTimeOffset now = t.Time.GetUtcNow();
        await t.ParkAsync("timer", SessionWait.Timer(now)).ConfigureAwait(false);
        await t.ParkAsync("later", SessionWait.Timer(now.AddDays(1))).ConfigureAwait(false);
        await t.ParkAsync("signal", SessionWait.Signal("go")).ConfigureAwait(false);
        t.Holds(await t.Store.PostAsync(new SessionId("signal"), Signal(turn: 1, seq: 2)).ConfigureAwait(false));
        await t.AppendAsync(await t.CreateAsync(id: "accepted").ConfigureAwait(false), 1, RecordKind.TurnStarted, RecordKind.RequestAccepted)
            .ConfigureAwait(false);
        await t.AppendAsync(await t.CreateAsync(id: "started").ConfigureAwait(false), 1, RecordKind.TurnStarted).ConfigureAwait(false);
        await t.AppendAsync(
            await t.CreateAsync(id: "deferred").ConfigureAwait(false), 1,
            RecordKind.TurnStarted, RecordKind.RequestAccepted, RecordKind.RequestDeferred).ConfigureAwait(false);
        await t.RestartAsync().ConfigureAwait(false);
        t.Are(["accepted", "signal", "timer"], await t.DueAsync(now).ConfigureAwait(false));
        t.Are(["accepted", "later", "signal", "timer"], await t.DueAsync(now.AddDays(1)).ConfigureAwait(false));
    }

    public static async Task ASignalIsAcceptedOnceOverARestart(StoreTrial t)
    {
        await t.CommitAsync(await t.CreateAsync().ConfigureAwait(false), 1, Head("T1")).ConfigureAwait(false);
        t.Holds(await t.Store.PostAsync(StoreTrial.Id, Signal(turn: 1, seq: 2)).ConfigureAwait(false));
        await t.RestartAsync().ConfigureAwait(false);
        t.Is(false, await t.Store.PostAsync(StoreTrial.Id, Signal(turn: 1, seq: 3)).ConfigureAwait(false));
        t.Are([2], await t.SeqsAsync(2).ConfigureAwait(false));
        await t.CommitAsync(await t.TakeAsync().ConfigureAwait(false), 3, Head("T2", turn: 2)).ConfigureAwait(false);
        await t.RestartAsync().ConfigureAwait(false);
        t.Are([], await t.DueAsync(DateTimeOffset.MinValue).ConfigureAwait(false), "the commit consumed it");
    }

    public static async Task ADeletedSessionStaysDeletedOverARestart(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        await t.CommitAsync(lease, 1, Head("T0") with { Principal = "somebody" }).ConfigureAwait(false);
        lease = await t.TakeAsync().ConfigureAwait(false);
        await t.AppendAsync(lease, 2, RecordKind.TurnStarted, RecordKind.RequestAccepted).ConfigureAwait(false);
        await t.Store.DeleteAsync(lease, Tombstone.Expired).ConfigureAwait(false);
        await t.RestartAsync().ConfigureAwait(false);
        await Leases.IsGoneAsync(t).ConfigureAwait(false);
        BeginResult gone = await t.BeginAsync("T0", StoreTrial.Me).ConfigureAwait(false);
        t.Is((Tombstone.Expired, "somebody"), (gone.Why, gone.Principal));
        await t.CreateAsync("U0").ConfigureAwait(false);
        await t.RestartAsync().ConfigureAwait(false);
        t.Is("U0", await t.GuardAsync().ConfigureAwait(false), "its successor");
        t.Are([0], await t.SeqsAsync(0).ConfigureAwait(false), "its successor's");
    }

    public static async Task FencesRiseOverARestart(StoreTrial t)
    {
        Lease old = await t.CreateAsync().ConfigureAwait(false);
        await t.AppendAsync(old, Decision(1)).ConfigureAwait(false);
        await t.RestartAsync().ConfigureAwait(false);
        Lease now = await t.TakeAsync().ConfigureAwait(false);
        t.Holds(now.Fence > old.Fence);
        t.Is(AppendResult.StaleFence, await t.CommitAsync(old, 2, Head("stolen")).ConfigureAwait(false));
        t.Is(false, await t.Store.PostAsync(StoreTrial.Id, new CancelMail(old.Fence)).ConfigureAwait(false));
        t.Is(AppendResult.Appended, await t.CommitAsync(now, 2, Head("T1")).ConfigureAwait(false));
    }

    public static async Task IdlenessIsCountedOverARestart(StoreTrial t)
    {
        await t.ParkAsync("old", SessionWait.User).ConfigureAwait(false);
        t.Time.Advance(TimeSpan.FromHours(1));
        await t.ParkAsync("young", SessionWait.User).ConfigureAwait(false);
        DateTimeOffset before = t.Time.GetUtcNow();
        await t.RestartAsync().ConfigureAwait(false);
        t.Are(["old"], await t.IdleAsync(before).ConfigureAwait(false));
    }

    private static List<string> Texts(List<JournalEntry> records) => [.. records.Select(e => $"{e.Seq} {e.Kind} {Text(e.Utf8)}")];
}
