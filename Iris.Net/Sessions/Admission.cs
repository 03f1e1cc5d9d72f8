using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>What became of a request to run a turn: a turn that is ready to run, one that runs already, the end of one that ran
/// before, a refusal, or the failure of a session that could not be made.</summary>
internal readonly struct Admission
{
    public Refusal Refusal { get; private init; }

    /// <summary>Whether the refused token opens the receipt of the turn that it started.</summary>
    public bool CanRecover { get; init; }

    /// <summary>The unknown session that was there once; null where nothing is known of one.</summary>
    public GoneSession? Gone { get; init; }

    /// <summary>Where another process holds the session: that as the end of an attempt. Null otherwise.</summary>
    public PastTurn? Contended { get; init; }

    /// <summary>The turn; null where there is none. Whoever got it runs it.</summary>
    public RunningTurn? Turn { get; private init; }

    /// <summary>The turn that the same request runs already; null where it runs none.</summary>
    public RunningTurn? Attached { get; private init; }

    /// <summary>What the same request ended with before; null where it did not.</summary>
    public PastTurn? Replayed { get; private init; }

    /// <summary>What the client is told where the host's own ids or tokens failed; null otherwise.</summary>
    public TurnEnd? Failure { get; private init; }

    public static Admission Attach(RunningTurn turn) => new() { Attached = turn };

    public static implicit operator Admission(Refusal refusal) => new() { Refusal = refusal };

    public static implicit operator Admission(RunningTurn turn) => new() { Turn = turn };

    public static implicit operator Admission(PastTurn past) => new() { Replayed = past };

    public static implicit operator Admission(TurnEnd failure) => new() { Failure = failure };
}

/// <summary>A session that is gone, and why.</summary>
internal sealed record GoneSession(SessionId Id, Tombstone Why)
{
    /// <summary>The reason as clients have it.</summary>
    public string Reason => Why == Tombstone.Expired ? "expired" : "deleted";
}

/// <summary>A client's turn that is over.</summary>
/// <param name="SessionId">Whose it was.</param>
/// <param name="Number">Its number.</param>
/// <param name="FirstSeq">Where its records begin.</param>
/// <param name="NextSeq">Where those of the next one may begin.</param>
/// <param name="End">How it ended.</param>
internal sealed record PastTurn(SessionId SessionId, long Number, long FirstSeq, long NextSeq, TurnEnd End);
