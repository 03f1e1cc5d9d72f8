using System.Text.Json;
using System.Text.Json.Nodes;

namespace Iris.Net.Tests.Conformance;

/// <summary>Programs that more than one test runs, and JSON to feed them.</summary>
internal static class Programs
{
    /// <summary>Finishes with the body that it got.</summary>
    public static ValueTask<TurnOutcome> Echo(TurnContext turn, CancellationToken cancel) => Finish(turn.Body);

    /// <summary>Finishes with the turn's number.</summary>
    public static ValueTask<TurnOutcome> Count(TurnContext turn, CancellationToken cancel) => Finish(JsonValue.Create(turn.Number));

    /// <summary>Finishes once the gate is open.</summary>
    public static TurnProgram Held(Gate gate) => async (_, _) =>
    {
        await gate.PassAsync();
        return TurnOutcome.Finished();
    };

    public static ValueTask<TurnOutcome> Finish(JsonPayload output = default) => ValueTask.FromResult(TurnOutcome.Finished(output));

    /// <summary>A step whose value is a number that <paramref name="make"/> gives when it runs.</summary>
    public static async ValueTask<int> StepAsync(TurnContext turn, string name, Func<int> make, StepOptions? options = null) =>
        (await turn.StepAsync(
            name, (_, _) => ValueTask.FromResult(JsonElement.Parse(make().ToString(System.Globalization.CultureInfo.InvariantCulture))), options))
        .GetInt32();

    /// <summary>What the body's field says; null where it is not there, or the body is no object.</summary>
    public static string? Field(this TurnContext turn, string name) =>
        turn.Body.ValueKind == JsonValueKind.Object && turn.Body.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    /// <summary>An object's text with a token as its first field.</summary>
    public static string WithToken(string body, string token)
    {
        Assert.That(body, Does.StartWith("{"), "only an object carries a token");
        return $"{{\"continuationToken\":\"{token}\"{(body.AsSpan(1).TrimStart().StartsWith("}") ? "" : ",")}{body[1..]}";
    }
}
