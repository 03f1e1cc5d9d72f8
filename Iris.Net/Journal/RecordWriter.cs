using System.Buffers;
using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>Writes records as they stand in the journal and on the wire:
/// <c>{"seq":N,"ts":N,"defDigest":S,"kind":K,"payload":…}</c>. An entry's bytes stay valid until <see cref="Clear"/>.</summary>
internal sealed class RecordWriter(string defDigest) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private readonly Utf8JsonWriter _json = new(Stream.Null, JsonText.Writer);
    private readonly JsonEncodedText _digest = JsonEncodedText.Encode(defDigest);
    private long _seq;
    private RecordKind _kind;
    private int _start;

    /// <summary>Room to collect entries in, as long as their bytes stay valid.</summary>
    public JournalEntry[] Entries { get; set; } = new JournalEntry[4];

    /// <summary>A step begins: its id is <c>NAME:SEQ</c> of this very record.</summary>
    public JournalEntry EffectIntent(long seq, long ts, string name, string key, StepOptions options)
    {
        Begin(seq, ts, RecordKind.EffectIntent, "effect_intent"u8);
        _json.WriteString("effectId"u8, EffectId.Format(name, seq));
        _json.WriteString("effectKind"u8, options.Kind);
        WriteRaw("request"u8, options.Request.HasValue ? options.Request : JsonPayload.Null);
        _json.WriteBoolean("retrySafe"u8, options.RetrySafe);
        _json.WriteString("idempotencyKey"u8, key);
        return End();
    }

    /// <summary>A step's result.</summary>
    public JournalEntry EffectResult(long seq, long ts, string effectId, JsonPayload value)
    {
        Begin(seq, ts, RecordKind.EffectResult, "effect_result"u8);
        _json.WriteString("effectId"u8, effectId);
        _json.WriteStartObject("outcome"u8);
        _json.WriteBoolean("ok"u8, true);
        WriteRaw("value"u8, value);
        _json.WriteEndObject();
        return End();
    }

    /// <summary>The turn finished.</summary>
    public JournalEntry Finish(long seq, long ts, JsonPayload output)
    {
        Begin(seq, ts, RecordKind.Marker, "marker"u8);
        _json.WriteString("marker"u8, "finish"u8);
        if (output.HasValue)
            WriteRaw("output"u8, output);
        return End();
    }

    /// <summary>The turn parked.</summary>
    public JournalEntry Wait(long seq, long ts, SessionWait wait)
    {
        Begin(seq, ts, RecordKind.Marker, "marker"u8);
        _json.WriteString("marker"u8, "wait"u8);
        _json.WritePropertyName("wait"u8);
        WaitJson.Write(_json, wait);
        return End();
    }

    /// <summary>An adapter decided something.</summary>
    public JournalEntry Decision(long seq, long ts, JsonPayload payload)
    {
        BeginRecord(seq, ts, RecordKind.Decision, "decision"u8);
        WriteRaw("payload"u8, payload);
        return EndRecord();
    }

    /// <summary>The session's first record.</summary>
    public JournalEntry Session(long seq, long ts, SessionHead head) => WriteHead(seq, ts, RecordKind.Session, "session"u8, head);

    /// <summary>An attempt begins. The body stands in the request's first one only, what its idempotency key hashes to in each; one that
    /// no client asked for says what woke it.</summary>
    public JournalEntry TurnStarted(
        long seq, long ts, long turn, int attempt, string name, ReadOnlySpan<byte> body, ReadOnlySpan<byte> key, WaitKind? wake = null)
    {
        Begin(seq, ts, wake is null ? RecordKind.TurnStarted : RecordKind.WakeStarted, "turn_started"u8);
        _json.WriteNumber("turn"u8, turn);
        _json.WriteNumber("attempt"u8, attempt);
        _json.WriteString("name"u8, name);
        if (wake is { } kind)
            _json.WriteString("wake"u8, kind == WaitKind.Signal ? "signal"u8 : "timer"u8);
        if (!key.IsEmpty)
            _json.WriteBase64String("key"u8, key);
        if (!body.IsEmpty)
        {
            _json.WritePropertyName("body"u8);
            _json.WriteRawValue(body, skipInputValidation: true);
        }

        return End();
    }

    /// <summary>An attempt ended without a commit.</summary>
    public JournalEntry TurnEnded(long seq, long ts, string reason)
    {
        Begin(seq, ts, RecordKind.TurnEnded, "turn_ended"u8);
        _json.WriteString("reason"u8, reason);
        return End();
    }

    /// <summary>The open request's results are never offered again.</summary>
    public JournalEntry RequestClosed(long seq, long ts)
    {
        Begin(seq, ts, RecordKind.RequestClosed, "request_closed"u8);
        return End();
    }

    /// <summary>The same, by a cancel: whoever repeats that very request is told so.</summary>
    public JournalEntry RequestClosed(long seq, long ts, in CancelledRequest request)
    {
        Begin(seq, ts, RecordKind.RequestClosed, "request_closed"u8);
        _json.WriteString("reason"u8, "cancelled"u8);
        _json.WriteNumber("from"u8, request.FirstSeq);
        if (!request.Key.IsEmpty)
        {
            _json.WriteBase64String("key"u8, request.Key.Span);
            _json.WriteBase64String("body"u8, request.BodyDigest.Span);
        }

        return End();
    }

    /// <summary>The open request was answered with 202.</summary>
    public JournalEntry RequestAccepted(long seq, long ts)
    {
        Begin(seq, ts, RecordKind.RequestAccepted, "request_accepted"u8);
        return End();
    }

    /// <summary>The accepted request waits for its client.</summary>
    public JournalEntry RequestDeferred(long seq, long ts)
    {
        Begin(seq, ts, RecordKind.RequestDeferred, "request_deferred"u8);
        return End();
    }

    /// <summary>A signal was accepted.</summary>
    public JournalEntry Signal(long seq, long ts, string name, ReadOnlySpan<byte> payload)
    {
        Begin(seq, ts, RecordKind.Signal, "signal"u8);
        _json.WriteString("name"u8, name);
        _json.WritePropertyName("payload"u8);
        _json.WriteRawValue(payload, skipInputValidation: true);
        return End();
    }

    /// <summary>The wake is not tried again.</summary>
    public JournalEntry WakeClosed(long seq, long ts)
    {
        Begin(seq, ts, RecordKind.WakeClosed, "wake_closed"u8);
        return End();
    }

    /// <summary>A turn's commit.</summary>
    public JournalEntry Commit(long seq, long ts, SessionHead head) => WriteHead(seq, ts, RecordKind.Commit, "commit"u8, head);

    /// <summary>Forgets what was written; the entries' bytes may be overwritten from now on.</summary>
    public void Clear() => _buffer.ResetWrittenCount();

    public void Dispose() => _json.Dispose();

    private JournalEntry WriteHead(long seq, long ts, RecordKind kind, ReadOnlySpan<byte> name, SessionHead head)
    {
        Begin(seq, ts, kind, name);
        HeadRecord.WriteMembers(_json, head);
        return End();
    }

    private void Begin(long seq, long ts, RecordKind kind, ReadOnlySpan<byte> name)
    {
        BeginRecord(seq, ts, kind, name);
        _json.WriteStartObject("payload"u8);
    }

    private void BeginRecord(long seq, long ts, RecordKind kind, ReadOnlySpan<byte> name)
    {
        (_seq, _kind, _start) = (seq, kind, _buffer.WrittenCount);
        _json.Reset(_buffer);
        _json.WriteStartObject();
        _json.WriteNumber("seq"u8, seq);
        _json.WriteNumber("ts"u8, ts);
        _json.WriteString("defDigest"u8, _digest);
        _json.WriteString("kind"u8, name);
    }

    private JournalEntry End()
    {
        _json.WriteEndObject();
        return EndRecord();
    }

    private JournalEntry EndRecord()
    {
        _json.WriteEndObject();
        _json.Flush();
        return new JournalEntry(_seq, _kind, _buffer.WrittenMemory[_start..]);
    }

    private void WriteRaw(ReadOnlySpan<byte> name, JsonPayload value)
    {
        _json.WritePropertyName(name);
        _json.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
    }
}
