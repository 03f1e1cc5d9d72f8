using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Iris.Net.Sessions;

/// <summary>What a channel derives its keys from: HMAC-SHA256 over a label and length-prefixed fields, so that no two
/// meanings collide.</summary>
internal sealed class ChannelKey(ReadOnlyMemory<byte> key)
{
    /// <summary>The fewest bytes that a key has.</summary>
    public const int LeastSize = 32;

    private const int NonceSize = 12, TagSize = 16;   // NIST SP 800-38D
    private const int SessionIdSize = 16;

    /// <summary>The key of one step: the same for every attempt of its request.</summary>
    public string ForStep(string sessionId, long requestSeq, int step, string name)
    {
        ArrayBufferWriter<byte> message = Message("iris step"u8, sessionId);
        Number(message, requestSeq);
        Number(message, step);
        Field(message, Encoding.UTF8.GetBytes(name));
        return Base64Url.EncodeToString(Derive(message));
    }

    /// <summary>The token that a session has after some committed client turns, in UTF-8.</summary>
    public byte[] ForToken(string sessionId, ReadOnlySpan<byte> salt, long clientTurns)
    {
        ArrayBufferWriter<byte> message = Message("iris token"u8, sessionId);
        Field(message, salt);
        Number(message, clientTurns);
        return Base64Url.EncodeToUtf8(Derive(message));
    }

    /// <summary>The id of the session that a principal starts with an idempotency key.</summary>
    public string ForSessionId(string? principal, string idempotencyKey)
    {
        ArrayBufferWriter<byte> message = Message("iris session"u8, idempotencyKey);
        Number(message, principal is null ? 0 : 1);
        Field(message, Encoding.UTF8.GetBytes(principal ?? ""));
        return Base64Url.EncodeToString(Derive(message).AsSpan(0, SessionIdSize));
    }

    /// <summary>Seals a token for one session: a nonce, AES-GCM, a tag.</summary>
    public byte[] Seal(ReadOnlySpan<byte> token, string sessionId) => Seal("iris seal"u8, token, sessionId);

    /// <summary>What was sealed with this key for this session; null where it was not.</summary>
    public byte[]? Open(ReadOnlySpan<byte> box, string sessionId) => Open("iris seal"u8, box, sessionId);

    /// <summary>Seals what a ticket says.</summary>
    public byte[] SealTicket(ReadOnlySpan<byte> content) => Seal("iris ticket"u8, content, "");

    /// <summary>What a ticket says that was made with this key; null where it was not.</summary>
    public byte[]? OpenTicket(ReadOnlySpan<byte> box) => Open("iris ticket"u8, box, "");

    private byte[] Seal(ReadOnlySpan<byte> label, ReadOnlySpan<byte> content, string sessionId)
    {
        byte[] box = new byte[NonceSize + content.Length + TagSize];
        Span<byte> nonce = box.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using AesGcm aes = new(Derive(Message(label, "")), TagSize);
        aes.Encrypt(
            nonce, content, box.AsSpan(NonceSize, content.Length), box.AsSpan(NonceSize + content.Length), Encoding.UTF8.GetBytes(sessionId));
        return box;
    }

    private byte[]? Open(ReadOnlySpan<byte> label, ReadOnlySpan<byte> box, string sessionId)
    {
        if (box.Length < NonceSize + TagSize)
            return null;
        byte[] content = new byte[box.Length - NonceSize - TagSize];
        using AesGcm aes = new(Derive(Message(label, "")), TagSize);
        try
        {
            aes.Decrypt(box[..NonceSize], box[NonceSize..^TagSize], box[^TagSize..], content, Encoding.UTF8.GetBytes(sessionId));
            return content;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private byte[] Derive(ArrayBufferWriter<byte> message) => HMACSHA256.HashData(key.Span, message.WrittenSpan);

    private static ArrayBufferWriter<byte> Message(ReadOnlySpan<byte> label, string subject)
    {
        ArrayBufferWriter<byte> message = new(160);
        Field(message, label);
        Field(message, Encoding.UTF8.GetBytes(subject));
        return message;
    }

    private static void Field(ArrayBufferWriter<byte> message, ReadOnlySpan<byte> field)
    {
        BinaryPrimitives.WriteInt32BigEndian(message.GetSpan(sizeof(int)), field.Length);
        message.Advance(sizeof(int));
        message.Write(field);
    }

    private static void Number(ArrayBufferWriter<byte> message, long number)
    {
        BinaryPrimitives.WriteInt32BigEndian(message.GetSpan(sizeof(int)), sizeof(long));
        message.Advance(sizeof(int));
        BinaryPrimitives.WriteInt64BigEndian(message.GetSpan(sizeof(long)), number);
        message.Advance(sizeof(long));
    }
}

/// <summary>The keys of a channel: the first one makes, all of them open.</summary>
internal sealed class ChannelKeys
{
    public ChannelKeys(IEnumerable<ReadOnlyMemory<byte>> keys)
    {
        All = [.. keys.Select(key => new ChannelKey(key))];
    }

    public IReadOnlyList<ChannelKey> All { get; }

    public ChannelKey Current => All[0];
}
