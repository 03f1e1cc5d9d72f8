using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>
/// Feeds a connection as a pipe would and writes down what it says: "text 'Hello', ping, send pong '', failed 1002, send close
/// 1002". As a server does, it sends the close that is due at once.
/// </summary>
internal sealed class ProtocolFeeder(MessageLimits limits)
{
    private readonly WebSocketProtocol _protocol = new(limits);
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly List<string> _said = [];
    private byte[] _pending = [];

    public string Said => string.Join(", ", _said);

    public bool HasEnded => _protocol.State is not (CloseState.Active or CloseState.ClosedByUs);

    /// <summary>Feeds the input whole, split at every position, in segments of a byte and byte by byte.</summary>
    public static void AssertEveryWay(FrameCase given)
    {
        var input = given.Input;
        Assert.That(Feed(given.Limits, input), Is.EqualTo(given.Answer), "whole");
        Assert.That(Feed(given.Limits, [.. input.Select(octet => new[] { octet })]), Is.EqualTo(given.Answer), "byte by byte");

        var segments = new ProtocolFeeder(given.Limits);
        segments.Take(Segmented(input));
        Assert.That(segments.Said, Is.EqualTo(given.Answer), "in segments of one byte");

        if (Ends(given.Answer))
        {
            var next = ClientFrame.Frame(0x81, "next");
            Assert.That(Feed(given.Limits, [.. input, .. next]), Is.EqualTo(given.Answer), "with more behind it");
        }

        if (given.EndsAtLastByte)
            Assert.That(Feed(given.Limits, input[..^1]), Is.Not.EqualTo(given.Answer), "without the last byte");

        // Long inputs are split where heads are, and at every so many positions between.
        for (var at = 1; at < input.Length; at += at < 300 || at > input.Length - 50 ? 1 : Math.Max(1, input.Length / 97))
            Assert.That(Feed(given.Limits, input[..at], input[at..]), Is.EqualTo(given.Answer), $"split at {at}");
    }

    public static string Feed(MessageLimits limits, params byte[][] pieces)
    {
        var feeder = new ProtocolFeeder(limits);
        foreach (var piece in pieces)
            feeder.Take(piece);
        return feeder.Said;
    }

    public void Take(params byte[] piece) =>
        Take(new ReadOnlySequence<byte>(_pending.Length == 0 ? piece : [.. _pending, .. piece]));

    public void Close(WebSocketCloseCode code)
    {
        _protocol.WriteClose(_output, code);
        WriteDownReplies();
    }

    private void Take(ReadOnlySequence<byte> input)
    {
        var reader = new SequenceReader<byte>(input);
        while (true)
        {
            var read = _protocol.Read(ref reader, _output, now: 0);
            if (read == WebSocketEvent.None)
                break;
            _said.Add(read switch
            {
                WebSocketEvent.TextMessage => $"text {Describe(_protocol.Message.ToArray())}",
                WebSocketEvent.BinaryMessage => $"binary {Describe(_protocol.Message.ToArray())}",
                WebSocketEvent.Ping => "ping",
                WebSocketEvent.Pong => "pong",
                WebSocketEvent.Close when _protocol.CloseReason.Length > 0 =>
                    $"close {(int)_protocol.CloseCode} '{_protocol.CloseReason}'",
                WebSocketEvent.Close => $"close {(int)_protocol.CloseCode}",
                _ => $"failed {(int)_protocol.CloseCode}",
            });
            if (read is WebSocketEvent.Close or WebSocketEvent.Failed)
                _protocol.WriteClose(_output);
            WriteDownReplies();
        }

        _pending = reader.UnreadSequence.ToArray();
    }

    private void WriteDownReplies()
    {
        var sent = _output.WrittenSpan;
        while (!sent.IsEmpty)
        {
            Assert.That(sent[1], Is.LessThan(126), "a reply is a control frame, and not masked");
            var payload = sent.Slice(2, sent[1]);
            _said.Add(sent[0] switch
            {
                0x8A => $"send pong {Describe(payload)}",
                0x88 when payload.IsEmpty => "send close",
                0x88 when payload.Length == 2 => $"send close {BinaryPrimitives.ReadUInt16BigEndian(payload)}",
                _ => $"send {sent[0]:x2} {Describe(payload)}",
            });
            sent = sent[(2 + payload.Length)..];
        }

        _output.Clear();
    }

    private static bool Ends(string answer) => answer.Contains("send close");

    public static string Describe(ReadOnlySpan<byte> payload)
    {
        if (payload.Length > 40 && payload.IndexOfAnyExcept(payload[0]) < 0)
            return $"{payload.Length} x {payload[0]:x2}";
        return Utf8.IsValid(payload) && payload.IndexOfAnyInRange((byte)0, (byte)31) < 0
            ? $"'{Encoding.UTF8.GetString(payload)}'"
            : Convert.ToHexStringLower(payload);
    }

    private static ReadOnlySequence<byte> Segmented(byte[] input)
    {
        var first = new Segment(ReadOnlyMemory<byte>.Empty, 0);
        var last = first;
        for (var i = 0; i < input.Length; i++)
            last = last.Append(input.AsMemory(i, 1));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
