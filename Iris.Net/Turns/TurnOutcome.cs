namespace Iris.Net;

/// <summary>How a turn ended. <see cref="Finished"/> and the parked outcomes commit; <see cref="Contended"/> and
/// <see cref="Aborted"/> are for adapters that drive a runtime of their own, and commit nothing.</summary>
public abstract record TurnOutcome
{
    private protected TurnOutcome() { }

    /// <summary>The session is done; it may be continued all the same.</summary>
    /// <param name="output">What the client gets as <c>output</c>; none leaves the field out.</param>
    /// <param name="state">What the next turn gets as <see cref="TurnContext.State"/>; none leaves it without.</param>
    public static TurnOutcome Finished(JsonPayload output = default, JsonPayload state = default) =>
        new FinishedOutcome(output, state);

    /// <summary>Waits for the client's next message.</summary>
    /// <param name="state">What the next turn gets as <see cref="TurnContext.State"/>.</param>
    public static TurnOutcome ParkedOnUser(JsonPayload state = default) => new ParkedOutcome(SessionWait.User, state);

    /// <summary>Waits for a signal from outside.</summary>
    /// <param name="name">The signal's name, 1 to 128 characters.</param>
    /// <param name="state">What the next turn gets as <see cref="TurnContext.State"/>.</param>
    /// <exception cref="ArgumentException">The name is empty or too long, or holds a lone surrogate.</exception>
    public static TurnOutcome ParkedOnSignal(string name, JsonPayload state = default) =>
        new ParkedOutcome(SessionWait.Signal(name), state);

    /// <summary>Waits for a time.</summary>
    /// <param name="at">When to go on, kept to the millisecond.</param>
    /// <param name="state">What the next turn gets as <see cref="TurnContext.State"/>.</param>
    public static TurnOutcome ParkedOnTimer(DateTimeOffset at, JsonPayload state = default) =>
        new ParkedOutcome(SessionWait.Timer(at), state);

    /// <summary>Another writer holds the session: the client keeps its token and may try again.</summary>
    /// <param name="current">The other writer's fence.</param>
    public static TurnOutcome Contended(long current) => new ContendedOutcome(current);

    /// <summary>The attempt ended without a commit: the client keeps its token and may try again.</summary>
    /// <param name="reason">For the server's log; no client sees it.</param>
    public static TurnOutcome Aborted(string? reason = null) => new AbortedOutcome(reason);
}

internal abstract record CommittedOutcome(JsonPayload State) : TurnOutcome;

internal sealed record FinishedOutcome(JsonPayload Output, JsonPayload State) : CommittedOutcome(State);

internal sealed record ParkedOutcome(SessionWait Wait, JsonPayload State) : CommittedOutcome(State);

internal sealed record ContendedOutcome(long Current) : TurnOutcome;

internal sealed record AbortedOutcome(string? Reason) : TurnOutcome;
