using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>A wait as it stands in records and replies.</summary>
internal static class WaitJson
{
    public static void Write(Utf8JsonWriter json, SessionWait wait)
    {
        json.WriteStartObject();
        switch (wait.Kind)
        {
            case WaitKind.User:
                json.WriteString("kind"u8, "user"u8);
                break;
            case WaitKind.Signal:
                json.WriteString("kind"u8, "signal"u8);
                json.WriteString("name"u8, wait.Name);
                break;
            case WaitKind.Timer:
                json.WriteString("kind"u8, "timer"u8);
                json.WriteNumber("at"u8, wait.At!.Value.ToUnixTimeMilliseconds());
                break;
        }

        json.WriteEndObject();
    }

    /// <exception cref="FormatException">It is no wait.</exception>
    public static SessionWait Read(JsonElement wait) => wait.GetProperty("kind"u8).GetString() switch
    {
        "user" => SessionWait.User,
        "signal" => SessionWait.Signal(wait.GetProperty("name"u8).GetString()!),
        "timer" => SessionWait.Timer(DateTimeOffset.FromUnixTimeMilliseconds(wait.GetProperty("at"u8).GetInt64())),
        _ => throw new FormatException("It is no wait."),
    };
}
