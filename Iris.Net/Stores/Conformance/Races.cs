using Iris.Net.Journal;
using static Iris.Net.Stores.Conformance.TrialRecords;

namespace Iris.Net.Stores.Conformance;

/// <summary>Of two who act at the same moment one is first, and both are told the same.</summary>
internal static class Races
{
    public static async Task OneOfTwoPresentersBegins(StoreTrial t)
    {
        await t.Store.ReleaseAsync(await t.CreateAsync().ConfigureAwait(false)).ConfigureAwait(false);
        for (int round = 0; round < t.Rounds; round++)
        {
            (BeginResult mine, BeginResult yours) = await t.RaceAsync(
                () => t.BeginAsync("T0", StoreTrial.Me), () => t.BeginAsync("T0", StoreTrial.You)).ConfigureAwait(false);
            t.Are([BeginStatus.Held, BeginStatus.Begun], Sorted(mine.Status, yours.Status), $"round {round}");
            t.Is(mine.Lease, yours.Lease, $"whoever lost is told who won, round {round}");
            await t.Store.ReleaseAsync(mine.Lease).ConfigureAwait(false);
        }
    }

    public static async Task OfTwoMakersOneMakesTheSession(StoreTrial t)
    {
        for (int round = 0; round < t.Rounds; round++)
        {
            SessionId id = new($"s{round}");
            (CreateResult mine, CreateResult yours) = await t.RaceAsync(
                () => t.Store.CreateAsync(id, Seed("mine"), StoreTrial.Me),
                () => t.Store.CreateAsync(id, Seed("yours"), StoreTrial.You)).ConfigureAwait(false);
            t.Are([CreateStatus.Created, CreateStatus.Exists], Sorted(mine.Status, yours.Status), $"round {round}");
            t.Is(Text(mine.Head!.Guard), Text(yours.Head!.Guard), $"round {round}");
            Lease lease = mine.Status == CreateStatus.Created ? mine.Lease : yours.Lease;
            await t.Store.DeleteAsync(lease, Tombstone.Deleted).ConfigureAwait(false);
        }

        t.Are([], await t.ListAsync(new ListQuery()).ConfigureAwait(false));
    }

    public static async Task OfACommitAndACancelOneIsTooLate(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        long seq = 1;
        for (int round = 0; round < t.Rounds; round++)
        {
            (AppendResult committed, bool cancelled) = await t.RaceAsync(
                () => t.CommitAsync(lease, seq, Head("T")),
                () => t.Store.PostAsync(StoreTrial.Id, new CancelMail(lease.Fence))).ConfigureAwait(false);
            t.Is(cancelled ? AppendResult.Cancelled : AppendResult.Appended, committed, $"round {round}");
            seq += cancelled ? 0 : 1;
            await t.Store.ReleaseAsync(lease).ConfigureAwait(false);
            lease = await t.TakeAsync().ConfigureAwait(false);
        }
    }

    public static async Task OfASignalAndAClaimTheFirstIsSeenByTheOther(StoreTrial t)
    {
        await t.CommitAsync(await t.CreateAsync().ConfigureAwait(false), 1, Head("T")).ConfigureAwait(false);
        long seq = 2;
        for (int turn = 1; turn <= t.Rounds; turn++)
        {
            (bool accepted, BeginResult begun) = await t.RaceAsync(
                () => t.Store.PostAsync(StoreTrial.Id, Signal(turn, seq)), () => t.BeginAsync("T", StoreTrial.Me)).ConfigureAwait(false);
            t.Is(BeginStatus.Begun, begun.Status, $"round {turn}");
            t.Is(accepted ? seq + 1 : seq, begun.NextSeq, $"accepted: {accepted}, round {turn}");
            seq = begun.NextSeq;
            await t.CommitAsync(begun.Lease, seq++, Head("T", turn + 1)).ConfigureAwait(false);
        }
    }

    public static async Task OfTwoSignalsOneIsAccepted(StoreTrial t)
    {
        await t.CommitAsync(await t.CreateAsync().ConfigureAwait(false), 1, Head("T")).ConfigureAwait(false);
        long seq = 2;
        for (int turn = 1; turn <= t.Rounds; turn++)
        {
            (bool mine, bool yours) = await t.RaceAsync(
                () => t.Store.PostAsync(StoreTrial.Id, Signal(turn, seq)),
                () => t.Store.PostAsync(StoreTrial.Id, Signal(turn, seq + 1))).ConfigureAwait(false);
            t.Is(true, mine != yours, $"round {turn}");
            t.Are([mine ? seq : seq + 1], await t.SeqsAsync(seq).ConfigureAwait(false), $"round {turn}");
            seq += 2;
            await t.CommitAsync(await t.TakeAsync().ConfigureAwait(false), seq++, Head("T", turn + 1)).ConfigureAwait(false);
        }
    }

