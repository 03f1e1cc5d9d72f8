using System.Text;
using Iris.Net.Sessions;
using Iris.Net.Tests.Stores;

namespace Iris.Net.Tests.Sessions;

internal sealed class TurnEventsTests
{
    private static readonly EventLimits Small = new(Lasting: 100, LastingFor: TimeSpan.FromSeconds(1), Most: 400) { JoinedFrom = 1000 };
    private static readonly TurnEnd SomeEnd = TurnEnd.Aborted(AbortReason.Failed, default);

    private readonly ManualTime _time = new();

    private TurnEvents Make(EventLimits? limits = null) => new(
        _time, limits ?? new(1 << 20, TimeSpan.FromSeconds(1), 4 << 20), work => ThreadPool.UnsafeQueueUserWorkItem(work, false));

    private static void Delta(TurnEvents events, int bytes) => events.Append(EventKind.Delta, new byte[bytes]);

    private static void Text(TurnEvents events, string text) => events.Append(EventKind.Delta, Encoding.UTF8.GetBytes(text));

    // As a turn's journal does it, which encodes nothing for nobody.
    private static void Record(TurnEvents events, long seq)
    {
        events.Publish(seq);
        if (events.IsFollowed)
            events.Append(EventKind.Record, "r"u8.ToArray(), seq);
    }

    private static List<string> Read(EventReader reader)
    {
        List<string> read = [];
        while (reader.TryRead(out EventKind kind, out ReadOnlySpan<byte> json))
            read.Add($"{kind} {Encoding.UTF8.GetString(json)}");
        return read;
    }

    [Test]
    public void AReaderGetsWhatComesAfterItInOrder()
    {
        TurnEvents events = Make();
        using EventReader first = events.Attach();
        Text(events, "1");
        events.Append(EventKind.Record, "r"u8.ToArray(), 1);
        using EventReader second = events.Attach();
        Assert.That(Read(first), Is.EqualTo((string[])["Delta 1", "Record r"]));
        Text(events, "2");
        Assert.That(Read(first), Is.EqualTo((string[])["Delta 2"]));
        Assert.That(Read(second), Is.EqualTo((string[])["Delta 2"]));
        Assert.That(Read(second), Is.Empty);
    }

    [Test]
    public void EventsBeforeTheFirstReaderAreNobodys()
    {
        TurnEvents events = Make();
        Text(events, "lost");
        using EventReader reader = events.Attach();
        Text(events, "1");
        Assert.That(Read(reader), Is.EqualTo((string[])["Delta 1"]));
    }

    [Test]
    public void TextThatComesTogetherWithAReaderReachesItOrIsKnownToBeLost()
    {
        TurnEvents events = Make();
        EventReader reader = null!;
        bool isLost = false;
        Rendezvous.Run(
            50_000,
            _ => events = Make(),
            _ => (reader, isLost) = (events.Attach(), events.HadDeltas),
            _ => events.AppendDelta("x"),
            round => Assert.That(isLost || Read(reader).Count == 1, $"round {round}"));
    }

    [Test]
    public void ARecordThatComesTogetherWithAReaderReachesItOrIsInTheJournal()
    {
        TurnEvents events = Make();
        EventReader reader = null!;
        long published = 0;
        Rendezvous.Run(
            20_000,
            _ => events = Make(),
            _ => published = (reader = events.Attach()).Place.Seq,
            _ => Record(events, 7),
            round => Assert.That(published == 7 || Read(reader).Count == 1, $"round {round}"));
    }

    [Test]
    public void ARecordThatComesTogetherWithAFollowerReachesItOrStandsBeforeIt()
    {
        TurnEvents events = Make();
        EventReader reader = null!;
        EventPlace from = default;
        Rendezvous.Run(
            200_000,
            _ => (events = Make()).Publish(6),
            _ => reader = events.Attach(new(6, 0), out from, out bool _),
            _ => Record(events, 7),
            round => Assert.That(from.Seq == 7 || Read(reader).Count == 1, $"round {round}"));
    }

    [Test]
    public void TextThatComesTogetherWithAFollowerReachesItOrIsSaidToBeLost()
    {
        TurnEvents events = Make();
        EventReader reader = null!;
        bool isLost = false;
        Rendezvous.Run(
            200_000,
            _ => (events = Make()).Publish(6),
            _ => reader = events.Attach(new(6, 0), out EventPlace _, out isLost),
            _ => events.AppendDelta("x"),
            round => Assert.That(isLost || Read(reader).Count == 1, $"round {round}"));
    }

