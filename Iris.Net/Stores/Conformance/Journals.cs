using Iris.Net.Journal;
using static Iris.Net.Stores.Conformance.TrialRecords;

namespace Iris.Net.Stores.Conformance;

/// <summary>What is written and read.</summary>
internal static class Journals
{
    public static async Task SeqsRiseBeyondTheJournalsLast(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        t.Is(AppendResult.Appended, await t.AppendAsync(mine, Decision(1), Decision(2)).ConfigureAwait(false));
        for (long seq = 0; seq <= 2; seq++)
        {
            t.Is(AppendResult.SeqConflict, await t.AppendAsync(mine, Decision(seq)).ConfigureAwait(false), $"{seq}");
            t.Is(
                AppendResult.SeqConflict,
                await t.CommitAsync(mine, seq + 2, Head("T1"), Decision(seq), Decision(seq + 1)).ConfigureAwait(false), $"{seq}");
        }

        t.Are([0, 1, 2], await t.SeqsAsync(0).ConfigureAwait(false));
        t.Is(AppendResult.Appended, await t.AppendAsync(mine, Decision(5)).ConfigureAwait(false), "the lease is still there, and seqs may skip");
        t.Is(AppendResult.SeqConflict, await t.AppendAsync(mine, Decision(4)).ConfigureAwait(false));
        t.Is(AppendResult.Appended, await t.CommitAsync(mine, 7, Head("T1")).ConfigureAwait(false));
        BeginResult begun = await t.BeginAsync("T1", StoreTrial.Me).ConfigureAwait(false);
        t.Is((8L, 8L), (begun.NextSeq, begun.Head!.NextSeq), "the journal goes on behind the commit");
    }

    public static async Task SeqsRiseWithinAnAppend(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        t.Is(AppendResult.SeqConflict, await t.AppendAsync(mine, Decision(3), Decision(2)).ConfigureAwait(false), "falling");
        t.Is(AppendResult.SeqConflict, await t.AppendAsync(mine, Decision(1), Decision(1)).ConfigureAwait(false), "twice");
        t.Are([0], await t.SeqsAsync(0).ConfigureAwait(false));
    }

    public static async Task RecordsComeBackAsTheyWereWrittenThoughTheirMemoryIsUsedAgain(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        byte[] written = Decision(1, "ä \\u0000 1.0e+1").Utf8.ToArray(), memory = [.. written];
        JournalEntry[] entries = [new JournalEntry(1, RecordKind.Decision, memory)];
        await t.AppendAsync(mine, entries).ConfigureAwait(false);
        memory.AsSpan().Clear();
        entries[0] = default;
        List<JournalEntry> read = await t.ReadAsync(1).ConfigureAwait(false);
        t.Are([(1L, RecordKind.Decision, Text(written))], read.Select(e => (e.Seq, e.Kind, Text(e.Utf8))));
    }

    public static async Task ReadingBeginsAtASeq(StoreTrial t)
    {
        Lease mine = await t.CreateAsync().ConfigureAwait(false);
        await t.AppendAsync(mine, [.. Enumerable.Range(1, 5).Select(seq => Decision(seq))]).ConfigureAwait(false);
        t.Are([0, 1, 2, 3, 4, 5], await t.SeqsAsync(0).ConfigureAwait(false));
        t.Are([3, 4, 5], await t.SeqsAsync(3).ConfigureAwait(false));
        t.Are([5], await t.SeqsAsync(5).ConfigureAwait(false));
        t.Are([], await t.SeqsAsync(6).ConfigureAwait(false));
        t.Is(0, await t.Store.ReadAsync(new SessionId("other"), 0).CountAsync().ConfigureAwait(false));
    }

    public static async Task PublicRecordsStayWhenTheirRequestIsOver(StoreTrial t)
    {
        await WriteTwoRequestsAsync(t).ConfigureAwait(false);
        List<JournalEntry> all = await t.ReadAsync(0).ConfigureAwait(false);
        t.Are([2, 3, 4, 7, 10], all.Where(e => e.IsPublic).Select(e => e.Seq));
        t.Are(all.Select(e => e.Seq).Order(), all.Select(e => e.Seq));
        t.Are([9, 10], (await t.SeqsAsync(6).ConfigureAwait(false)).Where(seq => seq > 8), "the open request is whole");
    }

