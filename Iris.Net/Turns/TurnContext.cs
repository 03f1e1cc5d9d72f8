using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Iris.Net;

/// <summary>What a program gets for one attempt at one turn. Once the attempt is over, every call throws
/// <see cref="InvalidOperationException"/>.</summary>
public abstract class TurnContext
{
    /// <summary>The session's stable name.</summary>
    public abstract string SessionId { get; }

    /// <summary>The turn's number, from 1: the number that it has once it commits.</summary>
    public abstract long Number { get; }

    /// <summary>Which try of the same request this is, from 1.</summary>
    public abstract int Attempt { get; }

    /// <summary>Who started the session; null where the server asks nobody.</summary>
    public abstract string? Principal { get; }

    /// <summary>The client's JSON without <c>continuationToken</c>; JSON <c>null</c> in a turn that a wake started.</summary>
    public abstract JsonElement Body { get; }

    /// <summary>What the last commit left; null where it left nothing.</summary>
    public abstract JsonElement? State { get; }

    /// <summary>The steps that earlier attempts of this request journalled with a result, in their order, for hosts that hand
    /// them to a program of another kind; empty where there are none.</summary>
    public virtual IReadOnlyList<RecordedStep> RecordedSteps => [];

    /// <summary>The payload of a signal that was accepted and not yet consumed by a commit.</summary>
    public abstract bool TryGetSignal(string name, out JsonElement payload);

    /// <summary>What started this turn where no client did: a signal or a timer; null in a client's turn.</summary>
    public virtual WaitKind? WokenBy => null;

    /// <summary>The name of the signal that <see cref="TryGetSignal"/> finds; null where none was accepted.</summary>
    public virtual string? SignalName => null;

    /// <summary>What wakes the session once it waits for this signal after the turn. It stays while the session parks on the same name
    /// again, until the signal was consumed.</summary>
    /// <param name="name">The signal's name, 1 to 128 characters.</param>
    /// <exception cref="ArgumentException">The name is empty or too long, or holds a lone surrogate.</exception>
    public abstract WakeKey WakeFor(string name);

    /// <summary>Sends live text to whoever follows the turn. It is not journalled, and never waits for a reader.</summary>
    public abstract ValueTask DeltaAsync(string text, CancellationToken cancel = default);

    /// <summary>Runs a step once: its result is journalled, and a repeated attempt of the same request gets it from there.
    /// Steps are matched by order and name.</summary>
    /// <exception cref="NondeterministicProgramException">The journal holds another step at this place.</exception>
    /// <exception cref="StepUncertainException">The step was begun before, has no result, and is not
    /// <see cref="StepOptions.RetrySafe"/>.</exception>
    public abstract ValueTask<T> StepAsync<T>(
        string name,
        Func<StepContext, CancellationToken, ValueTask<T>> run,
        JsonTypeInfo<T> json,
        StepOptions? options = null,
        CancellationToken cancel = default);

    /// <summary>Runs a step once whose result is JSON as it stands; otherwise as
    /// <see cref="StepAsync{T}(string, Func{StepContext, CancellationToken, ValueTask{T}}, JsonTypeInfo{T}, StepOptions?, CancellationToken)"/>.</summary>
    public ValueTask<JsonElement> StepAsync(
        string name,
        Func<StepContext, CancellationToken, ValueTask<JsonElement>> run,
        StepOptions? options = null,
        CancellationToken cancel = default) => StepAsync(name, run, TurnJson.Default.JsonElement, options, cancel);

    /// <summary>A context without a server, to test a program with: steps run at once, deltas are kept in
    /// <see cref="InMemoryTurn.Text"/>.</summary>
    public static InMemoryTurn InMemory(JsonElement body = default, JsonElement? state = null) => new(body, state);
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement))]
internal sealed partial class TurnJson : System.Text.Json.Serialization.JsonSerializerContext;
