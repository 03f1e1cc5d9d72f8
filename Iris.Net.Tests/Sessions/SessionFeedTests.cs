using Iris.Net.Journal;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>What a feed tells whoever comes to it late: turns began and ended meanwhile.</summary>
internal sealed class SessionFeedTests
{
    private static readonly TurnProgram Steps = async (turn, cancel) =>
    {
        await turn.DeltaAsync($"t{turn.Attempt}", cancel);
        await StepAsync(turn);
        return TurnOutcome.ParkedOnUser();
    };

    private static readonly TurnProgram Throws = async (turn, _) =>
    {
        await StepAsync(turn);
        throw new InvalidOperationException();
    };

    private static async Task StepAsync(TurnContext turn) =>
        await turn.StepAsync("s", (_, _) => ValueTask.FromResult(SessionTester.Json("1")));

    private static async Task<List<FeedEvent>> ReadToRestAsync(IAsyncEnumerator<FeedEvent> feed)
    {
        List<FeedEvent> told = [];
        while (await feed.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)) && feed.Current.Kind != FeedKind.Rest)
            told.Add(feed.Current);
        return told;
    }

    private static IEnumerable<long> Records(IEnumerable<FeedEvent> told) => told.Where(e => e.Kind == FeedKind.Record).Select(e => e.At.Seq);

    private static IEnumerable<TurnStatus> Ends(IEnumerable<FeedEvent> told) => told.Where(e => e.Kind == FeedKind.End).Select(e => e.End!.Status);

    [Test]
    public async Task AnAttemptThatWasToldIsNotToldAgain([Values] bool isDurable, [Values] bool isCancelled)
    {
        await using SessionTester host = new(Steps, wrap: store => isDurable ? new DurableMemory(store) : store);
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        await using IAsyncEnumerator<FeedEvent> feed = new SessionFeed(host.Sessions, client.Id, follows: true).ReadAsync(null).GetAsyncEnumerator();
        List<FeedEvent> told = await ReadToRestAsync(feed);
        host.Program = Throws;
        await client.SendAsync();
        told.AddRange(await ReadToRestAsync(feed));
        if (isCancelled)   // where nothing runs, which closes the request
            Assert.That((await host.Sessions.Cancels.CancelAsync(client.Id, client.Token, null)).Refused.Refusal, Is.EqualTo(Refusal.None));
        host.Program = Steps;
        await client.SendAsync();
        told.AddRange(await ReadToRestAsync(feed));
        Assert.That(Records(told), Is.Unique.And.Ordered);
        Assert.That(told.Count(e => e is { Kind: FeedKind.Gap, Lost: Loss.Attempt }), Is.EqualTo(1), "the turn began again once");
    }

    [Test]
    public async Task AnAttemptThatLeftNoTraceIsToldAllTheSame()
    {
        FullStore full = null!;
        await using SessionTester host = new(Steps, wrap: store => full = new(store));
        SessionTesterClient client = host.Client();
        await client.SendAsync();
        await using IAsyncEnumerator<FeedEvent> feed = new SessionFeed(host.Sessions, client.Id, follows: true).ReadAsync(null).GetAsyncEnumerator();
        await ReadToRestAsync(feed);
        full.IsFull = true;
        await client.SendAsync();
        await client.SendAsync();
        full.IsFull = false;
        host.Program = (_, _) => throw new InvalidOperationException();
        await client.SendAsync();
        host.Program = Steps;
        await client.SendAsync();
        Assert.That(
            Ends(await ReadToRestAsync(feed)),
            Is.EqualTo((TurnStatus[])[TurnStatus.StoreUnavailable, TurnStatus.StoreUnavailable, TurnStatus.Failed, TurnStatus.Parked]));
        full.IsFull = true;
        await client.SendAsync();
        Assert.That(Ends(await ReadToRestAsync(feed)), Is.EqualTo((TurnStatus[])[TurnStatus.StoreUnavailable]));
        full.IsFull = false;
        host.Program = (_, _) => throw new InvalidOperationException();
        await client.SendAsync();
        Assert.That(Ends(await ReadToRestAsync(feed)), Is.EqualTo((TurnStatus[])[TurnStatus.Failed]), "it stands where the one before stood");
    }

    [Test]
    public async Task TheEndOfAFirstAttemptThatLeftNoTraceIsToldOnce()
    {
        FullStore full = null!;
        await using SessionTester host = new(Steps, wrap: store => full = new(store));
        SessionTesterClient client = host.Client();
        full.IsFull = true;
        await client.SendAsync();
        full.IsFull = false;
        TurnEnd receipt = (await client.AskAsync()).Replayed!.End;
        Assert.That((receipt.Status, receipt.Reason), Is.EqualTo((TurnStatus.Aborted, AbortReason.Crashed)));
        foreach (bool follows in (bool[])[false, true])
        {
            await using IAsyncEnumerator<FeedEvent> feed = new SessionFeed(host.Sessions, client.Id, follows).ReadAsync(null).GetAsyncEnumerator();
            List<FeedEvent> told = await ReadToRestAsync(feed);
            Assert.That(told.Select(e => e.Kind), Is.EqualTo((FeedKind[])[FeedKind.Start, FeedKind.End]));
            Assert.That((told[^1].End!.Status, told[^1].End!.Reason), Is.EqualTo((receipt.Status, receipt.Reason)));
            await using IAsyncEnumerator<FeedEvent> behind =
                new SessionFeed(host.Sessions, client.Id, follows: false).ReadAsync(told[^1].At).GetAsyncEnumerator();
            Assert.That(await behind.MoveNextAsync(), Is.False, "there is nothing more");
        }
    }

    // The store has the lease back before the attempt is over here: the next one may have committed by then.
    [Test]
    public async Task AnAttemptThatIsEndingIsNotTakenForTheOneThatCommitted()
    {
        await using SessionTester host = new(Throws);
        SessionTesterClient client = host.Client();
        RunningTurn first = await client.BeginAsync();
        client.Take(await first.RunAsync());
        host.Program = Steps;
        RunningTurn second = await client.BeginAsync("[]");
        second.Events.Keep();
        await second.RunAsync();
        TurnEvents ending = new(host.Time, host.Sessions.EventLimits, _ => { });
        ending.Begin(first.StartSeq);
        ending.Publish(first.Events.PublishedSeq);
        ending.EndsUncommitted = first.Events.EndsUncommitted;
        ending.Keep();
        SessionHead head = (await host.Memory.FindAsync(client.Id))!;
        List<JournalledAttempt> attempts = await JournalledAttempt.ReadAsync(host.Memory.ReadAsync(client.Id, 0), long.MaxValue, head);
        JournalledAttempt.Merge(attempts, first.Attended with { Events = ending }, isLive: false);
        JournalledAttempt.Merge(attempts, second.Attended, isLive: false);
        Assert.That(attempts.Single(attempt => attempt.IsCommitted).Events, Is.SameAs(second.Events));
    }

    private sealed class FullStore(IStateStore inner) : PassingStore(inner)
    {
        public bool IsFull { get; set; }

        public override ValueTask<AppendResult> AppendAsync(
            Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default) =>
            IsFull ? throw new IOException("The disk is full.") : base.AppendAsync(lease, entries, commit, flush, cancel);
    }
}
