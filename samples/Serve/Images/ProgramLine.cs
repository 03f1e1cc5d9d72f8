using System.Text.Json;
using System.Text.Unicode;
using Iris.Net;

namespace Iris.Serve.Images;

/// <summary>A line that an image's program writes.</summary>
internal abstract record ProgramLine
{
    /// <summary><c>{"type":"delta","text":S}</c></summary>
    public sealed record Delta(string Text) : ProgramLine;

    /// <summary><c>{"type":"step","name":NAME,"request":…}</c></summary>
    public sealed record Step(string Name, JsonPayload Request) : ProgramLine;

    /// <summary><c>{"type":"performed","step":NAME,"value":…}</c></summary>
    public sealed record Performed(string Name, JsonElement Value) : ProgramLine;

    /// <summary><c>{"type":"wakeFor","name":N}</c></summary>
    public sealed record WakeFor(string Name) : ProgramLine;

    /// <summary><c>{"type":"outcome","status":"finished","output":…,"state":…}</c> or
    /// <c>{"type":"outcome","status":"parked","wait":W,"state":…}</c></summary>
    public sealed record Outcome(TurnOutcome Value) : ProgramLine;

    /// <summary><c>{"type":"error","message":S}</c></summary>
    public sealed record Error(string Message) : ProgramLine;

    /// <summary>Reads a line; fields that the protocol does not know are passed over.</summary>
    /// <exception cref="ImageException">It is not a line of the protocol; the message does not repeat it.</exception>
    public static ProgramLine Parse(byte[] line)
    {
        if (line.Length >= ImageProcess.LongestLine)
            throw new ImageException($"wrote a line of more than {ImageProcess.LongestLine} bytes");
        try
        {
            Judge(line);
            JsonElement json = JsonElement.Parse(line);
            if (json.ValueKind != JsonValueKind.Object)
                throw new ImageException("wrote a line that is not a JSON object");
            return TextOf(json, "type") switch
            {
                "delta" => new Delta(TextOf(json, "text")),
                "step" => new Step(TextOf(json, "name"), Optional(json, "request")),
                "performed" => new Performed(TextOf(json, "step"), Required(json, "value")),
                "wakeFor" => new WakeFor(TextOf(json, "name")),
                "outcome" => new Outcome(ReadOutcome(json)),
                "error" => new Error(TextOf(json, "message")),
                string type => throw new ImageException($"wrote a line of unknown type '{type}'"),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ImageException("wrote a line that is not JSON");
        }
    }

    // The parser takes invalid UTF-8 and lone surrogates in strings, which no client could read.
    private static void Judge(byte[] line)
    {
        if (!Utf8.IsValid(line))
            throw new JsonException();
        var reader = new Utf8JsonReader(line);
        while (reader.Read())
        {
            if (reader.ValueIsEscaped)
                reader.GetString();
        }
    }

    private static TurnOutcome ReadOutcome(JsonElement line)
    {
        JsonPayload state = Optional(line, "state");
        return TextOf(line, "status") switch
        {
            "finished" => TurnOutcome.Finished(Optional(line, "output"), state),
            "parked" => ReadWait(Required(line, "wait"), state),
            string status => throw new ImageException($"wrote an outcome of unknown status '{status}'"),
        };
    }

    private static TurnOutcome ReadWait(JsonElement wait, JsonPayload state)
    {
        if (wait.ValueKind != JsonValueKind.Object)
            throw new ImageException("wrote a 'wait' that is not an object");
        try
        {
            return TextOf(wait, "kind") switch
            {
                "user" => TurnOutcome.ParkedOnUser(state),
                "signal" => TurnOutcome.ParkedOnSignal(TextOf(wait, "name"), state),
                "timer" when Required(wait, "at") is { ValueKind: JsonValueKind.Number } at && at.TryGetInt64(out long time) =>
                    TurnOutcome.ParkedOnTimer(DateTimeOffset.FromUnixTimeMilliseconds(time), state),
                "timer" => throw new ImageException("wrote a timer whose 'at' is not a whole number of milliseconds"),
                string kind => throw new ImageException($"wrote a wait of unknown kind '{kind}'"),
            };
        }
        catch (ArgumentException e)
        {
            throw new ImageException($"wrote a wait that cannot be: {e.Message}");
        }
    }

    private static string TextOf(JsonElement line, string field) =>
        line.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new ImageException($"wrote a line whose '{field}' is not a string");

    private static JsonElement Required(JsonElement line, string field) =>
        line.TryGetProperty(field, out JsonElement value)
            ? value
            : throw new ImageException($"wrote a line without '{field}'");

    private static JsonElement Optional(JsonElement line, string field) =>
        line.TryGetProperty(field, out JsonElement value) ? value : default;
}
