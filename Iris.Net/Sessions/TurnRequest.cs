using System.Security.Cryptography;
using System.Text;

namespace Iris.Net.Sessions;

/// <summary>What a client asks a turn for.</summary>
/// <param name="Body">Its JSON without white space and without <c>continuationToken</c>; the sessions' own copy.</param>
/// <param name="Principal">Who asks; null where the server asks nobody.</param>
/// <param name="Key">Its idempotency key; null where it has none.</param>
internal readonly record struct TurnRequest(ReadOnlyMemory<byte> Body, string? Principal, string? Key = null)
{
    /// <summary>The fewest characters of a key that starts a session for nobody in particular: who has it has the session.</summary>
    public const int LeastBearerKey = 20;

    /// <summary>Whether it came with what is no idempotency key, or with another field that means nothing.</summary>
    public bool HasInvalidField { get; init; }

    /// <summary>Whether it cancels the turn that it meets.</summary>
    public bool Interrupts { get; init; }

    /// <summary>SHA-256 of the idempotency key; empty where there is none.</summary>
    public ReadOnlyMemory<byte> KeyDigest => Key is null ? default : SHA256.HashData(Encoding.UTF8.GetBytes(Key));

    /// <summary>By what the body of a keyed request is known again once it is gone; empty where the request has no key.</summary>
    public static ReadOnlyMemory<byte> DigestOf(ReadOnlyMemory<byte> keyDigest, ReadOnlyMemory<byte> body) =>
        keyDigest.IsEmpty ? default : SHA256.HashData(body.Span);
}
