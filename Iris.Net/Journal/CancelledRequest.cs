using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>A request that a cancel closed.</summary>
/// <param name="FirstSeq">The seq of its first <c>turn_started</c>.</param>
/// <param name="Key">SHA-256 of its idempotency key; empty where it came without one.</param>
/// <param name="BodyDigest">SHA-256 of its body; empty where it has no key.</param>
internal readonly record struct CancelledRequest(long FirstSeq, ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> BodyDigest)
{
    /// <summary>Reads a <c>request_closed</c>; null where no cancel wrote it.</summary>
    public static CancelledRequest? Read(in JournalEntry record)
    {
        JsonElement payload = record.ReadPayload();
        if (!payload.TryGetProperty("from"u8, out JsonElement from))
            return null;
        return payload.TryGetProperty("key"u8, out JsonElement key)
            ? new(from.GetInt64(), key.GetBytesFromBase64(), payload.GetProperty("body"u8).GetBytesFromBase64())
            : new(from.GetInt64(), default, default);
    }
}
