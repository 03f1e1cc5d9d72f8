using System.Buffers.Binary;
using System.Text;

namespace Iris.Net.Tests.WebSockets;

/// <summary>Frames as a client sends them, right and wrong ones, made without the code under test.</summary>
internal static class ClientFrame
{
    private static readonly byte[] Key = [0x37, 0xfa, 0x21, 0x3d]; // the key of RFC 6455 section 5.7

    public static byte[] Hex(string hex) => Convert.FromHexString(hex.Replace(" ", ""));

    /// <summary>A masked frame with a minimal length; <paramref name="first"/> is the first byte as it is.</summary>
    public static byte[] Frame(byte first, byte[] payload) => [.. Head(first, payload.Length), .. Masked(payload)];

    public static byte[] Frame(byte first, string text = "") => Frame(first, Encoding.UTF8.GetBytes(text));

    public static byte[] Unmasked(byte first, string text) => [first, (byte)text.Length, .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Close(int code, string reason = "") => Close(code, Encoding.UTF8.GetBytes(reason));

    public static byte[] Close(int code, byte[] reason) => Frame(0x88, [(byte)(code >> 8), (byte)code, .. reason]);

    /// <summary>A masked head that announces a payload, in the given number of bytes for the length (0 is minimal).</summary>
    public static byte[] Head(byte first, long length, int lengthBytes = 0)
    {
        if (lengthBytes == 0)
            lengthBytes = length < 126 ? 1 : length < 65536 ? 2 : 8;
        var eight = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(eight, length);
        return lengthBytes switch
        {
            1 => [first, (byte)(0x80 | length), .. Key],
            2 => [first, 0x80 | 126, .. eight[6..], .. Key],
            _ => [first, 0x80 | 127, .. eight, .. Key],
        };
    }

    public static byte[] Masked(byte[] payload) => [.. payload.Select((octet, i) => (byte)(octet ^ Key[i % 4]))];
}
