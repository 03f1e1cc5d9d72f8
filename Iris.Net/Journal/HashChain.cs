using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Iris.Net.Journal;

/// <summary>Where a journal's chain stands: SHA-256 of the session's id, and from there of each record behind the hash before it.
/// A record that was changed, dropped or moved breaks it.</summary>
internal readonly record struct HashChain
{
    /// <summary>How many bytes it has.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    private const int OnStack = 1024;

    private readonly UInt128 _first, _second;

    private HashChain(ReadOnlySpan<byte> hash) =>
        (_first, _second) = (BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[(Size / 2)..]));

    /// <summary>Before a session's first record.</summary>
    public static HashChain Of(string sessionId)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(Encoding.UTF8.GetBytes(sessionId), hash);
        return new HashChain(hash);
    }

    /// <summary>As <see cref="CopyTo"/> wrote it.</summary>
    public static HashChain Read(ReadOnlySpan<byte> from) => new(from[..Size]);

    /// <summary>After one more record.</summary>
    public HashChain After(ReadOnlySpan<byte> record)
    {
        byte[]? rented = null;
        int length = Size + record.Length;
        Span<byte> both = length <= OnStack ? stackalloc byte[OnStack] : rented = ArrayPool<byte>.Shared.Rent(length);
        CopyTo(both);
        record.CopyTo(both[Size..]);
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(both[..length], hash);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return new HashChain(hash);
    }

    /// <summary>After these records.</summary>
    public HashChain After(ReadOnlySpan<JournalEntry> records)
    {
        HashChain chain = this;
        foreach (ref readonly JournalEntry record in records)
            chain = chain.After(record.Utf8.Span);
        return chain;
    }

    /// <summary>Writes its bytes.</summary>
    public void CopyTo(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt128BigEndian(to, _first);
        BinaryPrimitives.WriteUInt128BigEndian(to[(Size / 2)..], _second);
    }

    /// <summary>Its bytes in hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
