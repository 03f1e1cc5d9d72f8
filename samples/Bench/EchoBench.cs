using System.Text.Json;
using System.Text.Json.Serialization;
using Iris.Net;

namespace Iris.Bench;

/// <summary>What every peer of the comparison runs: N deltas of the message, then the message as the output.</summary>
internal static partial class EchoBench
{
    public static async ValueTask<TurnOutcome> RunAsync(TurnContext turn, CancellationToken cancel)
    {
        string message = turn.Body.GetProperty("message").GetString()!;
        int deltas = turn.Body.TryGetProperty("deltas", out JsonElement count) ? count.GetInt32() : 0;
        for (int i = 0; i < deltas; i++)
            await turn.DeltaAsync(message, cancel);
        return TurnOutcome.Finished(JsonPayload.From(new Echoed(message), BenchJson.Default.Echoed));
    }

    internal sealed record Echoed([property: JsonPropertyName("echo")] string Echo);

    [JsonSerializable(typeof(Echoed))]
    private sealed partial class BenchJson : JsonSerializerContext;
}
