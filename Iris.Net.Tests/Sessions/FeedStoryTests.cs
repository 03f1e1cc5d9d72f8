using Iris.Net.Journal;
using Iris.Net.Sessions;
using Iris.Net.Stores;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Sessions;

/// <summary>What a feed tells of attempts that failed before one committed: each record once, whichever of them were followed.</summary>
internal sealed class FeedStoryTests
{
    [Test]
    public async Task EachRecordIsToldOnceWhoeverWasFollowed(
        [Values] bool isFile, [Values] bool isSameRequest, [Values(1, 2, 3)] int failures)
    {
        List<string> wrong = [];
        for (int followed = 0; followed < 2 << failures; followed++)
        {
            using TempDirectory directory = new();
            await using FileStateStore? file = isFile ? new FileStateStore(directory.Path) : null;
            await using SessionTester host = new(store: file);
            SessionTesterClient client = host.Client();
            await client.SendAsync();
            EventCursor? at = await new SessionFeed(host.Sessions, client.Id, follows: false).LastAsync();
            for (int i = 0; i <= failures; i++)
            {
                int steps = isSameRequest ? i + 1 : 1;
                bool fails = i < failures;
                host.Program = async (turn, cancel) =>
                {
                    for (int step = 0; step < steps; step++)
                        await turn.StepAsync($"s{step}", (_, _) => ValueTask.FromResult(SessionTester.Json("1")), cancel: cancel);
                    return fails ? throw new InvalidOperationException() : TurnOutcome.ParkedOnUser();
                };
                RunningTurn turn = await client.BeginAsync(isSameRequest ? "{}" : $"[{i}]");
                if ((followed >> i & 1) == 1)
                    turn.Events.Keep();
                client.Take(await turn.RunAsync());
            }

            IStateStore store = host.Sessions.Settings.Store;
            long[] kept = await store.ReadAsync(client.Id, at!.Value.Seq + 1)
                .Where(e => e.IsPublic).Select(e => e.Seq).ToArrayAsync();
            List<FeedEvent> told = await new SessionFeed(host.Sessions, client.Id, follows: false).ReadAsync(at).ToListAsync();
            string story = string.Join(' ', told.Select(e => e.Kind == FeedKind.Gap ? $"gap({e.Lost})" : $"{e.Kind}@{e.At.Seq}"));
            if (!told.Where(e => e.Kind == FeedKind.Record).Select(e => e.At.Seq).SequenceEqual(kept)
                || told.Count(e => e.Kind == FeedKind.End) != 1 || told[^1].Kind != FeedKind.End)
                wrong.Add($"{Convert.ToString(followed, 2).PadLeft(failures + 1, '0')}: kept {string.Join(' ', kept)}; {story}");
            for (int i = 1; i < told.Count; i++)
            {
                List<FeedEvent> rest =
                    await new SessionFeed(host.Sessions, client.Id, follows: false).ReadAsync(told[i].At).ToListAsync();
                long[] seqs = [.. rest.Where(e => e.Kind == FeedKind.Record).Select(e => e.At.Seq)];
                if (!rest.Exists(e => e.Kind == FeedKind.Gap && e.Lost != Loss.Delta)
                    && !seqs.SequenceEqual(kept.Where(seq => seq > told[i].At.Seq)))
                    wrong.Add($"{followed:b} from {told[i].At.Seq}: {string.Join(' ', seqs)} of {string.Join(' ', kept)}");
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    // The store has the lease back before an attempt is over here: others may have ended by then.
    [Test]
    public async Task WhatStandsAroundAnAttemptThatIsRememberedLateIsToldAllTheSame([Values] bool isFollowed)
    {
        await using SessionTester host = new();
        SessionTesterClient client = host.Client();
        List<AttemptEvents> known = [];
        for (int i = 0; i < 4; i++)
        {
            int last = i;
            host.Program = async (turn, cancel) =>
            {
                for (int step = 0; step <= last; step++)
                    await turn.StepAsync($"s{step}", (_, _) => ValueTask.FromResult(SessionTester.Json("1")), cancel: cancel);
                return last < 3 ? throw new InvalidOperationException() : TurnOutcome.ParkedOnUser();
            };
            RunningTurn turn = await client.BeginAsync();
            turn.Events.Keep();
            client.Take(await turn.RunAsync());
            known.Add(turn.Attended);
        }

        SessionHead head = (await host.Memory.FindAsync(client.Id))!;
        List<JournalledAttempt> attempts =
            await JournalledAttempt.ReadAsync(host.Memory.ReadAsync(client.Id, 0), long.MaxValue, head);
        JournalledAttempt.Merge(attempts, known[3], isLive: false);
        if (isFollowed)
            JournalledAttempt.Merge(attempts, known[2], isLive: false);
        JournalledAttempt.Merge(attempts, known[1], isLive: false);
        Assert.That(attempts.Select(attempt => attempt.Events), Is.EqualTo(
            (TurnEvents?[])[null, known[1].Events, isFollowed ? known[2].Events : null, known[3].Events]));
        Assert.That(attempts.Select(attempt => attempt.LastSeq), Is.EqualTo(known.Select(attempt => attempt.Events.PublishedSeq))
            .Using<long, long>((last, published) => last == published || last == published - 1), "a turn's end is not public");
    }
}
