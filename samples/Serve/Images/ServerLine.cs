using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Iris.Net;

namespace Iris.Serve.Images;

/// <summary>Writes the lines that an image's program reads.</summary>
internal static class ServerLine
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>{"type":"turn","sessionId":S,"turn":N,"attempt":N,"body":…,"state":…|null,"signal":{"name":N,"payload":…}|null,
    /// "steps":[…]}</c>; a wake turn adds <c>"wake":{"kind":K}</c>.</summary>
    public static byte[] Turn(TurnContext turn) => Line("turn", line =>
    {
        line.WriteString("sessionId", turn.SessionId);
        line.WriteNumber("turn", turn.Number);
        line.WriteNumber("attempt", turn.Attempt);
        Write(line, "body", turn.Body);
        Write(line, "state", turn.State ?? JsonPayload.Null);
        WriteSignal(line, turn);
        line.WriteStartArray("steps");
        foreach (RecordedStep step in turn.RecordedSteps)
        {
            line.WriteStartObject();
            line.WriteString("name", step.Name);
            Write(line, "value", step.Value);
            line.WriteEndObject();
        }

        line.WriteEndArray();
        if (turn.WokenBy is { } kind)
        {
            line.WriteStartObject("wake");
            line.WriteString("kind", kind == WaitKind.Signal ? "signal" : "timer");
            line.WriteEndObject();
        }
    });

    /// <summary><c>{"type":"wakeKey","name":N,"url":U,"key":K}</c></summary>
    public static byte[] WakeKey(string name, WakeKey wake) => Line("wakeKey", line =>
    {
        line.WriteString("name", name);
        line.WriteString("url", wake.Url);
        line.WriteString("key", wake.Key);
    });

    /// <summary><c>{"type":"perform","step":NAME,"idempotencyKey":K}</c></summary>
    public static byte[] Perform(StepContext step) => Line("perform", line =>
    {
        line.WriteString("step", step.Name);
        line.WriteString("idempotencyKey", step.IdempotencyKey);
    });

    /// <summary><c>{"type":"result","step":NAME,"value":…}</c></summary>
    public static byte[] Result(string step, JsonElement value) => Line("result", line =>
    {
        line.WriteString("step", step);
        Write(line, "value", value);
    });

    private static void WriteSignal(Utf8JsonWriter line, TurnContext turn)
    {
        if (turn.SignalName is not { } name || !turn.TryGetSignal(name, out JsonElement payload))
        {
            line.WriteNull("signal");
            return;
        }

        line.WriteStartObject("signal");
        line.WriteString("name", name);
        Write(line, "payload", payload);
        line.WriteEndObject();
    }

    private static byte[] Line(string type, Action<Utf8JsonWriter> writeFields)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var line = new Utf8JsonWriter(bytes, Plain))
        {
            line.WriteStartObject();
            line.WriteString("type", type);
            writeFields(line);
            line.WriteEndObject();
        }

        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }

    // As it was written, but on one line.
    private static void Write(Utf8JsonWriter line, string name, JsonPayload value)
    {
        line.WritePropertyName(name);
        line.WriteRawValue(value.Utf8.Span, skipInputValidation: true);
    }
}