    public static async Task PrivateRecordsStayWhereTheStoreSaysSo(StoreTrial t)
    {
        await WriteTwoRequestsAsync(t).ConfigureAwait(false);
        t.Are([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], await t.SeqsAsync(0).ConfigureAwait(false));
    }

    public static async Task AReaderSeesNoHalfAppendAndIsNotDisturbedByLaterOnes(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        JournalEntry[] first = [Decision(1), Decision(2), Decision(3)];
        await t.AppendAsync(lease, first).ConfigureAwait(false);
        List<string> read = [];
        await foreach (JournalEntry record in t.Store.ReadAsync(StoreTrial.Id, 0).ConfigureAwait(false))
        {
            read.Add(Text(record.Utf8));
            if (read.Count <= 4)   // a reader may follow; it must come to an end all the same
                await t.AppendAsync(lease, Decision(3 + read.Count)).ConfigureAwait(false);
        }

        t.Are(first.Select(e => Text(e.Utf8)), read.Skip(1).Take(3));
    }

    public static async Task WhatAClientLeftOpenStaysBesideTheCommitOfAWake(StoreTrial t)
    {
        await t.CommitAsync(await t.CreateAsync().ConfigureAwait(false), 1, Head("T1")).ConfigureAwait(false);
        Lease lease = await t.TakeAsync().ConfigureAwait(false);
        await t.AppendAsync(lease, 2, RecordKind.TurnStarted, RecordKind.EffectIntent, RecordKind.EffectResult, RecordKind.TurnEnded).ConfigureAwait(false);
        await t.AppendAsync(lease, 6, RecordKind.WakeStarted, RecordKind.EffectIntent).ConfigureAwait(false);
        await t.CommitAsync(lease, 9, Head("T1", turn: 2) with { TailSeq = 2 }, Of(8, RecordKind.Marker)).ConfigureAwait(false);
        await ExpectAsync(t, [2, 3, 4, 5], "the request").ConfigureAwait(false);
        lease = await t.TakeAsync().ConfigureAwait(false);
        await t.AppendAsync(lease, 10, RecordKind.WakeStarted, RecordKind.EffectIntent, RecordKind.TurnEnded).ConfigureAwait(false);
        await t.AppendAsync(lease, 13, RecordKind.TurnStarted, RecordKind.EffectIntent).ConfigureAwait(false);
        await t.AppendAsync(lease, 15, RecordKind.RequestClosed, RecordKind.TurnStarted).ConfigureAwait(false);
        await ExpectAsync(t, [10, 11, 12, 15, 16], "the wake, and the other request").ConfigureAwait(false);
        await t.CommitAsync(lease, 18, Head("T2", turn: 3), Of(17, RecordKind.Marker)).ConfigureAwait(false);
        await ExpectAsync(t, [3, 4, 7, 8, 11, 14, 17], "what is public").ConfigureAwait(false);
    }

    private static async ValueTask ExpectAsync(StoreTrial t, long[] kept, string when)
    {
        List<long> seqs = [.. await t.SeqsAsync(0).ConfigureAwait(false)];
        t.Are(seqs.Order(), seqs, when);
        t.Are(kept, kept.Where(seqs.Contains), when);
    }

    private static async ValueTask WriteTwoRequestsAsync(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        await t.AppendAsync(lease, 1, RecordKind.TurnStarted, RecordKind.EffectIntent, RecordKind.EffectResult).ConfigureAwait(false);
        await t.CommitAsync(lease, 5, Head("T1"), Of(4, RecordKind.Marker)).ConfigureAwait(false);
        lease = (await t.BeginAsync("T1", StoreTrial.Me).ConfigureAwait(false)).Lease;
        await t.AppendAsync(lease, 6, RecordKind.TurnStarted, RecordKind.EffectIntent).ConfigureAwait(false);
        await t.AppendAsync(lease, 8, RecordKind.RequestClosed, RecordKind.TurnStarted, RecordKind.Decision).ConfigureAwait(false);
    }
}
