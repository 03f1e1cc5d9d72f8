using Iris.Net.Journal;

namespace Iris.Net.Sessions;

/// <summary>The head that a commit leaves.</summary>
internal static class NextHead
{
    /// <summary>What a turn makes of the head that it began with. A wake turn leaves all that is a client's as it is.</summary>
    /// <param name="turn">The turn.</param>
    /// <param name="outcome">Its outcome.</param>
    /// <param name="reply">What is answered, without names and tokens.</param>
    /// <param name="token">The next token, of a client's turn.</param>
    /// <param name="nextSeq">The seq behind the commit.</param>
    /// <param name="now">Unix milliseconds.</param>
    public static SessionHead After(
        RunningTurn turn, CommittedOutcome outcome, ReadOnlyMemory<byte> reply, in MintedToken token, long nextSeq, long now)
    {
        SessionHead before = turn.Head;
        bool isWake = turn.IsWake;
        return before with
        {
            Turn = turn.Number,
            NextSeq = nextSeq,
            Status = outcome is ParkedOutcome ? SessionStatus.Parked : SessionStatus.Finished,
            Wait = (outcome as ParkedOutcome)?.Wait,
            State = outcome.State.Utf8,
            Signals = turn.Signal is null ? before.Signals : new SignalCounts(before.Signals).After(turn.Signal),
            UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(now),
            LastWake = isWake ? WakeOf(turn, reply) : null,
            TailSeq = isWake ? turn.ClientSeq : 0,
            Guard = isWake ? before.Guard : token.Guard,
            Spent = isWake ? before.Spent : before.Guard,
            Sealed = isWake ? before.Sealed : token.Sealed,
            ClientTurns = before.ClientTurns + (isWake ? 0 : 1),
            Reply = isWake ? before.Reply : reply,
            RequestSeq = isWake ? before.RequestSeq : turn.FirstSeq,
            RequestKey = isWake ? before.RequestKey : turn.Key,
            RequestBody = isWake ? before.RequestBody : TurnRequest.DigestOf(turn.Key, turn.Request.Body),
        };
    }

    // What the client turn before was told is told again whatever wakes come.
    private static WakeCommit WakeOf(RunningTurn turn, ReadOnlyMemory<byte> reply) => turn.Head.LastWake is { } before
        ? before with { Reply = reply, FirstSeq = turn.FirstSeq }
        : new(reply, turn.FirstSeq, turn.Head.Turn, turn.Head.NextSeq,
            turn.Head.Wait?.Name is { } name ? new SignalCounts(turn.Head.Signals).Of(name) : 0);
}
