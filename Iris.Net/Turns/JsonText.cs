using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Iris.Net;

/// <summary>How JSON is written here: as little escaped as the grammar allows; and how what was written is read again.</summary>
internal static class JsonText
{
    /// <summary>For writers of our own, whose calls are in order by construction.</summary>
    public static readonly JsonWriterOptions Writer =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // A body or a state 64 levels deep, inside a record.
    private static readonly JsonReaderOptions Reader = new() { MaxDepth = 128 };

    /// <summary>Writes an object of some members.</summary>
    public static byte[] Object(Action<Utf8JsonWriter> members)
    {
        ArrayBufferWriter<byte> buffer = new(256);
        using Utf8JsonWriter json = new(buffer, Writer);
        json.WriteStartObject();
        members(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();   // it may be kept for long
    }

    /// <summary>Reads one value that was judged before it was kept.</summary>
    public static JsonElement Parse(ReadOnlyMemory<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8.Span, Reader);
        return JsonElement.ParseValue(ref reader);
    }
}