    public static async Task OfAnOldWriterAndWhoTookItsLeaseOneCommits(StoreTrial t)
    {
        await t.Store.ReleaseAsync(await t.CreateAsync("G").ConfigureAwait(false)).ConfigureAwait(false);
        string guard = "G";
        long seq = 1;
        for (int round = 0; round < t.Rounds; round++, seq += 2)
        {
            Lease old = await t.TakeAsync().ConfigureAwait(false);
            SessionHead next = Head($"G{round}");
            t.Time.Advance(StoreTrial.Ttl);
            (AppendResult late, BeginResult begun) = await t.RaceAsync(
                () => t.CommitAsync(old, seq + 1, next, Decision(seq)), () => t.BeginAsync(guard, StoreTrial.You)).ConfigureAwait(false);
            bool took = begun.Status == BeginStatus.Begun;
            t.Is(took ? AppendResult.StaleFence : AppendResult.Appended, late, $"round {round}");
            if (took)
                t.Is(AppendResult.Appended, await t.CommitAsync(begun.Lease, seq + 1, next, Decision(seq)).ConfigureAwait(false));
            else   // held as long as the commit is under way
                t.Holds(begun.Status is BeginStatus.Stale or BeginStatus.Held, $"{begun.Status}, round {round}");
            guard = $"G{round}";
        }

        IEnumerable<long> kept = (await t.SeqsAsync(0).ConfigureAwait(false)).Where(kept => kept % 2 == 1).Reverse().Take(100);
        t.Are(Enumerable.Range(1, t.Rounds).Select(i => seq - (2 * i)).Take(100), kept, "each decision once");
    }

    public static async Task AWriterThatLostItsLeaseDisturbsNoRecordOfItsSuccessor(StoreTrial t)
    {
        // Many small records take longer to write than one large one, which overtakes them.
        JournalEntry[] many = [.. Enumerable.Range(10, 300).Select(seq => Decision(seq))], one = [Decision(1000, new string('b', 30_000))];
        JournalEntry before = Decision(1, new string('x', 120_000)), room = Decision(2);
        for (int round = 0; round < t.Rounds; round += 5)   // each is long, and so is the moment in which it can be disturbed
        {
            Lease old = await t.CreateAsync().ConfigureAwait(false);
            await t.AppendAsync(old, before).ConfigureAwait(false);
            await t.AppendAsync(old, room).ConfigureAwait(false);
            t.Time.Advance(StoreTrial.Ttl);
            (AppendResult late, AppendResult next) = await t.RaceAsync(
                () => t.AppendAsync(old, many),
                async () => await t.AppendAsync(await t.TakeAsync().ConfigureAwait(false), one).ConfigureAwait(false)).ConfigureAwait(false);
            t.Is(AppendResult.Appended, next, $"round {round}");
            JournalEntry[] expected = late == AppendResult.Appended ? [.. many, .. one] : one;
            List<JournalEntry> read = await t.ReadAsync(3).ConfigureAwait(false);
            t.Is(expected.Length, read.Count, $"{late}, round {round}");
            t.Holds(expected.Zip(read).All(pair => pair.First.Utf8.Span.SequenceEqual(pair.Second.Utf8.Span)), $"{late}, round {round}");
            t.Time.Advance(StoreTrial.Ttl);
            await t.Store.DeleteAsync(await t.TakeAsync().ConfigureAwait(false), Tombstone.Deleted).ConfigureAwait(false);
        }
    }

    public static async Task ConcurrentAppendsWithOneLeaseCorruptNothing(StoreTrial t)
    {
        Lease lease = await t.CreateAsync().ConfigureAwait(false);
        List<string> expected = [];
        for (int round = 0; round < t.Rounds; round++)
        {
            long seq = 1 + (2L * round);
            JournalEntry[] a = [Decision(seq, $"a{round}"), Decision(seq + 1, new string('a', 4000 + (round % 97)))];
            JournalEntry[] b = [Decision(seq, $"bbbbbb{round}"), Decision(seq + 1, new string('b', 4000 + (round % 31)))];
            (AppendResult mine, AppendResult yours) = await t.RaceAsync(
                () => t.AppendAsync(lease, a), () => t.AppendAsync(lease, b)).ConfigureAwait(false);
            t.Are([AppendResult.Appended, AppendResult.SeqConflict], Sorted(mine, yours), $"round {round}");
            expected.AddRange((mine == AppendResult.Appended ? a : b).Select(e => Text(e.Utf8)));
        }

        List<JournalEntry> read = await t.ReadAsync(1).ConfigureAwait(false);
        t.Holds(expected.SequenceEqual(read.Select(e => Text(e.Utf8))), "every record is one that was appended");
    }

    private static T[] Sorted<T>(T one, T other) => Comparer<T>.Default.Compare(one, other) < 0 ? [one, other] : [other, one];
}