    [Test]
    public void WhoeverComesBackFindsARecordOrStandsBehindIt()
    {
        TurnEvents events = Make();
        Assert.That(events.IsFollowed, Is.False);
        events.Attach().Dispose();
        Assert.That(events.IsFollowed);   // whoever left may come back
        events.Publish(7);
        events.Append(EventKind.Record, "r"u8.ToArray(), 7);
        using EventReader reader = events.Attach(new(0, 0), out EventPlace from, out bool isLost);
        Assert.That((from, isLost, Read(reader).Count), Is.EqualTo((new EventPlace(7, 0), false, 0)));
    }

    [Test]
    public void TextOfBeforeTheFirstReaderIsLostAtItsOwnPlace()
    {
        TurnEvents events = Make();
        events.Publish(6);
        events.AppendDelta("x");
        using EventReader reader = events.Attach(new(6, 0), out EventPlace from, out bool isLost);
        Assert.That((from, isLost), Is.EqualTo((new EventPlace(6, 1), true)));
        events.AppendDelta("y");
        Assert.That(reader.TryRead(out _, out _));
        Assert.That(reader.Place, Is.EqualTo(new EventPlace(6, 2)));
    }

    [Test]
    public void TheEndComesAfterAllEvents()
    {
        TurnEvents events = Make();
        using EventReader reader = events.Attach();
        Text(events, "1");
        Assert.That(reader.End, Is.Null);
        events.Finish(SomeEnd);
        Assert.That(reader.End, Is.Null, "there is an event before it");
        Read(reader);
        Assert.That(reader.End, Is.SameAs(SomeEnd));
        using EventReader late = events.Attach();
        Assert.That(late.End, Is.SameAs(SomeEnd));
    }

    [Test]
    public async Task AWaitEndsWithAnEventTheEndOrACut()
    {
        TurnEvents events = Make(Small);
        using EventReader reader = events.Attach();
        for (int i = 0; i < 3; i++)
        {
            Task wait = reader.WaitAsync().AsTask();
            Assert.That(wait.IsCompleted, Is.False);
            Text(events, $"{i}");
            await wait.WaitAsync(TimeSpan.FromSeconds(30));
            Assert.That(Read(reader), Is.EqualTo((string[])[$"Delta {i}"]));
        }

        Text(events, "ready");
        Assert.That(reader.WaitAsync().IsCompletedSuccessfully, "there is one already");
        Read(reader);
        Task end = reader.WaitAsync().AsTask();
        events.Finish(SomeEnd);
        await end.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(reader.WaitAsync().IsCompletedSuccessfully, "it stays ended");
    }

    [TestCase(400, false)]
    [TestCase(401, true)]
    public void AReaderIsCutBeyondTheMostThatMayWait(int waiting, bool isCut)
    {
        TurnEvents events = Make(Small);
        using EventReader reader = events.Attach();
        Delta(events, 101);
        Delta(events, waiting - 101);
        Assert.That(reader.IsCut, Is.EqualTo(isCut));
    }

    [TestCase(100, 1001, false)]
    [TestCase(101, 1000, false)]
    [TestCase(101, 1001, true)]
    public void AReaderIsCutWhereTooMuchWaitsForTooLong(int waiting, int milliseconds, bool isCut)
    {
        TurnEvents events = Make(Small);
        using EventReader reader = events.Attach();
        Delta(events, waiting);
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        Delta(events, 0);
        Assert.That(reader.IsCut, Is.EqualTo(isCut));
    }

    [Test]
    public void ACutReaderGetsNothingMoreAndNoEnd()
    {
        TurnEvents events = Make(Small);
        using EventReader slow = events.Attach(), quick = events.Attach();
        for (int i = 0; i < 5; i++)
        {
            Delta(events, 101);
            Read(quick);
        }

        events.Finish(SomeEnd);
        Assert.That((slow.IsCut, quick.IsCut), Is.EqualTo((true, false)));
        Assert.That(Read(slow), Is.Empty);
        Assert.That(slow.End, Is.Null);
        Assert.That(slow.WaitAsync().IsCompletedSuccessfully);
        Assert.That(quick.End, Is.Not.Null);
    }

    [Test]
    public async Task ACutWakesTheReaderThatWaits()
    {
        TurnEvents events = Make(Small);
        using EventReader reader = events.Attach();
        Task wait = reader.WaitAsync().AsTask();
        Delta(events, 101);
        Delta(events, 300);
        await wait.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.That(reader.IsCut);
    }

    [Test]
    public void ACutLeavesThePlaceOfWhatWasTakenBefore()
    {
        TurnEvents events = Make(Small);
        using EventReader reader = events.Attach();
        Delta(events, 10);
        Assert.That(reader.TryRead(out _, out _));
        Delta(events, 101);
        Delta(events, 400);
        Assert.That(reader.IsCut);
        Assert.That(reader.Place, Is.EqualTo(new EventPlace(0, 1)), "whoever comes back from there gets the rest");
    }

