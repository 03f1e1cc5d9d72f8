using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Iris.Net.Diagnostics;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>What a program sees of the attempt that it runs.</summary>
internal sealed class RunningContext(RunningTurn turn, TurnJournal journal, OpenRequest? replay, CancellationToken turnCancel)
    : TurnContext
{
    private static readonly StepOptions DefaultOptions = new();

    // One append at a time, though a program may run steps side by side.
    private SemaphoreSlim? _journalGate;
    private JsonElement _body, _state;
    private int _steps;
    private volatile bool _over;
    private bool _begun;

    public override string SessionId => Current.SessionId.Value;

    public override long Number => Current.Number;

    public override int Attempt => Current.Attempt;

    public override string? Principal => Current.Head.Principal;

    public override JsonElement Body
    {
        get
        {
            ThrowIfOver();
            if (_body.ValueKind == JsonValueKind.Undefined)
                _body = JsonText.Parse(turn.Request.Body);
            return _body;
        }
    }

    public override JsonElement? State
    {
        get
        {
            ThrowIfOver();
            if (turn.Head.State.IsEmpty)
                return null;
            if (_state.ValueKind == JsonValueKind.Undefined)
                _state = JsonText.Parse(turn.Head.State);
            return _state;
        }
    }

    public override IReadOnlyList<RecordedStep> RecordedSteps
    {
        get
        {
            ThrowIfOver();
            return replay is null
                ? []
                : [.. replay.Steps.Where(step => step.Result.HasValue)
                    .Select(step => new RecordedStep(step.Name, JsonText.Parse(step.Result.Utf8)))];
        }
    }

    private RunningTurn Current
    {
        get
        {
            ThrowIfOver();
            return turn;
        }
    }

    /// <summary>Why the attempt may not commit, whatever the program says.</summary>
    public AttemptOverException? Doom { get; private set; }

    public override WaitKind? WokenBy => Current.WokenBy;

    public override string? SignalName => Current.Signal?.Name;

    public override bool TryGetSignal(string name, out JsonElement payload)
    {
        ArgumentNullException.ThrowIfNull(name);
        ThrowIfOver();
        bool isFound = turn.Signal?.Name == name;
        payload = isFound ? JsonText.Parse(turn.Signal!.Payload) : default;
        return isFound;
    }

    public override WakeKey WakeFor(string name)
    {
        _ = SessionWait.Signal(name);   // which judges the name
        return Current.WakeFor(name);
    }

    public override ValueTask DeltaAsync(string text, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        ThrowIfOver();
        cancel.ThrowIfCancellationRequested();
        turn.Events.AppendDelta(text);
        return default;
    }

    public override async ValueTask<T> StepAsync<T>(
        string name,
        Func<StepContext, CancellationToken, ValueTask<T>> run,
        JsonTypeInfo<T> json,
        StepOptions? options = null,
        CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(json);
        if (!UnicodeText.IsWellFormed(name))
            throw new ArgumentException("A step's name holds a lone surrogate.", nameof(name));   // the journal would not give it back
        ThrowIfOver();
        if (!cancel.CanBeCanceled)
            cancel = turnCancel;
        cancel.ThrowIfCancellationRequested();
        int place = Interlocked.Increment(ref _steps) - 1;
        if (place >= turn.MaxSteps)
        {
            Telemetry.Breached(nameof(SessionSettings.MaxStepsPerTurn));
            throw new InvalidOperationException($"A turn has at most {turn.MaxSteps} steps.");
        }

        JournalledStep? known = place < replay?.Steps.Count ? replay.Steps[place] : null;
        if (known is not null && known.Name != name)
            throw new NondeterministicProgramException(known.Name, name);
        if (known is { Result.HasValue: true })
            return JsonSerializer.Deserialize(known.Result.Utf8.Span, json)!;
        if (known is { RetrySafe: false })
            throw new StepUncertainException(name);

        string key = known?.IdempotencyKey ?? turn.StepKey(place, name);
        string effectId = await BeginStepAsync(name, key, options ?? DefaultOptions, known).ConfigureAwait(false);
        T value = await run(new StepContext(name, key), cancel).ConfigureAwait(false);
        JsonPayload result = value is JsonElement { ValueKind: not JsonValueKind.Undefined } element ? element : JsonPayload.From(value, json);
        await AppendAsync(
            Flush.Durable, () => journal.Records.EffectResult(journal.NextSeq, journal.Now, effectId, result)).ConfigureAwait(false);
        return value;
    }

    /// <summary>From now on every call throws. What is being appended at this moment is waited for.</summary>
    public async ValueTask CloseAsync()
    {
        _over = true;
        Interlocked.MemoryBarrier();   // a step that makes the gate at this moment sees that, or its gate is seen here
        if (_journalGate is not { } gate)
            return;
        await gate.WaitAsync().ConfigureAwait(false);
        gate.Release();   // whoever comes after finds that it is over
    }

    /// <summary>Whether the journal has that the request is closed, or gets it with its next append.</summary>
    public bool IsRequestClosed { get; private set; }

    /// <summary>Writes, durably, that the request is closed, while its program may still run. False where the attempt is ending
    /// already: its end writes it.</summary>
    /// <exception cref="AttemptOverException">The lease is lost, or the store cannot be reached or trusted.</exception>
    public async ValueTask<bool> CloseRequestAsync(Func<JournalEntry> write)
    {
        bool isWritten = false;
        try
        {
            await AppendAsync(Flush.Durable, () =>
            {
                IsRequestClosed = isWritten = true;   // an append that fails stays with the journal's next one
                return write();
            }).ConfigureAwait(false);
            return true;
        }
        catch (AttemptOverException) when (!isWritten)
        {
            return false;
        }
    }

    /// <summary>Writes, durably, that the request is run to its end, unless a cancel was quicker.</summary>
    /// <exception cref="AttemptOverException">The lease is lost, or the store cannot be reached or trusted.</exception>
    public ValueTask AcceptRequestAsync(Func<JournalEntry?> write) =>
        AppendAsync(Flush.Durable, () => IsRequestClosed ? null : write());

    private async ValueTask<string> BeginStepAsync(string name, string key, StepOptions options, JournalledStep? known)
    {
        string effectId = known?.EffectId ?? "";
        await AppendAsync(options.RetrySafe ? Flush.Written : Flush.Durable, () =>
        {
            if (known is not null)
                return null;
            effectId = EffectId.Format(name, journal.NextSeq);
            return journal.Records.EffectIntent(journal.NextSeq, journal.Now, name, key, options);
        }).ConfigureAwait(false);
        return effectId;
    }

    /// <summary>Appends the record that is written under the gate, if one is. The first append carries the attempt's own start,
    /// which is synced before any step runs.</summary>
    private async ValueTask AppendAsync(Flush flush, Func<JournalEntry?> write)
    {
        SemaphoreSlim gate = LazyInitializer.EnsureInitialized(ref _journalGate, static () => new SemaphoreSlim(1, 1));
        await gate.WaitAsync().ConfigureAwait(false);   // not cancelled: a step that has a place has an intent
        try
        {
            ThrowIfOver();
            if (write() is { } entry)
                journal.Add(entry);
            try
            {
                await journal.FlushAsync(_begun ? flush : Flush.Durable).ConfigureAwait(false);
                _begun = true;
            }
            catch (AttemptOverException over)
            {
                Doom = over;
                _over = true;
                throw;
            }
        }
        finally
        {
            gate.Release();
        }
    }

    private void ThrowIfOver()
    {
        if (_over)
            throw Doom ?? new AttemptOverException(AbortReason.None);
    }
}
