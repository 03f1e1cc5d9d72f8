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

    /// <summary>How many attempts began since one had an end, or since it was left to its client.</summary>
    public int Unended { get; private set; }

    /// <summary>The request's body, white space and token removed.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    /// <summary>In the order in which they were begun.</summary>
    public IReadOnlyList<JournalledStep> Steps => _steps;

    /// <summary>SHA-256 of its idempotency key; empty where it came without one.</summary>
    public ReadOnlyMemory<byte> Key { get; private set; }

    /// <summary>Whether it was answered with 202, and no attempt had an end since.</summary>
    public bool IsAccepted { get; private set; }

    /// <summary>Why its last attempt ended; null where nothing is known of an end.</summary>
    public string? EndReason { get; private set; }

    /// <summary>When its last attempt ended, or began where no end is known.</summary>
    public DateTimeOffset LastAt { get; private set; }

    /// <summary>Takes in the record that began it, or one behind it.</summary>
    public static OpenRequest Add(OpenRequest? open, in JournalEntry record)
    {
        switch (record.Kind)
        {
            case RecordKind.TurnStarted or RecordKind.WakeStarted:
                open ??= new OpenRequest(record.Seq);
                open.AddAttempt(record);
                break;
            case RecordKind.EffectIntent or RecordKind.EffectResult:
                open!.AddStep(record);
                break;
            case RecordKind.TurnEnded:
                open!.EndReason = record.ReadPayload().GetProperty("reason"u8).GetString();
                open.LastAt = record.ReadTime();
                open.LeaveToClient();
                break;
            case RecordKind.RequestDeferred:
                open!.LeaveToClient();
                break;
            case RecordKind.RequestAccepted:
                open!.IsAccepted = true;
                break;
        }

        return open!;
    }

    private void AddAttempt(in JournalEntry record)
    {
        JsonElement payload = record.ReadPayload();
        EndReason = null;
        LastAt = record.ReadTime();
        Unended++;
        if (payload.TryGetProperty("key"u8, out JsonElement key))
            Key = key.GetBytesFromBase64();
        if (++Attempts == 1 && payload.TryGetProperty("body"u8, out JsonElement body))
            Body = ((JsonPayload)body).Utf8;
    }

    private void LeaveToClient() => (IsAccepted, Unended) = (false, 0);

    private void AddStep(in JournalEntry record)
    {
        JsonElement payload = record.ReadPayload();
        string effectId = payload.GetProperty("effectId"u8).GetString()!;
        if (record.Kind == RecordKind.EffectIntent)
            _steps.Add(new JournalledStep(
                effectId, payload.GetProperty("idempotencyKey"u8).GetString()!, payload.GetProperty("retrySafe"u8).GetBoolean()));
        else if (_steps.Find(step => step.EffectId == effectId) is { } step
            && payload.GetProperty("outcome"u8).TryGetProperty("value"u8, out JsonElement value))
            step.Result = value;
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
