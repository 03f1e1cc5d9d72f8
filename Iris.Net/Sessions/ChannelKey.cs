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
    /// <summary>The key of one step: the same for every attempt of its request.</summary>
    public string ForStep(string sessionId, long requestSeq, int step, string name)
    {
        ArrayBufferWriter<byte> message = new(128);
        Field(message, "iris step"u8);
        Field(message, Encoding.UTF8.GetBytes(sessionId));
        Number(message, requestSeq);
        Number(message, step);
        Field(message, Encoding.UTF8.GetBytes(name));
        return Base64Url.EncodeToString(HMACSHA256.HashData(key.Span, message.WrittenSpan));
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
