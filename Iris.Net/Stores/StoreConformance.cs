using System.Runtime.CompilerServices;
using Iris.Net.Stores.Conformance;

namespace Iris.Net.Stores;

/// <summary>What every store promises, as checks against the port alone: they need no test framework. A store that passes
/// all of them may stand behind a channel.</summary>
public static class StoreConformance
{
    /// <summary>Every check, in an order that is good to read: what comes later builds on what comes before.</summary>
    public static IReadOnlyList<StoreCheck> Checks { get; } =
    [
        Check(Claims.ANewSessionIsLeasedToItsMaker),
        Check(Claims.ATakenIdIsNotMadeAgain),
        Check(Claims.IdsAreComparedAsTheyStand),
        Check(Claims.AClaimIsJudgedUnknownThenStaleThenHeldThenBegun),
        Check(Claims.OnlyTheWholeGuardOpens),
        Check(Claims.TheEmptyGuardOpensAnySessionThatNobodyHolds),
        Check(Claims.ACommitTurnsTheGuardAndEndsTheLease),
        Check(Claims.AReleaseLeavesTheGuardAndTheRecords),
        Check(Claims.TheHeadComesBackWhole),
        Check(Leases.ALapsedLeaseIsHeldByNobody),
        Check(Leases.AWriterThatLostItsLeaseIsRefusedWhateverItBelieves),
        Check(Leases.ALapsedLeaseThatNobodyTookStillWrites),
        Check(Leases.ARenewedLeaseLastsFromThen),
        Check(Leases.AReleasedLeaseIsLost),
        Check(Leases.ADeletedSessionIsGone),
        Check(Leases.WhoseADeletedSessionWasIsToldWithWhyItIsGone),
        Check(Leases.ALeaseOfADeletedSessionDoesNotReachItsSuccessor),
        Check(Journals.SeqsRiseBeyondTheJournalsLast),
        Check(Journals.SeqsRiseWithinAnAppend),
        Check(Journals.RecordsComeBackAsTheyWereWrittenThoughTheirMemoryIsUsedAgain),
        Check(Journals.ReadingBeginsAtASeq),
        Check(Journals.PublicRecordsStayWhenTheirRequestIsOver),
        Check(Journals.PrivateRecordsStayWhereTheStoreSaysSo, traits => traits.KeepsPrivateRecords),
        Check(Journals.AReaderSeesNoHalfAppendAndIsNotDisturbedByLaterOnes),
        Check(Mails.ACancelIsAcceptedWhereItsFenceHoldsTheLease),
        Check(Mails.ACancelReachesNoLaterLease),
        Check(Mails.ASignalIsAcceptedOnceForTheWaitOfTheLastCommit),
        Check(Mails.ASignalIsNotAcceptedWhileSomebodyHoldsTheSession),
        Check(Lists.AnAcceptedRequestIsDueUntilItEndsOrIsPutOff),
        Check(Lists.SessionsAreDueByTimerOrMailWhileNobodyHoldsThem),
        Check(Lists.SessionsThatNobodyUsedAreIdle),
        Check(Lists.SessionsAreListedByStatusInOrdinalOrder),
        Check(Lists.TheKeyStays),
        Check(Races.OneOfTwoPresentersBegins),
        Check(Races.OfTwoMakersOneMakesTheSession),
        Check(Races.OfACommitAndACancelOneIsTooLate),
        Check(Races.OfASignalAndAClaimTheFirstIsSeenByTheOther),
        Check(Races.OfTwoSignalsOneIsAccepted),
        Check(Races.OfAnOldWriterAndWhoTookItsLeaseOneCommits),
        Check(Races.AWriterThatLostItsLeaseDisturbsNoRecordOfItsSuccessor),
        Check(Races.ConcurrentAppendsWithOneLeaseCorruptNothing),
        Check(Restarts.WhatWasAppendedDurablyIsThereAfterARestart, traits => traits.Durable),
        Check(Restarts.AnOpenRequestIsWholeAfterARestart, traits => traits.Durable),
        Check(Restarts.TheKeyStaysOverARestart, traits => traits.Durable),
        Check(Restarts.PendingWorkIsDueAfterARestart, traits => traits.Durable),
        Check(Restarts.ASignalIsAcceptedOnceOverARestart, traits => traits.Durable),
        Check(Restarts.ADeletedSessionStaysDeletedOverARestart, traits => traits.Durable),
        Check(Restarts.FencesRiseOverARestart, traits => traits.Durable),
        Check(Restarts.IdlenessIsCountedOverARestart, traits => traits.Durable),
        Check(Sharing.LeasesHoldForEveryProcess, traits => traits.Shared),
        Check(Sharing.MailReachesWhoeverRunsTheSession, traits => traits.Shared),
        Check(Sharing.OfTwoProcessesOneBegins, traits => traits.Shared),
    ];

    private static StoreCheck Check(
        Func<StoreTrial, Task> run, Func<StoreTraits, bool>? applies = null, [CallerArgumentExpression(nameof(run))] string name = "") =>
        new(name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..], run, applies ?? (_ => true));
}
