using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>A head as it stands in the payload of a <c>session</c> or a <c>commit</c> record: the journal alone is the truth, and
/// the newest of these records is the head.</summary>
internal static class HeadRecord
{
    /// <summary>Whether a record of this kind holds a head.</summary>
    public static bool IsOne(RecordKind kind) => kind is RecordKind.Session or RecordKind.Commit;

    /// <summary>Writes the payload's members.</summary>
    public static void WriteMembers(Utf8JsonWriter json, SessionHead head)
    {
        if (head.Turn > 0)
        {
            json.WriteNumber("turn"u8, head.Turn);
            json.WriteNumber("clientTurns"u8, head.ClientTurns);
            json.WriteNumber("status"u8, (int)head.Status);
            json.WriteNumber("requestSeq"u8, head.RequestSeq);
        }

        if (head.Wait is not null)
        {
            json.WritePropertyName("wait"u8);
            WaitJson.Write(json, head.Wait);
        }

        if (head.Principal is not null)
            json.WriteString("principal"u8, head.Principal);
        json.WriteNumber("created"u8, head.CreatedAt.ToUnixTimeMilliseconds());
        WriteBytes(json, "salt"u8, head.Salt);
        WriteBytes(json, "guard"u8, head.Guard);
        WriteBytes(json, "spent"u8, head.Spent);
        WriteBytes(json, "sealed"u8, head.Sealed);
        WriteBytes(json, "requestKey"u8, head.RequestKey);
        WriteBytes(json, "requestBody"u8, head.RequestBody);
        WriteRaw(json, "state"u8, head.State);
        WriteRaw(json, "reply"u8, head.Reply);
        WriteRaw(json, "signals"u8, head.Signals);
        if (head.TailSeq > 0)
            json.WriteNumber("tailSeq"u8, head.TailSeq);
        if (head.LastWake is { } wake)
        {
            json.WriteStartObject("lastWake"u8);
            json.WriteNumber("firstSeq"u8, wake.FirstSeq);
            json.WriteNumber("replyTurn"u8, wake.ReplyTurn);
            json.WriteNumber("replyNextSeq"u8, wake.ReplyNextSeq);
            json.WriteNumber("replySignals"u8, wake.ReplySignals);
            WriteRaw(json, "reply"u8, wake.Reply);
            json.WriteEndObject();
        }
    }

    /// <summary>The head that a record holds.</summary>
    /// <exception cref="InvalidDataException">It is no such record.</exception>
    public static SessionHead Read(in JournalEntry entry)
    {
        try
        {
            JsonElement record = JsonText.Parse(entry.Utf8), payload = record.GetProperty("payload"u8);
            return new SessionHead
            {
                Turn = Number(payload, "turn"u8),
                ClientTurns = Number(payload, "clientTurns"u8),
                Status = (SessionStatus)Number(payload, "status"u8),
                RequestSeq = Number(payload, "requestSeq"u8),
                NextSeq = entry.Seq + 1,
                Wait = payload.TryGetProperty("wait"u8, out JsonElement wait) ? WaitJson.Read(wait) : null,
                Principal = payload.TryGetProperty("principal"u8, out JsonElement principal) ? principal.GetString() : null,
                CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(Number(payload, "created"u8)),
                UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(Number(record, "ts"u8)),
                Salt = Bytes(payload, "salt"u8),
                Guard = Bytes(payload, "guard"u8),
                Spent = Bytes(payload, "spent"u8),
                Sealed = Bytes(payload, "sealed"u8),
                RequestKey = Bytes(payload, "requestKey"u8),
                RequestBody = Bytes(payload, "requestBody"u8),
                State = Raw(payload, "state"u8),
                Reply = Raw(payload, "reply"u8),
                Signals = Raw(payload, "signals"u8),
                TailSeq = Number(payload, "tailSeq"u8),
                LastWake = payload.TryGetProperty("lastWake"u8, out JsonElement wake) ? ReadWake(wake) : null,
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"Record {entry.Seq} holds no head.", e);
        }
    }

    private static WakeCommit ReadWake(JsonElement wake) => new(
        Raw(wake, "reply"u8), Number(wake, "firstSeq"u8), Number(wake, "replyTurn"u8), Number(wake, "replyNextSeq"u8),
        Number(wake, "replySignals"u8));

    private static void WriteBytes(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlyMemory<byte> bytes)
    {
        if (!bytes.IsEmpty)
            json.WriteBase64String(name, bytes.Span);
    }

    private static void WriteRaw(Utf8JsonWriter json, ReadOnlySpan<byte> name, ReadOnlyMemory<byte> utf8)
    {
        if (utf8.IsEmpty)
            return;
        json.WritePropertyName(name);
        json.WriteRawValue(utf8.Span, skipInputValidation: true);
    }

    private static long Number(JsonElement from, ReadOnlySpan<byte> name) =>
        from.TryGetProperty(name, out JsonElement number) ? number.GetInt64() : 0;

    private static byte[] Bytes(JsonElement from, ReadOnlySpan<byte> name) =>
        from.TryGetProperty(name, out JsonElement base64) ? base64.GetBytesFromBase64() : [];

    private static ReadOnlyMemory<byte> Raw(JsonElement from, ReadOnlySpan<byte> name) =>
        from.TryGetProperty(name, out JsonElement value) ? ((JsonPayload)value).Utf8 : default;
}