    [Test]
    public void NothingComesBehindTheEnd()
    {
        TurnEvents events = Make();
        using EventReader reader = events.Attach();
        events.AppendDelta("1");
        events.Finish(SomeEnd);
        EventPlace end = events.EndPlace();
        events.AppendDelta("late");
        Assert.That((events.EndPlace(), Read(reader).Count), Is.EqualTo((end, 1)));
        Assert.That(reader.End, Is.SameAs(SomeEnd));
    }

    [Test]
    public void NothingIsJoinedToThePlaceThatWasTold()
    {
        TurnEvents events = Make(new(1000, TimeSpan.FromSeconds(1), 4000) { JoinedFrom = 0, Remembered = 1000 });
        using EventReader slow = events.Attach();
        events.AppendDelta("a");
        events.AppendDelta("b");
        EventPlace last = events.LastPlace();
        events.AppendDelta("c");
        using EventReader reader = events.Attach(last, out _, out _);
        Assert.That(string.Concat(Read(reader)), Is.EqualTo("Delta {\"type\":\"delta\",\"text\":\"c\"}"));
    }

    [Test]
    public void WhatIsToldByTheJournalStandsBeforeAllThatTheReaderGets()
    {
        TurnEvents events = Make();
        events.Publish(0);
        events.Keep();
        events.Publish(2);
        using EventReader reader = events.Attach();
        long published = reader.Place.Seq;
        events.AppendDelta("beside the step");
        events.Append(EventKind.Record, "r"u8.ToArray(), 2);
        List<EventPlace> places = [];
        while (reader.TryRead(out _, out _))
            places.Add(reader.Place);
        Assert.That(places.All(place => place.Seq >= published), $"{string.Join(' ', places.Select(place => place.Seq))} behind {published}");
        Assert.That(places[^1].Seq, Is.EqualTo(2));
    }

