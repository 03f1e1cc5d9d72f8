using System.Buffers;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>The head of a frame, read and written (RFC 6455 section 5.2).</summary>
[TestFixture]
internal sealed class FrameHeaderTests
{
    private static readonly object[][] Heads =
    [
        ["8100", new FrameHeader(true, Opcode.Text, 0)],
        ["0105", new FrameHeader(false, Opcode.Text, 5)],
        ["0000", new FrameHeader(false, Opcode.Continuation, 0)],
        ["8085 01020304", new FrameHeader(true, Opcode.Continuation, 5, true, 0x04030201)],
        ["827d", new FrameHeader(true, Opcode.Binary, 125)],
        ["827e007e", new FrameHeader(true, Opcode.Binary, 126)],
        ["82feffff 37fa213d", new FrameHeader(true, Opcode.Binary, 65535, true, 0x3d21fa37)],
        ["827f0000000000010000", new FrameHeader(true, Opcode.Binary, 65536)],
        ["02ff7fffffffffffffff ffffffff", new FrameHeader(false, Opcode.Binary, long.MaxValue, true, uint.MaxValue)],
        ["887d", new FrameHeader(true, Opcode.Close, 125)],
        ["8980 00000000", new FrameHeader(true, Opcode.Ping, 0, true)],
        ["8a02", new FrameHeader(true, Opcode.Pong, 2)],
    ];

    [TestCaseSource(nameof(Heads))]
    public void Reads_what_it_writes(string hex, object header)
    {
        var output = new ArrayBufferWriter<byte>();
        FrameHeader.Write(output, (FrameHeader)header);
        Assert.That(output.WrittenSpan.ToArray(), Is.EqualTo(ClientFrame.Hex(hex)));

        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>([.. output.WrittenSpan, 0xEE]));
        Assert.That(FrameHeader.TryRead(ref reader, out var read), Is.EqualTo(OperationStatus.Done));
        Assert.That(read, Is.EqualTo(header));
        Assert.That(reader.Remaining, Is.EqualTo(1), "nothing beyond the head is consumed");
    }

    [TestCaseSource(nameof(Heads))]
    public void A_part_needs_more_and_consumes_nothing(string hex, object header)
    {
        var bytes = ClientFrame.Hex(hex);
        for (var length = 0; length < bytes.Length; length++)
        {
            var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes, 0, length));
            var status = FrameHeader.TryRead(ref reader, out _);
            Assert.That(status, Is.EqualTo(OperationStatus.NeedMoreData), $"{header} cut at {length}");
            Assert.That(reader.Consumed, Is.Zero);
        }
    }

    [TestCase("91")]
    [TestCase("83")]
    [TestCase("8f")]
    [TestCase("09")]
    [TestCase("89fe")]
    [TestCase("817e007d")]
    [TestCase("817f000000000000ffff")]
    [TestCase("817f8000000000000000")]
    public void An_invalid_head_is_invalid_at_its_last_byte_and_consumes_nothing(string hex)
    {
        var bytes = ClientFrame.Hex(hex);
        var reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes));
        Assert.That(FrameHeader.TryRead(ref reader, out _), Is.EqualTo(OperationStatus.InvalidData));
        Assert.That(reader.Consumed, Is.Zero);

        reader = new SequenceReader<byte>(new ReadOnlySequence<byte>(bytes, 0, bytes.Length - 1));
        Assert.That(FrameHeader.TryRead(ref reader, out _), Is.EqualTo(OperationStatus.NeedMoreData));
    }

    [Test]
    public void Every_first_and_second_byte_has_the_verdict_of_the_RFC()
    {
        for (var first = 0; first < 256; first++)
        {
            for (var second = 0; second < 256; second++)
            {
                var (opcode, length) = (first & 15, second & 127);
                var valid = (first & 0x70) == 0 && opcode is 0 or 1 or 2 or 8 or 9 or 10
                    && (opcode < 8 || ((first & 0x80) != 0 && length < 126));
                byte[] rest = length switch { 126 => [1, 0], 127 => [0, 0, 0, 0, 1, 0, 0, 0], _ => [] };

                var reader = new SequenceReader<byte>(
                    new ReadOnlySequence<byte>([(byte)first, (byte)second, .. rest, 1, 2, 3, 4]));
                var status = FrameHeader.TryRead(ref reader, out _);
                if (status != (valid ? OperationStatus.Done : OperationStatus.InvalidData))
                    Assert.Fail($"{first:x2} {second:x2}: {status}");
            }
        }
    }
}
