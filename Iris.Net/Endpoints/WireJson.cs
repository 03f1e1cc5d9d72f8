using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>The JSON that clients see beside the events of a turn.</summary>
internal static class WireJson
{
    /// <summary>A time in UTC as RFC 3339 has it.</summary>
    public static string Timestamp(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary><c>{"sessionId":S,"turn":N,"status":"cancelling"}</c>, or <c>{"sessionId":S,"status":"idle","recover":PATH}</c>.</summary>
    public static ReadOnlyMemory<byte> Cancel(string sessionId, long turn, string? recover) => JsonText.Object(json =>
    {
        json.WriteString("sessionId"u8, sessionId);
        if (turn > 0)
            json.WriteNumber("turn"u8, turn);
        json.WriteString("status"u8, turn > 0 ? "cancelling"u8 : "idle"u8);
        if (recover is not null)
            json.WriteString("recover"u8, recover);
    });

    /// <summary><c>{"type":"cancelling","turn":N}</c>, or <c>{"type":"idle"}</c>.</summary>
    public static ReadOnlyMemory<byte> CancelEvent(long turn) => JsonText.Object(json =>
    {
        json.WriteString("type"u8, turn > 0 ? "cancelling"u8 : "idle"u8);
        if (turn > 0)
            json.WriteNumber("turn"u8, turn);
    });

    /// <summary><c>{"sessionId":S,"continuationToken":T,"status":"running","turn":N}</c></summary>
    public static ReadOnlyMemory<byte> Running(string sessionId, ReadOnlySpan<byte> token, long turn)
    {
        ArrayBufferWriter<byte> buffer = new(160);
        WriteNames(buffer, sessionId, token);
        buffer.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\"status\":\"running\",\"turn\":{turn}}}")));
        return buffer.WrittenMemory;
    }

    /// <summary><c>{"sessionId":S,"continuationToken":T,"status":…}</c>, extended by <c>"committed":false,"reason":R</c> where
    /// nothing committed, by <c>"wake":{"url":PATH,"key":K}</c> where it parked on a signal.</summary>
    public static void WriteReply(IBufferWriter<byte> buffer, string sessionId, TurnEnd end, bool isExtended)
    {
        WriteNames(buffer, sessionId, end.Token.Span);
        buffer.Write(end.Fields.Span);
        WriteReason(buffer, end, isExtended);
        buffer.Write("}"u8);
    }

    private static void WriteReason(IBufferWriter<byte> buffer, TurnEnd end, bool isExtended)
    {
        if (!isExtended)
            return;
        if (end.Wake is { } wake)
        {
            buffer.Write(",\"wake\":{\"url\":"u8);
            WriteString(buffer, Encoding.UTF8.GetBytes(wake.Url));
            buffer.Write(",\"key\":"u8);
            WriteString(buffer, wake.Key);
            buffer.Write("}"u8);
        }

        if (end.IsCommitted)
            return;
        buffer.Write(",\"committed\":false,\"reason\":"u8);
        WriteString(buffer, AbortReasonText.Of(end.Reason));
    }

    private static void WriteNames(IBufferWriter<byte> buffer, string sessionId, ReadOnlySpan<byte> token)
    {
        buffer.Write("{\"sessionId\":"u8);
        WriteString(buffer, sessionId);
        buffer.Write(",\"continuationToken\":"u8);
        WriteString(buffer, token);
        buffer.Write(","u8);
    }

    /// <summary><c>{"type":"outcome","sessionId":S,"status":…,"continuationToken":T}</c>; without the token where that is no longer
    /// the current one.</summary>
    public static ReadOnlyMemory<byte> Outcome(string sessionId, TurnEnd end, bool isExtended)
    {
        ArrayBufferWriter<byte> buffer = new(96 + sessionId.Length + end.Token.Length + end.Fields.Length);
        buffer.Write("{\"type\":\"outcome\",\"sessionId\":"u8);
        WriteString(buffer, sessionId);
        buffer.Write(","u8);
        buffer.Write(end.Fields.Span);
        if (!end.Token.IsEmpty)
        {
            buffer.Write(",\"continuationToken\":"u8);
            WriteString(buffer, end.Token.Span);
        }

        WriteReason(buffer, end, isExtended);
        buffer.Write("}"u8);
        return buffer.WrittenMemory;
    }

    /// <summary><c>{"error":TEXT,"code":CODE,"reason":R,"errorId":ID,"recover":PATH}</c>; all but the text where they are given.</summary>
    public static ReadOnlyMemory<byte> Refusal(
        string error, string? code, string? errorId, string? recover = null, string? reason = null) =>
        JsonText.Object(json =>
        {
            json.WriteString("error"u8, error);
            WriteDetails(json, code, reason, errorId, recover);
        });

    /// <summary><c>{"type":URN,"title":TEXT,"status":N,"detail":TEXT,"instance":PATH,"error":TEXT,"code":CODE,"reason":R,
    /// "errorId":ID,"recover":PATH}</c>, RFC 9457 section 3; paths and id where they are given.</summary>
    public static ReadOnlyMemory<byte> Problem(
        RefusalCode code, int status, string error, string? instance, string? errorId, string? recover = null,
        string? reason = null)
    {
        string name = RefusalText.CodeOf(code);
        return JsonText.Object(json =>
        {
            json.WriteString("type"u8, "urn:iris:refusal:" + name);
            json.WriteString("title"u8, RefusalText.TitleOf(code));
            json.WriteNumber("status"u8, status);
            json.WriteString("detail"u8, error);
            if (instance is not null)
                json.WriteString("instance"u8, instance);
            json.WriteString("error"u8, error);
            WriteDetails(json, name, reason, errorId, recover);
        });
    }

    /// <summary><c>{"type":"error","message":TEXT,"code":CODE,"reason":R,"errorId":ID,"recover":PATH}</c>; all but the text where they
    /// are given.</summary>
    public static ReadOnlyMemory<byte> ErrorEvent(
        string message, string? code, string? errorId, string? recover = null, string? reason = null) => JsonText.Object(json =>
    {
        json.WriteString("type"u8, "error"u8);
        json.WriteString("message"u8, message);
        WriteDetails(json, code, reason, errorId, recover);
    });

    /// <summary>Writes an event with <c>"ref":…,"id":…</c> behind its other fields, where they are given.</summary>
    public static void WriteExtended(
        IBufferWriter<byte> buffer, ReadOnlySpan<byte> json, ReadOnlySpan<byte> reference, ReadOnlySpan<byte> id)
    {
        buffer.Write(json[..^1]);
        if (!reference.IsEmpty)
        {
            buffer.Write(",\"ref\":"u8);
            buffer.Write(reference);
        }

        if (!id.IsEmpty)
        {
            buffer.Write(",\"id\":\""u8);
            buffer.Write(id);
            buffer.Write("\""u8);
        }

        buffer.Write("}"u8);
    }

    /// <summary><c>{"type":"gap","from":ID,"to":ID,"lost":WHAT}</c></summary>
    public static ReadOnlyMemory<byte> Gap(in FeedEvent gap)
    {
        ArrayBufferWriter<byte> buffer = new(160);
        Span<byte> id = stackalloc byte[EventCursor.MaxLength];
        buffer.Write("{\"type\":\"gap\",\"from\":\""u8);
        buffer.Write(id[..gap.From.Format(id)]);
        buffer.Write("\",\"to\":\""u8);
        buffer.Write(id[..gap.To.Format(id)]);
        buffer.Write("\",\"lost\":\""u8);
        buffer.Write(NameOf(gap.Lost));
        buffer.Write("\"}"u8);
        return buffer.WrittenMemory;
    }

    /// <summary><c>{"type":"attached","sessionId":S,"turn":N,"live":B}</c></summary>
    public static ReadOnlyMemory<byte> Attached(string sessionId, long turn, bool isLive) => JsonText.Object(json =>
    {
        json.WriteString("type"u8, "attached"u8);
        json.WriteString("sessionId"u8, sessionId);
        json.WriteNumber("turn"u8, turn);
        json.WriteBoolean("live"u8, isLive);
    });

    private static ReadOnlySpan<byte> NameOf(Loss lost) => lost switch
    {
        Loss.Delta => "delta"u8,
        Loss.Record => "record"u8,
        _ => "attempt"u8,
    };

    // In their fixed order, each where it is given.
    private static void WriteDetails(Utf8JsonWriter json, string? code, string? reason, string? errorId, string? recover)
    {
        if (code is not null)
            json.WriteString("code"u8, code);
        if (reason is not null)
            json.WriteString("reason"u8, reason);
        if (errorId is not null)
            json.WriteString("errorId"u8, errorId);
        if (recover is not null)
            json.WriteString("recover"u8, recover);
    }

    private static void WriteString(IBufferWriter<byte> buffer, ReadOnlySpan<char> text)
    {
        Span<byte> utf8 = stackalloc byte[SessionIdBytes];
        Encoding.UTF8.TryGetBytes(text, utf8, out int length);
        WriteString(buffer, utf8[..length]);
    }

    private static void WriteString(IBufferWriter<byte> buffer, ReadOnlySpan<byte> utf8)
    {
        buffer.Write("\""u8);
        if (JavaScriptEncoder.UnsafeRelaxedJsonEscaping.FindFirstCharacterToEncodeUtf8(utf8) < 0)
            buffer.Write(utf8);
        else
            buffer.Write(JsonEncodedText.Encode(utf8, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        buffer.Write("\""u8);
    }

    private const int SessionIdBytes = 3 * Stores.SessionId.MaxLength;
}
