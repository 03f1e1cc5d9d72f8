using System.Text.Json;

namespace Iris.Net.Sessions;

/// <summary>What a client asks a turn for.</summary>
/// <param name="Body">Its JSON without white space and without <c>continuationToken</c>; the sessions' own copy.</param>
/// <param name="Principal">Who asks; null where the server asks nobody.</param>
internal readonly record struct TurnRequest(ReadOnlyMemory<byte> Body, string? Principal)
{
    public static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = 128 });
        return JsonElement.ParseValue(ref reader);
    }
}

/// <summary>What became of a request to run a turn: a turn that is ready to run, or a refusal.</summary>
internal readonly struct Admission
{
    private Admission(Refusal refusal, RunningTurn? turn) => (Refusal, Turn) = (refusal, turn);

    public Refusal Refusal { get; }

    /// <summary>The turn; null where it is refused. Whoever got it runs it.</summary>
    public RunningTurn? Turn { get; }

    public static implicit operator Admission(Refusal refusal) => new(refusal, null);

    public static implicit operator Admission(RunningTurn turn) => new(Refusal.None, turn);
}
