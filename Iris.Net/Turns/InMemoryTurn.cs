using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Iris.Net;

/// <summary>A turn without a server: what <see cref="TurnContext.InMemory"/> makes, for tests of programs.</summary>
public sealed class InMemoryTurn : TurnContext
{
    private static readonly JsonElement NullBody = ParseNull();
    private readonly Dictionary<string, JsonElement> _signals = [];
    private readonly StringBuilder _text = new();
    private int _steps;

    internal InMemoryTurn(JsonElement body, JsonElement? state)
    {
        Body = body.ValueKind == JsonValueKind.Undefined ? NullBody : body;
        State = state;
    }

    /// <inheritdoc/>
    public override string SessionId => "in-memory";

    /// <inheritdoc/>
    public override long Number => 1;

    /// <inheritdoc/>
    public override int Attempt => 1;

    /// <inheritdoc/>
    public override string? Principal => null;

    /// <inheritdoc/>
    public override JsonElement Body { get; }

    /// <inheritdoc/>
    public override JsonElement? State { get; }

    /// <summary>The deltas so far, joined.</summary>
    public string Text => _text.ToString();

    /// <summary>Gives the turn a signal that <see cref="TryGetSignal"/> then finds.</summary>
    public InMemoryTurn WithSignal(string name, JsonElement payload)
    {
        _signals[name] = payload;
        return this;
    }

    /// <inheritdoc/>
    public override string? SignalName => _signals.Keys.FirstOrDefault();

    /// <summary>A key that names the signal; there is no server that it opens anything of.</summary>
    public override WakeKey WakeFor(string name)
    {
        _ = SessionWait.Signal(name);
        return new WakeKey(WakeKey.PathOf(SessionId, name), $"in-memory:{name}");
    }

    /// <inheritdoc/>
    public override bool TryGetSignal(string name, out JsonElement payload) => _signals.TryGetValue(name, out payload);

    /// <inheritdoc/>
    public override ValueTask DeltaAsync(string text, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        _text.Append(text);
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public override ValueTask<T> StepAsync<T>(
        string name,
        Func<StepContext, CancellationToken, ValueTask<T>> run,
        JsonTypeInfo<T> json,
        StepOptions? options = null,
        CancellationToken cancel = default) => run(new StepContext(name, $"in-memory:{_steps++}:{name}"), cancel);

    private static JsonElement ParseNull()
    {
        var reader = new Utf8JsonReader("null"u8);
        return JsonElement.ParseValue(ref reader);
    }
}
