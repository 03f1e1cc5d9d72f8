using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>What the journal holds of a request that has not committed yet: how often it was tried, and what its steps
/// brought.</summary>
internal sealed class OpenRequest
{
    private readonly List<JournalledStep> _steps = [];

    private OpenRequest(long firstSeq) => FirstSeq = firstSeq;

    /// <summary>The seq of the request's first <c>turn_started</c>: its steps' keys derive from it.</summary>
    public long FirstSeq { get; }

    public int Attempts { get; private set; }

    /// <summary>The request's body, white space and token removed.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    /// <summary>In the order in which they were begun.</summary>
    public IReadOnlyList<JournalledStep> Steps => _steps;

    /// <summary>Reads the records behind the last commit; null where no request is open.</summary>
    public static async ValueTask<OpenRequest?> ReadAsync(IAsyncEnumerable<JournalEntry> records)
    {
        OpenRequest? open = null;
        await foreach (JournalEntry record in records.ConfigureAwait(false))
        {
            if (record.ClosesRequest)
                open = null;
            else if (record.Kind == RecordKind.TurnStarted)
                (open ??= new OpenRequest(record.Seq)).AddAttempt(record);
            else if (record.Kind is RecordKind.EffectIntent or RecordKind.EffectResult)
                open?.AddStep(record);
        }

        return open;
    }

    private void AddAttempt(in JournalEntry record)
    {
        // The first one carries the body: a request that was tried thousands of times is still read quickly.
        if (++Attempts == 1 && Payload(record).TryGetProperty("body"u8, out JsonElement body))
            Body = ((JsonPayload)body).Utf8;
    }

    private void AddStep(in JournalEntry record)
    {
        JsonElement payload = Payload(record);
        string effectId = payload.GetProperty("effectId"u8).GetString()!;
        if (record.Kind == RecordKind.EffectIntent)
            _steps.Add(new JournalledStep(
                effectId, payload.GetProperty("idempotencyKey"u8).GetString()!, payload.GetProperty("retrySafe"u8).GetBoolean()));
        else if (_steps.Find(step => step.EffectId == effectId) is { } step
            && payload.GetProperty("outcome"u8).TryGetProperty("value"u8, out JsonElement value))
            step.Result = value;
    }

    private static JsonElement Payload(in JournalEntry record)
    {
        var reader = new Utf8JsonReader(record.Utf8.Span, new JsonReaderOptions { MaxDepth = 128 });
        return JsonElement.ParseValue(ref reader).GetProperty("payload"u8);
    }
}

/// <summary>One step of an open request; without a result where it was begun and nothing more is known.</summary>
internal sealed class JournalledStep(string effectId, string idempotencyKey, bool retrySafe)
{
    public string EffectId => effectId;

    public string Name { get; } = Journal.EffectId.NameOf(effectId);

    public string IdempotencyKey => idempotencyKey;

    public bool RetrySafe => retrySafe;

    public JsonPayload Result { get; set; }
}
