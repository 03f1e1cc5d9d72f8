using System.Security.Cryptography;
using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>A signal that was accepted and that no commit has consumed.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Payload">What it says, as JSON.</param>
internal sealed record AcceptedSignal(string Name, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Reads a <c>signal</c> record.</summary>
    public static AcceptedSignal Read(in JournalEntry record)
    {
        JsonElement payload = record.ReadPayload();
        return new(
            payload.GetProperty("name"u8).GetString()!,
            payload.TryGetProperty("payload"u8, out JsonElement said) ? ((JsonPayload)said).Utf8 : JsonPayload.Null.Utf8);
    }

    /// <summary>By what a payload is known again.</summary>
    public static byte[] DigestOf(ReadOnlyMemory<byte> payload) => SHA256.HashData(payload.Span);
}
