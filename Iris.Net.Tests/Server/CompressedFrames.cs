using System.Buffers;
using System.IO.Compression;
using System.Text;
using Iris.Net.Server;
using Iris.Net.Tests.WebSockets;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.Server;

/// <summary>A server's end of a connection that agreed on compression, and what a client sends it.</summary>
internal sealed class CompressedFrames : IMessageInflater
{
    private readonly MessageInflater _inflater;
    private readonly WebSocketProtocol _protocol;
    private readonly List<string> _said = [];
    private byte[] _pending = [];

    public CompressedFrames(MessageLimits? limits = null, bool forgets = true)
    {
        _inflater = new MessageInflater(forgets);
        _protocol = new WebSocketProtocol(limits ?? new MessageLimits(), this);
    }

    /// <summary>What came: "text 'Hello'", "binary 0001", "ping", "failed 1007".</summary>
    public string Said => string.Join(", ", _said);

    /// <summary>How many bytes were inflated, those that were refused too.</summary>
    public long Inflated { get; private set; }

    public Span<byte> Room => _inflater.Room;

    public static string Feed(MessageLimits? limits, bool forgets, params byte[][] pieces)
    {
        using var frames = new CompressedFrames(limits, forgets);
        foreach (byte[] piece in pieces)
            frames.Take(piece);
        return frames.Said;
    }

    /// <summary>Compresses as RFC 7692 section 7.2.1 says, each message by itself.</summary>
    public static byte[] Deflate(ReadOnlySpan<byte> message, CompressionLevel level = CompressionLevel.Optimal)
    {
        using var output = new MemoryStream();
        using var stream = new DeflateStream(output, level, leaveOpen: true);
        stream.Write(message);
        stream.Flush();
        byte[] bytes = output.ToArray();
        Assert.That(bytes[^4..], Is.EqualTo(new byte[] { 0, 0, 0xFF, 0xFF }));
        return bytes[..^4];
    }

    public static byte[] Deflate(string text) => Deflate(Encoding.UTF8.GetBytes(text));

    public void Take(byte[] piece)
    {
        byte[] input = [.. _pending, .. piece];
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(input));
        var replies = new ArrayBufferWriter<byte>();
        while (true)
        {
            WebSocketEvent read = _protocol.Read(ref reader, replies, now: 0);
            if (read == WebSocketEvent.None)
                break;
            _said.Add(read switch
            {
                WebSocketEvent.TextMessage => $"text {ProtocolFeeder.Describe(_protocol.Message.ToArray())}",
                WebSocketEvent.BinaryMessage => $"binary {ProtocolFeeder.Describe(_protocol.Message.ToArray())}",
                WebSocketEvent.Failed => $"failed {(int)_protocol.CloseCode}",
                _ => read.ToString().ToLowerInvariant(),
            });
        }

        _pending = reader.UnreadSequence.ToArray();
    }

    void IMessageInflater.Take(int count) => _inflater.Take(count);

    public void TakeEnd() => _inflater.TakeEnd();

    public bool TryInflate(Span<byte> into, out int count)
    {
        bool isValid = _inflater.TryInflate(into, out count);
        Inflated += count;
        return isValid;
    }

    public bool TryEnd() => _inflater.TryEnd();

    public void Dispose() => _inflater.Dispose();
}
