using System.Buffers.Binary;
using System.Text;

namespace Iris.Net.Tests.Conformance.Raw;

/// <summary>A frame as it came (RFC 6455 section 5.2).</summary>
internal sealed record RawFrame(byte Opcode, byte[] Payload, bool Final)
{
    public string Text => Encoding.UTF8.GetString(Payload);

    /// <summary>A close frame's code; null where it has none.</summary>
    public int? CloseCode => Opcode == RawWebSocket.Close && Payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(Payload) : null;

    public override string ToString() => Opcode == RawWebSocket.Close ? $"close {CloseCode}" : $"opcode {Opcode}: {Text}";
}

/// <summary>A WebSocket client that knows frames and nothing else; a ping it answers only where it waits for text.</summary>
internal sealed class RawWebSocket : IAsyncDisposable
{
    public const byte Continuation = 0, Message = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10;

    /// <summary>The key of RFC 6455 section 1.3, whose answer is <see cref="Accept"/>.</summary>
    public const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    public const string Accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    private static readonly byte[] Mask = [0x37, 0xfa, 0x21, 0x3d];
    private readonly RawConnection _connection;

    private RawWebSocket(RawConnection connection) => _connection = connection;

    public static string[] HandshakeFields { get; } =
        ["Connection: Upgrade", "Upgrade: websocket", $"Sec-WebSocket-Key: {Key}", "Sec-WebSocket-Version: 13"];

    /// <summary>Opens a connection, with bytes that leave together with the handshake.</summary>
    public static Task<RawWebSocket> OpenAsync(Uri server, params byte[] first) => OpenAsync(server, [], first);

    /// <summary>As the other, with field lines beside the handshake's own.</summary>
    public static async Task<RawWebSocket> OpenAsync(Uri server, string[] fields, byte[] first, string target = "/v1/ws")
    {
        RawConnection connection = await RawConnection.OpenAsync(server);
        await connection.WriteAsync((byte[])[.. RawRequest.Get(target, [.. fields, .. HandshakeFields]).Bytes(server), .. first]);
        RawHead head = await connection.ReadHeadAsync();
        Assert.That(head.Status, Is.EqualTo(101), head.StatusLine);
        Assert.That(head["Sec-WebSocket-Accept"], Is.EqualTo(Accept));
        return new RawWebSocket(connection);
    }

    /// <summary>A client's frame, masked unless a test wants it wrong.</summary>
    public static byte[] Frame(byte opcode, ReadOnlySpan<byte> payload, bool final = true, bool masked = true)
    {
        using MemoryStream frame = new();
        frame.WriteByte((byte)((final ? 0x80 : 0) | opcode));
        byte bit = masked ? (byte)0x80 : (byte)0;
        if (payload.Length < 126)
            frame.WriteByte((byte)(bit | payload.Length));
        else if (payload.Length <= ushort.MaxValue)
            frame.Write([(byte)(bit | 126), (byte)(payload.Length >> 8), (byte)payload.Length]);
        else
        {
            Span<byte> length = stackalloc byte[9];
            length[0] = (byte)(bit | 127);
            BinaryPrimitives.WriteInt64BigEndian(length[1..], payload.Length);
            frame.Write(length);
        }

        if (masked)
            frame.Write(Mask);
        for (int i = 0; i < payload.Length; i++)
            frame.WriteByte(masked ? (byte)(payload[i] ^ Mask[i & 3]) : payload[i]);
        return frame.ToArray();
    }

    public static byte[] TextFrame(string text) => Frame(Message, Encoding.UTF8.GetBytes(text));

    public Task SendAsync(string text) => _connection.WriteAsync(TextFrame(text));

    public Task SendAsync(byte opcode, ReadOnlySpan<byte> payload, bool final = true, bool masked = true) =>
        _connection.WriteAsync(Frame(opcode, payload, final, masked));

    public Task WriteAsync(byte[] bytes) => _connection.WriteAsync(bytes);

    public Task SendCloseAsync(ushort code, string reason = "") =>
        SendAsync(Close, (byte[])[(byte)(code >> 8), (byte)code, .. Encoding.UTF8.GetBytes(reason)]);

    public async Task<RawFrame> ReceiveAsync()
    {
        byte[] head = await _connection.ReadExactlyAsync(2);
        Assert.That(head[0] & 0x70, Is.Zero, "reserved bits");
        Assert.That(head[1] & 0x80, Is.Zero, "a server masks nothing");
        long length = head[1] switch
        {
            126 => BinaryPrimitives.ReadUInt16BigEndian(await _connection.ReadExactlyAsync(2)),
            127 => BinaryPrimitives.ReadInt64BigEndian(await _connection.ReadExactlyAsync(8)),
            var small => small,
        };
        return new RawFrame((byte)(head[0] & 0x0f), await _connection.ReadExactlyAsync((int)length), (head[0] & 0x80) != 0);
    }

    /// <summary>The next text message; any other frame but a ping or two fails the test.</summary>
    public async Task<string> ReceiveTextAsync()
    {
        RawFrame frame = await ReceiveAsync();
        for (int pings = 0; frame.Opcode == Ping && pings < 2; pings++)
        {
            await SendAsync(Pong, frame.Payload);
            frame = await ReceiveAsync();
        }

        Assert.That((frame.Opcode, frame.Final), Is.EqualTo((Message, true)), frame.ToString());
        return frame.Text;
    }

    /// <summary>The events up to the next outcome; an error before it fails the test.</summary>
    public async Task<List<string>> ReceiveToOutcomeAsync()
    {
        List<string> events = [];
        do
        {
            events.Add(await ReceiveTextAsync().Within());
            Assert.That(events[^1], Does.Not.StartWith("{\"type\":\"error\""));
        }
        while (!events[^1].StartsWith("{\"type\":\"outcome\"", StringComparison.Ordinal));
        return events;
    }

    /// <summary>What comes after the close frame: nothing but the end.</summary>
    public Task<byte[]> ReadToEndAsync() => _connection.ReadToEndAsync();

    /// <summary>The end of what we send, without a close frame.</summary>
    public void ShutdownSend() => _connection.ShutdownSend();

    public void Abort() => _connection.Abort();

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
