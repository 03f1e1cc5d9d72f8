using System.Buffers;
using System.Buffers.Binary;

namespace Iris.Net.Stores.Files;

/// <summary>The start of a segment's file: magic, format version, the segment's number, the LSN of its first frame, checksum.</summary>
internal readonly record struct SegmentHeader(long Number, long Base)
{
    /// <summary>How many bytes it takes.</summary>
    public const int Size = 64;

    private const int VersionAt = 8, NumberAt = 16, BaseAt = 24, ChecksumAt = 60;
    private const int FormatVersion = 1;

    private static ReadOnlySpan<byte> Magic => "IrisLog\n"u8;

    public static void Write(IBufferWriter<byte> output, in SegmentHeader header)
    {
        Span<byte> to = output.GetSpan(Size)[..Size];
        to.Clear();
        Magic.CopyTo(to);
        BinaryPrimitives.WriteInt32LittleEndian(to[VersionAt..], FormatVersion);
        BinaryPrimitives.WriteInt64LittleEndian(to[NumberAt..], header.Number);
        BinaryPrimitives.WriteInt64LittleEndian(to[BaseAt..], header.Base);
        BinaryPrimitives.WriteUInt32LittleEndian(to[ChecksumAt..], Checksum.Of(to[..ChecksumAt]));
        output.Advance(Size);
    }

    /// <summary>Invalid where a byte of it is not as it was written, or another version wrote it.</summary>
    public static OperationStatus TryRead(ReadOnlySpan<byte> input, out SegmentHeader header)
    {
        header = default;
        if (input.Length < Size)
            return OperationStatus.NeedMoreData;
        if (!input.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(input[ChecksumAt..]) != Checksum.Of(input[..ChecksumAt])
            || BinaryPrimitives.ReadInt32LittleEndian(input[VersionAt..]) != FormatVersion)
            return OperationStatus.InvalidData;
        header = new SegmentHeader(
            BinaryPrimitives.ReadInt64LittleEndian(input[NumberAt..]), BinaryPrimitives.ReadInt64LittleEndian(input[BaseAt..]));
        return header is { Number: >= 0, Base: >= 0 } ? OperationStatus.Done : OperationStatus.InvalidData;
    }
}
