using System.Text.Json;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a turn ended with: an outcome, or an error.</summary>
/// <param name="Last">The reply's body, or the last event.</param>
/// <param name="Events">The records and deltas before it.</param>
internal sealed record TurnReply(JsonElement Last, IReadOnlyList<JsonElement> Events)
{
    /// <summary><c>finished</c>, <c>parked</c>, <c>contended</c>, <c>aborted</c>; null for an error.</summary>
    public string? Status => Text("status");

    public string? SessionId => Text("sessionId");

    public string? Token => Text("continuationToken");

    public string? Output => Raw("output");

    public string? Wait => Raw("wait");

    public string? Current => Raw("current");

    /// <summary>The error's text, as an event says it: a reply's adds where it comes from.</summary>
    public string? Error => Text("message") ?? Text("error")?.Replace("internal error: ", "", StringComparison.Ordinal);

    public string? Code => Text("code");

    public string? ErrorId => Text("errorId");

    /// <summary>The deltas' texts, joined.</summary>
    public string Deltas => string.Concat(
        Events.Where(e => e.GetProperty("type").ValueEquals("delta")).Select(e => e.GetProperty("text").GetString()));

    public IReadOnlyList<JsonElement> Records =>
        Events.Where(e => e.GetProperty("type").ValueEquals("record")).Select(e => e.GetProperty("record")).ToArray();

    public override string ToString() => Last.GetRawText();

    private string? Text(string name) =>
        Last.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private string? Raw(string name) => Last.TryGetProperty(name, out JsonElement value) ? value.GetRawText() : null;
}
