using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Iris.Net.Diagnostics;

/// <summary>What a session is called where its id must not stand: an id, with the right token, is a session.</summary>
internal static class SessionDigest
{
    private const int Shown = 4;

    /// <summary>The first 8 hexadecimal digits of the id's SHA-256.</summary>
    public static string Of(string sessionId)
    {
        byte[] id = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(sessionId.Length));
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(id.AsSpan(0, Encoding.UTF8.GetBytes(sessionId, id)), digest);
        ArrayPool<byte>.Shared.Return(id, clearArray: true);
        return Convert.ToHexStringLower(digest[..Shown]);
    }
}
