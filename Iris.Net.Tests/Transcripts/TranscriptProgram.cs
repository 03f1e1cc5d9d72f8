using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance;

namespace Iris.Net.Tests.Transcripts;

/// <summary>The program of the transcripts. A body's <c>do</c> says in words what it does: <c>echo</c>, the one effect,
/// <c>hold</c>, which waits inside the effect, and how it ends. Any other body is <c>echo finish</c>.</summary>
internal sealed class TranscriptProgram(Gate gate, bool webSockets) : IHostAdapter
{
    private static readonly StepOptions Echo = new() { Kind = "echo", Request = new JsonObject { ["text"] = "hi" } };

    public HostCapabilities Capabilities { get; } = new() { WebSockets = webSockets };

    public async ValueTask<TurnOutcome> RunTurnAsync(TurnContext turn, CancellationToken cancel = default)
    {
        string[] words = (turn.Field("do") ?? "echo finish").Split(' ');
        if (words.Contains("throw"))
            throw new InvalidOperationException("boom in makeTurnInputs");
        if (words.Contains("echo"))
        {
            await turn.StepAsync("echo", async (_, ct) =>
            {
                if (words.Contains("hold"))
                    await gate.PassAsync();
                await turn.DeltaAsync("he", ct);
                await turn.DeltaAsync("llo", ct);
                return JsonElement.Parse("""{"text":"hi"}""");
            }, Echo, cancel);
        }

        return words[^1] switch
        {
            "parkUser" => TurnOutcome.ParkedOnUser(),
            "parkSignal" => TurnOutcome.ParkedOnSignal("hitl:c1"),
            "parkTimer" => TurnOutcome.ParkedOnTimer(DateTimeOffset.FromUnixTimeMilliseconds(42)),
            "finishNoOutput" => TurnOutcome.Finished(),
            "contend" => TurnOutcome.Contended(7),
            "abort" => TurnOutcome.Aborted(),
            _ => TurnOutcome.Finished(new JsonObject { ["turn"] = turn.Number - 1 }),
        };
    }
}
