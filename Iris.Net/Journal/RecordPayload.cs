using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>What a record says, read.</summary>
internal static class RecordPayload
{
    public static JsonElement Of(in JournalEntry record)
    {
        var reader = new Utf8JsonReader(record.Utf8.Span, new JsonReaderOptions { MaxDepth = 128 });
        return JsonElement.ParseValue(ref reader).GetProperty("payload"u8);
    }

    /// <summary>The six characters that name an attempt, of its <c>turn_started</c>.</summary>
    public static string NameOf(in JournalEntry turnStarted) => Of(turnStarted).GetProperty("name"u8).GetString()!;
}
