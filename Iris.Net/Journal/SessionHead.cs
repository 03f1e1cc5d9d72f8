namespace Iris.Net.Journal;

/// <summary>Where a session stands since its last commit.</summary>
public enum SessionStatus : byte
{
    /// <summary>Nothing has committed yet.</summary>
    New,

    /// <summary>The last turn parked.</summary>
    Parked,

    /// <summary>The last turn finished; the session may be continued all the same.</summary>
    Finished,
}

/// <summary>What a session's last commit left. A store keeps it whole and hands it back; only the journal's owner reads
/// more of it than the names below.</summary>
public sealed record SessionHead
{
    /// <summary>What the next presenter must present. A store compares it and learns nothing from it.</summary>
    public required ReadOnlyMemory<byte> Guard { get; init; }

    /// <summary>The guard before this one: what the last client turn was started with. Empty before the first.</summary>
    public ReadOnlyMemory<byte> Spent { get; init; }

    /// <summary>The current token, sealed, where the host makes tokens of its own; empty where it is derived.</summary>
    public ReadOnlyMemory<byte> Sealed { get; init; }

    /// <summary>How many turns committed, of every kind.</summary>
    public long Turn { get; init; }

    /// <summary>How many of them a client started.</summary>
    public long ClientTurns { get; init; }

    /// <summary>The seq after the commit's last record. Where the journal goes on beyond it, a request is open.</summary>
    public long NextSeq { get; init; }

    /// <summary>Where the session stands.</summary>
    public SessionStatus Status { get; init; }

    /// <summary>What a parked session waits for; null otherwise.</summary>
    public SessionWait? Wait { get; init; }

    /// <summary>Who started the session; null where the server asks nobody.</summary>
    public string? Principal { get; init; }

    /// <summary>16 random bytes that belong to this session alone.</summary>
    public ReadOnlyMemory<byte> Salt { get; init; }

    /// <summary>What the program left for its next turn, as JSON; empty where it left nothing.</summary>
    public ReadOnlyMemory<byte> State { get; init; }

    /// <summary>The last client turn's reply without its token, as JSON; empty before the first.</summary>
    public ReadOnlyMemory<byte> Reply { get; init; }

    /// <summary>The seq of the first <c>turn_started</c> of the last client turn's request; 0 before the first.</summary>
    public long RequestSeq { get; init; }

    /// <summary>SHA-256 of that request's idempotency key; empty where it had none.</summary>
    public ReadOnlyMemory<byte> RequestKey { get; init; }

    /// <summary>SHA-256 of that request's body; empty where it had no idempotency key.</summary>
    public ReadOnlyMemory<byte> RequestBody { get; init; }

    /// <summary>The commit of the last wake turn; null where a client's turn committed last.</summary>
    public WakeCommit? LastWake { get; init; }

    /// <summary>How many signals of each name were consumed, and the last one's name and digest, as JSON; empty before the first.</summary>
    public ReadOnlyMemory<byte> Signals { get; init; }

    /// <summary>Where what is open or unsettled of a client begins in the journal, if a wake turn committed behind it; else 0. A store
    /// keeps every record from there on.</summary>
    public long TailSeq { get; init; }

    /// <summary>When the session was started.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it last committed.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Where the journal goes on that is not settled yet.</summary>
    internal long TailFrom => TailSeq > 0 ? TailSeq : NextSeq;

    /// <summary>The number of the client turn that committed last.</summary>
    internal long ClientTurn => LastWake?.ReplyTurn ?? Turn;
}

/// <summary>What the last wake turn left, and what has to be known of the client turn before it.</summary>
/// <param name="Reply">The wake turn's own reply, without a token, as JSON.</param>
/// <param name="FirstSeq">The seq of its first <c>turn_started</c>.</param>
/// <param name="ReplyTurn">The number of the last client turn.</param>
/// <param name="ReplyNextSeq">The seq behind that turn's commit.</param>
/// <param name="ReplySignals">How many signals of the name that it parked on had been consumed then.</param>
public sealed record WakeCommit(ReadOnlyMemory<byte> Reply, long FirstSeq, long ReplyTurn, long ReplyNextSeq, long ReplySignals);
