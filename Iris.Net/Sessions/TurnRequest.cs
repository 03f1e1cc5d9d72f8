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

/// <summary>What became of a request to run a turn: a turn that is ready to run, a refusal, or the failure of a session that
/// could not be made.</summary>
internal readonly struct Admission
{
    private Admission(Refusal refusal, RunningTurn? turn, TurnEnd? failure) => (Refusal, Turn, Failure) = (refusal, turn, failure);

    public Refusal Refusal { get; }

    /// <summary>The turn; null where there is none. Whoever got it runs it.</summary>
    public RunningTurn? Turn { get; }

    /// <summary>What the client is told where the host's own ids or tokens failed; null otherwise.</summary>
    public TurnEnd? Failure { get; }

    public static implicit operator Admission(Refusal refusal) => new(refusal, null, null);

    public static implicit operator Admission(RunningTurn turn) => new(Refusal.None, turn, null);

    public static implicit operator Admission(TurnEnd failure) => new(Refusal.None, null, failure);
}
