using System.Buffers;
using System.Text;
using Iris.Net.Journal;
using Iris.Net.Stores.Files;

namespace Iris.Net.Tests.Stores.Files;

public sealed class RecordFrameTests
{
    private static readonly JournalEntry[] Entries =
        [new(7, RecordKind.Decision, "{\"a\":1}"u8.ToArray()), new(9, RecordKind.Commit, "{\"b\":2}"u8.ToArray()), new(10, RecordKind.Marker, default)];

    private static readonly RecordFrame Frame = new()
    {
        Kind = FrameKind.Append,
        Lsn = 1234,
        Previous = 1000,
        Head = 1234,
        HeadLength = 7,
        FirstSeq = 7,
        NextSeq = 11,
        Status = SessionStatus.Parked,
        Pending = PendingWork.Signal,
        Fence = 5,
        Due = 42,
        Used = 43,
        Before = HashChain.Of("before"),
        Synced = 999,
    };

    private static byte[] Write(out RecordFrame written)
    {
        ArrayBufferWriter<byte> output = new();
        written = RecordFrame.Write(output, Frame, "sessiön", Entries);
        return output.WrittenSpan.ToArray();
    }

    [Test]
    public void A_frame_is_read_as_it_was_written()
    {
        byte[] bytes = Write(out RecordFrame written);
        Assert.That(RecordFrame.TryRead(bytes, out RecordFrame read), Is.EqualTo(OperationStatus.Done));
        Assert.That(read, Is.EqualTo(written));
        Assert.That(read with { Length = 0, Count = 0 }, Is.Not.EqualTo(default(RecordFrame)));
        Assert.That((read.Length, read.Count, read.Id(bytes)), Is.EqualTo((bytes.Length, 3, "sessiön")));
        Assert.That(read.TryReadEntries(bytes, out JournalEntry[] entries));
        Assert.That(
            entries.Select(e => (e.Seq, e.Kind, Encoding.UTF8.GetString(e.Utf8.Span))),
            Is.EqualTo(Entries.Select(e => (e.Seq, e.Kind, Encoding.UTF8.GetString(e.Utf8.Span)))));
    }

    [Test]
    public void A_frame_that_is_cut_anywhere_needs_more()
    {
        byte[] bytes = Write(out _);
        for (int length = 0; length < bytes.Length; length++)
            Assert.That(RecordFrame.TryRead(bytes.AsSpan(0, length), out _), Is.EqualTo(OperationStatus.NeedMoreData), $"{length} bytes");
    }

    [Test]
    public void A_frame_with_any_bit_flipped_is_invalid_and_never_short()
    {
        byte[] bytes = Write(out _);
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(RecordFrame.TryRead(bytes, out _), Is.EqualTo(OperationStatus.InvalidData), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Test]
    public void A_segments_header_is_read_as_it_was_written_and_any_other_refused()
    {
        ArrayBufferWriter<byte> output = new();
        SegmentHeader.Write(output, new SegmentHeader(3, 4711));
        byte[] bytes = output.WrittenSpan.ToArray();
        Assert.That(SegmentHeader.TryRead(bytes, out SegmentHeader header), Is.EqualTo(OperationStatus.Done));
        Assert.That(header, Is.EqualTo(new SegmentHeader(3, 4711)));
        for (int length = 0; length < bytes.Length; length++)
            Assert.That(SegmentHeader.TryRead(bytes.AsSpan(0, length), out _), Is.EqualTo(OperationStatus.NeedMoreData));
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(SegmentHeader.TryRead(bytes, out _), Is.EqualTo(OperationStatus.InvalidData), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    // The check value of CRC-32C (RFC 3720 appendix B.4 has others).
    [TestCase("123456789", 0xE3069283u)]
    [TestCase("", 0u)]
    public void The_checksum_is_the_one_that_everybody_means(string text, uint expected) =>
        Assert.That(Checksum.Of(Encoding.UTF8.GetBytes(text)), Is.EqualTo(expected));
}
