using System.Collections.Concurrent;
using Iris.Net.Stores;
using Iris.Net.Stores.Conformance;

namespace Iris.Net.Tests.Stores;

/// <summary>The checks can fail: each wrong store breaks the promise that it is wrong about.</summary>
internal sealed class WrongStoreTests
{
    private static readonly StoreOpener Kept = Keeping(time => new KeptStore(new MemoryStateStore(time: time)));

    private static IEnumerable<TestCaseData> Wrong()
    {
        yield return Case(nameof(Races.OneOfTwoPresentersBegins), (inner, _) => new ClaimsInTwoSteps(inner));
        yield return Case(nameof(Claims.AClaimIsJudgedUnknownThenStaleThenHeldThenBegun), (inner, _) => new TakesAnyGuard(inner));
        yield return Case(nameof(Claims.OnlyTheWholeGuardOpens), (inner, _) => new TakesAnyGuard(inner));
        yield return Case(nameof(Leases.ALapsedLeaseIsHeldByNobody), (inner, _) => new NeverLetsALeaseLapse(inner));
        yield return Case(nameof(Leases.AWriterThatLostItsLeaseIsRefusedWhateverItBelieves), (inner, _) => new ChecksNoFence(inner));
        yield return Case(nameof(Races.OfAnOldWriterAndWhoTookItsLeaseOneCommits), (inner, _) => new ChecksNoFence(inner));
        yield return Case(nameof(Leases.WhoseADeletedSessionWasIsToldWithWhyItIsGone), (inner, _) => new ForgetsWhoseItWas(inner));
        yield return Case(nameof(Journals.SeqsRiseBeyondTheJournalsLast), (inner, _) => new ChecksNoSeq(inner));
        yield return Case(nameof(Journals.SeqsRiseWithinAnAppend), (inner, _) => new ChecksNoSeq(inner));
        yield return Case(nameof(Races.ConcurrentAppendsWithOneLeaseCorruptNothing), (inner, _) => new ChecksNoSeq(inner));
        yield return Case(
            nameof(Journals.RecordsComeBackAsTheyWereWrittenThoughTheirMemoryIsUsedAgain), (inner, _) => new CopiesNothing(inner));
        yield return Case(nameof(Mails.ACancelIsAcceptedWhereItsFenceHoldsTheLease), (inner, _) => new ForgetsCancels(inner));
        yield return Case(nameof(Races.OfACommitAndACancelOneIsTooLate), (inner, _) => new CancelsInTwoSteps(inner));
        yield return Case(nameof(Mails.ASignalIsAcceptedOnceForTheWaitOfTheLastCommit), (inner, _) => new AcceptsASignalTwice(inner));
        yield return Case(nameof(Races.OfTwoSignalsOneIsAccepted), (inner, _) => new AcceptsASignalTwice(inner));
        yield return Case(nameof(Lists.SessionsAreDueByTimerOrMailWhileNobodyHoldsThem), (inner, _) => new ShowsWhatIsHeldAsDue(inner));
        yield return Case(nameof(Lists.SessionsThatNobodyUsedAreIdle), (inner, time) => new KeepsNoPendingWorkFromRetention(inner, time));
        yield return Case(nameof(Lists.TheKeyStays), (inner, _) => new MakesAKeyForEveryAsker(inner));
    }

    [TestCaseSource(nameof(Wrong))]
    public void AWrongStoreIsFound(string check, Func<IStateStore, TimeProvider, IStateStore> wrong) =>
        Fails(check, (_, time, _) => new(wrong(new MemoryStateStore(time: time), time)));

    [TestCase(nameof(Restarts.WhatWasAppendedDurablyIsThereAfterARestart))]
    [TestCase(nameof(Restarts.AnOpenRequestIsWholeAfterARestart))]
    [TestCase(nameof(Restarts.TheKeyStaysOverARestart))]
    [TestCase(nameof(Restarts.PendingWorkIsDueAfterARestart))]
    [TestCase(nameof(Restarts.ASignalIsAcceptedOnceOverARestart))]
    [TestCase(nameof(Restarts.ADeletedSessionStaysDeletedOverARestart))]
    [TestCase(nameof(Restarts.FencesRiseOverARestart))]
    [TestCase(nameof(Restarts.IdlenessIsCountedOverARestart))]
    [TestCase(nameof(Sharing.LeasesHoldForEveryProcess))]
    [TestCase(nameof(Sharing.MailReachesWhoeverRunsTheSession))]
    [TestCase(nameof(Sharing.OfTwoProcessesOneBegins))]
    public void AStoreThatForgetsIsFound(string check) =>
        Fails(check, (_, time, _) => new(new KeptStore(new MemoryStateStore(time: time))));

    [TestCaseSource(typeof(StoreConformanceTests), nameof(StoreConformanceTests.Checks))]
    public async Task AStoreThatKeepsItsPlacePasses(StoreCheck check) =>
        Assert.That(await check.RunAsync(Kept, rounds: 100), Is.EqualTo(check.Name != nameof(Journals.PrivateRecordsStayWhereTheStoreSaysSo)));

    [Test]
    public void AFailureSaysWhatWasExpectedAndSeenOfWhichPromise()
    {
        StoreConformanceException failure = Fails(
            nameof(Claims.OnlyTheWholeGuardOpens), (_, time, _) => new(new TakesAnyGuard(new MemoryStateStore(time: time))));
        Assert.That((failure.Expected, failure.Seen, failure.What), Is.EqualTo(("Stale", "Begun", failure.What)));
        Assert.That(failure.Message, Does.StartWith("OnlyTheWholeGuardOpens: ").And.EndsWith("(T): expected Stale, seen Begun."));
    }

    [Test]
    public void EveryCheckHasANameOfItsOwn() => Assert.That(StoreConformance.Checks.Select(check => check.Name), Is.Unique);

    [Test]
    public void FewerThanOneRoundIsRefused() => Assert.That(
        () => StoreConformance.Checks[0].RunAsync(Kept, rounds: 0), Throws.InstanceOf<ArgumentOutOfRangeException>());

    private static StoreConformanceException Fails(string check, StoreOpener open)
    {
        StoreConformanceException failure = Assert.ThrowsAsync<StoreConformanceException>(
            () => StoreConformance.Checks.Single(c => c.Name == check).RunAsync(open, rounds: 20_000))!;
        Assert.That(failure.Check, Is.EqualTo(check));
        return failure;
    }

    private static StoreOpener Keeping(Func<TimeProvider, IStateStore> make)
    {
        ConcurrentDictionary<string, IStateStore> places = [];
        return (place, time, _) => new(places.GetOrAdd(place, _ => make(time)));
    }

    private static TestCaseData Case(string check, Func<IStateStore, TimeProvider, IStateStore> wrong) =>
        new TestCaseData(check, wrong).SetArgDisplayNames(check);
}
