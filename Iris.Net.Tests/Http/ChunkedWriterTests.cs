using System.Buffers;
using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

public class ChunkedWriterTests
{
    [Test]
    public void A_chunk_is_its_size_in_hexadecimal_its_data_and_a_line_end()
    {
        var output = new TightWriter();
        ChunkedWriter.Write(output, "hello"u8);
        ChunkedWriter.Write(output, ""u8);
        ChunkedWriter.Write(output, new byte[26]);
        ChunkedWriter.WriteLast(output);
        Assert.That(Bytes.Text(output.Written), Is.EqualTo($"5\r\nhello\r\n1a\r\n{new string('\0', 26)}\r\n0\r\n\r\n"));
    }

    [TestCase(1L, "1\r\n")]
    [TestCase(0x10000L, "10000\r\n")]
    [TestCase(long.MaxValue, "7fffffffffffffff\r\n")]
    public void The_start_of_a_chunk(long size, string expected)
    {
        Span<byte> start = new byte[ChunkedWriter.MaxStartLength];
        Assert.That(Bytes.Text(start[..ChunkedWriter.FormatStart(start, size)]), Is.EqualTo(expected));
    }

    [TestCase(0L)]
    [TestCase(-1L)]
    public void A_chunk_without_data_would_end_the_body(long size) =>
        Assert.That(() => ChunkedWriter.FormatStart(new byte[18], size), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void What_is_written_is_read_again([Values(1, 15, 16, 255, 256, 70000)] int size, [Values(1, 7, 4096)] int step)
    {
        byte[] data = new byte[size];
        new Random(size).NextBytes(data);
        var output = new TightWriter();
        for (int at = 0; at < size; at += step)
            ChunkedWriter.Write(output, data.AsSpan(at, Math.Min(step, size - at)));
        ChunkedWriter.WriteLast(output);

        var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(output.Written));
        var body = new ArrayBufferWriter<byte>();
        var reader = new ChunkedReader(new ChunkedLimits { Overhead = int.MaxValue });
        Assert.That(reader.Read(ref input, body, size, out _), Is.EqualTo(OperationStatus.Done));
        Assert.That(input.End, Is.True);
        Assert.That(reader.BodyLength, Is.EqualTo(size));
        Assert.That(body.WrittenSpan.SequenceEqual(data), Is.True);
    }
}
