using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Iris.Net;

/// <summary>One JSON value as UTF-8 on a single line, at most 64 levels deep, or none at all (<c>default</c>). Converts from
/// <see cref="JsonElement"/> and <see cref="JsonNode"/>; other types go through <see cref="From{T}"/>.</summary>
public readonly struct JsonPayload
{
    private const int MaxDepth = 64;

    private readonly ReadOnlyMemory<byte> _utf8;

    private JsonPayload(ReadOnlyMemory<byte> utf8) => _utf8 = utf8;

    /// <summary>JSON <c>null</c>, which is a value: it differs from no value.</summary>
    public static JsonPayload Null { get; } = new("null"u8.ToArray());

    /// <summary>False where there is no value.</summary>
    public bool HasValue => !_utf8.IsEmpty;

    /// <summary>The value's UTF-8; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Utf8 => _utf8;

    /// <summary>Serialises a value by its source-generated contract, so that trimmed programs work.</summary>
    /// <exception cref="JsonException">The value cannot be written as JSON, or is too deep.</exception>
    public static JsonPayload From<T>(T value, JsonTypeInfo<T> json) => FromUtf8(JsonSerializer.SerializeToUtf8Bytes(value, json));

    /// <summary>Takes one JSON value in UTF-8, which must be valid; line breaks between its tokens are removed.</summary>
    /// <exception cref="JsonException">The bytes are not one JSON value, or it is too deep.</exception>
    public static JsonPayload Parse(ReadOnlySpan<byte> utf8) => FromUtf8(utf8.Trim(" \t\r\n"u8).ToArray());

    /// <summary>Takes the value of an element as it was written; an undefined element is no value.</summary>
    /// <exception cref="JsonException">It is too deep, or its document was not UTF-8.</exception>
    public static implicit operator JsonPayload(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Undefined)
            return default;
        byte[] utf8 = JsonMarshal.GetRawUtf8Value(element).ToArray();
        try
        {
            return FromUtf8(utf8);
        }
        catch (JsonException) when (System.Text.Unicode.Utf8.IsValid(utf8))
        {
            return FromUtf8(Rewritten(element));   // its document was read with comments and trailing commas let through
        }
    }

    /// <summary>Takes the value of a node; a null node is JSON <c>null</c>.</summary>
    /// <exception cref="InvalidOperationException">It is too deep.</exception>
    public static implicit operator JsonPayload(JsonNode? node) =>
        node is null ? Null : FromUtf8(Encoding.UTF8.GetBytes(node.ToJsonString(JsonText.Relaxed)));

    /// <summary>The value as text, for a person to read.</summary>
    public override string ToString() => Encoding.UTF8.GetString(_utf8.Span);

    // What a journal takes it must be able to give back. A stream's event is one line: a value that came with line breaks
    // loses the white space between its tokens.
    private static JsonPayload FromUtf8(byte[] utf8)
    {
        if (!System.Text.Unicode.Utf8.IsValid(utf8))
            throw new JsonException("The value is not UTF-8.");
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read()) { }
        return new(utf8.AsSpan().IndexOfAny((byte)'\n', (byte)'\r') < 0 ? utf8 : JsonWhiteSpace.Remove(utf8));
    }

    private static byte[] Rewritten(JsonElement element)
    {
        ArrayBufferWriter<byte> buffer = new();
        using Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Encoder = JsonText.Relaxed.Encoder });
        element.WriteTo(json);
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