    [Test]
    public void RecordsDoNotCount()
    {
        TurnEvents events = Make(Small);
        using EventReader reader = events.Attach();
        for (int i = 0; i < 10; i++)
        {
            events.Append(EventKind.Record, new byte[1000], i + 1);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.That(reader.IsCut, Is.False);
        Assert.That(Read(reader), Has.Count.EqualTo(10));
    }

    [Test]
    public void AReaderThatTookWhatWaitedBeginsAnew()
    {
        TurnEvents events = Make(Small);
        using EventReader reader = events.Attach();
        for (int i = 0; i < 5; i++)
        {
            Delta(events, 150);   // too much to last, and taken at once
            Read(reader);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.That(reader.IsCut, Is.False);
        Delta(events, 150);
        _time.Advance(TimeSpan.FromSeconds(1.1));
        Delta(events, 1);
        Assert.That(reader.IsCut, "this time nobody took it");
    }

    [Test]
    public void NoWakeIsLost()
    {
        TurnEvents events = Make();
        using EventReader reader = events.Attach();
        Task wait = Task.CompletedTask;
        Rendezvous.Run(
            20_000,
            _ => { },
            _ => events.Append(EventKind.Delta, []),
            _ => wait = reader.WaitAsync().AsTask(),
            round =>
            {
                Assert.That(wait.Wait(TimeSpan.FromSeconds(30)), $"round {round}");
                Assert.That(Read(reader), Has.Count.EqualTo(1));
            });
    }

    [Test]
    public async Task AReaderOnAnotherThreadMissesNothing()
    {
        TurnEvents events = Make(new(long.MaxValue, TimeSpan.FromHours(1), long.MaxValue) { JoinedFrom = long.MaxValue });
        using EventReader reader = events.Attach();
        Task<List<string>> reading = Task.Run(async () =>
        {
            List<string> read = [];
            while (true)
            {
                read.AddRange(Read(reader));
                if (reader.End is not null)
                    return read;
                await reader.WaitAsync();
            }
        });
        for (int i = 0; i < 20_000; i++)
        {
            Text(events, $"{i}");
            if (i % 100 == 0)
                await Task.Yield();
        }

        events.Finish(SomeEnd);
        Assert.That(
            await reading.WaitAsync(TimeSpan.FromSeconds(30)), Is.EqualTo(Enumerable.Range(0, 20_000).Select(i => $"Delta {i}")));
    }

    [Test]
    public async Task ATurnsEventsComeAsItsProgramMadeThem()
    {
        await using SessionTester host = new(async (turn, _) =>
        {
            await turn.DeltaAsync("a\"\n<ä😀\ud83d\u2028");
            await turn.StepAsync("s", async (_, _) =>
            {
                await turn.DeltaAsync("");
                return SessionTester.Json("{\n\"v\": 1}");
            });
            await turn.DeltaAsync("z");
            return TurnOutcome.ParkedOnSignal("go");
        });
        RunningTurn running = await host.Client().BeginAsync();
        using EventReader reader = running.Events.Attach();
        TurnEnd end = await running.RunAsync();
        List<string> read = Read(reader);
        Assert.That(read, Has.None.Contain("\n"), "each on one line");
        string[] expected =
        [
            "Delta delta", "Record record effect_intent", "Delta delta", "Record record effect_result", "Delta delta", "Record record marker",
        ];
        Assert.That(read.Select(Describe), Is.EqualTo(expected));
        Assert.That(
            SessionTester.Json(read[0][6..]).GetProperty("text").GetString(), Is.EqualTo("a\"\n<ä😀\uFFFD\u2028"));
        Assert.That(read.Where(e => e[0] == 'R').Select(e => SessionTester.Json(e[7..]).GetProperty("record").GetProperty("seq").GetInt64()), Is.Ordered.And.Unique);
        Assert.That(reader.End, Is.SameAs(end));

        static string Describe(string e)
        {
            int at = e.IndexOf(' ', StringComparison.Ordinal);
            System.Text.Json.JsonElement json = SessionTester.Json(e[at..]);
            Assert.That(e[(at + 1)..], Does.StartWith("{\"type\":"));
            string kind = json.TryGetProperty("record", out System.Text.Json.JsonElement record) ? $" {record.GetProperty("kind").GetString()}" : "";
            return $"{e[..at]} {json.GetProperty("type").GetString()}{kind}";
        }
    }

    [Test]
    public async Task AnAttemptThatFailsEndsItsEventsToo()
    {
        await using SessionTester host = new(async (turn, _) =>
        {
            await turn.DeltaAsync("x");
            throw new InvalidOperationException();
        });
        RunningTurn running = await host.Client().BeginAsync();
        using EventReader reader = running.Events.Attach();
        await running.RunAsync();
        Assert.That(Read(reader), Has.Count.EqualTo(1));
        Assert.That(reader.End!.Status, Is.EqualTo(TurnStatus.Failed));
    }

    [Test]
    public void DeltasOfASlowReaderAreJoinedAndOthersAreNot()
    {
        TurnEvents events = Make(new(1000, TimeSpan.FromSeconds(1), 4000) { JoinedFrom = 100 });
        using EventReader reader = events.Attach();
        foreach (char each in "abcd\"fghij")
            events.Append(EventKind.Delta, ChannelEvent.Delta($"{each}"));
        events.Append(EventKind.Record, "r"u8.ToArray(), 1);
        events.Append(EventKind.Delta, ChannelEvent.Delta("k"));
        events.Append(EventKind.Delta, ChannelEvent.Delta("\u00e9"));
        Assert.That(string.Concat(Read(reader)), Is.EqualTo(string.Concat(
            [.. "abcd".Select(each => Told($"{each}")), Told("\\\"fghij"), "Record r", Told("k\u00e9")])));
        events.Append(EventKind.Delta, ChannelEvent.Delta("l"));
        events.Append(EventKind.Delta, ChannelEvent.Delta("m"));
        Assert.That(string.Concat(Read(reader)), Is.EqualTo(Told("l") + Told("m")), "it has caught up");

        static string Told(string text) => $$"""Delta {"type":"delta","text":"{{text}}"}""";
    }

    [Test]
    public void JoinedDeltasCountTheirTextAlone()
    {
        TurnEvents events = Make(new(1000, TimeSpan.FromSeconds(1), 4000) { JoinedFrom = 100 });
        using EventReader slow = events.Attach();
        for (int i = 0; i < 3000; i++)
            events.Append(EventKind.Delta, ChannelEvent.Delta("x"));
        Assert.That(slow.IsCut, Is.False, "84,000 bytes as they came");
        for (int i = 0; i < 1500; i++)
            events.Append(EventKind.Delta, ChannelEvent.Delta("x"));
        Assert.That(slow.IsCut, Is.True);
    }

    [Test]
    public void NothingIsLostWhereAReaderTakesWhatIsBeingJoined()
    {
        const int count = 200_000;
        TurnEvents events = Make(new(long.MaxValue, TimeSpan.FromHours(1), long.MaxValue) { JoinedFrom = 0 });
        using EventReader reader = events.Attach();
        var text = new StringBuilder();
        bool done = false;
        var reading = Task.Run(() =>
        {
            bool last;
            do
            {
                last = Volatile.Read(ref done);
                while (reader.TryRead(out _, out ReadOnlySpan<byte> json))
                    text.Append(Encoding.UTF8.GetString(ChannelEvent.TextOf(json)));
            }
            while (!last);
        });
        for (int i = 0; i < count; i++)
            events.Append(EventKind.Delta, ChannelEvent.Delta($"{i % 10}"));
        Volatile.Write(ref done, true);
        Assert.That(reading.Wait(TimeSpan.FromSeconds(20)), Is.True);
        Assert.That(text.ToString(), Is.EqualTo(string.Concat(Enumerable.Range(0, count).Select(i => $"{i % 10}"))));
    }
}
