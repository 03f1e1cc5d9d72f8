using System.Buffers;
using System.Buffers.Binary;

namespace Iris.Net.WebSockets;

/// <summary>The head of a frame (RFC 6455 section 5.2).</summary>
/// <param name="IsFinal">Whether the frame ends its message (FIN).</param>
/// <param name="Opcode">What the frame is.</param>
/// <param name="Length">The payload's length in bytes.</param>
/// <param name="IsMasked">Whether the payload is masked: always from a client, never from a server.</param>
/// <param name="MaskingKey">The masking key as a little-endian number, so that its lowest byte masks the first byte.</param>
/// <param name="IsCompressed">RSV1: the message that the frame begins is compressed (RFC 7692 section 6).</param>
internal readonly record struct FrameHeader(
    bool IsFinal, Opcode Opcode, long Length, bool IsMasked = false, uint MaskingKey = 0, bool IsCompressed = false)
{
    /// <summary>The longest head: two bytes, a length of eight, a masking key of four.</summary>
    public const int MaxSize = 14;

    /// <summary>The longest payload of a control frame.</summary>
    public const int MaxControlLength = 125;

    private const byte Fin = 0x80, Rsv1 = 0x40, ReservedBits = 0x70, OpcodeBits = 0x0F, ControlBit = 0x08, Mask = 0x80, LengthBits = 0x7F;

    /// <summary>Whether the frame is a close, ping or pong.</summary>
    public bool IsControl => ((byte)Opcode & ControlBit) != 0;

    /// <summary>
    /// Reads one head and consumes nothing unless it is whole. Invalid as soon as the bytes that are there say so: reserved bits
    /// or opcodes, control frames that are fragmented or too long, lengths that are not minimal or do not fit 63 bits.
    /// </summary>
    /// <param name="input">What the peer sent.</param>
    /// <param name="header">The head.</param>
    /// <param name="mayCompress">Whether a data message's first frame may have RSV1 (RFC 7692 section 6).</param>
    public static OperationStatus TryRead(ref SequenceReader<byte> input, out FrameHeader header, bool mayCompress = false)
    {
        var bytes = input.UnreadSpan;
        if (bytes.Length < MaxSize && input.Remaining > bytes.Length)
        {
            Span<byte> gathered = stackalloc byte[MaxSize];
            gathered = gathered[..(int)Math.Min(MaxSize, input.Remaining)];
            input.TryCopyTo(gathered);
            return Take(ref input, gathered, mayCompress, out header);
        }

        return Take(ref input, bytes, mayCompress, out header);
    }

    /// <summary>Writes the head in its shortest form, with the masking key where it is masked.</summary>
    public static void Write(IBufferWriter<byte> output, in FrameHeader header)
    {
        var bytes = output.GetSpan(MaxSize);
        bytes[0] = (byte)((header.IsFinal ? Fin : 0) | (header.IsCompressed ? Rsv1 : 0) | (byte)header.Opcode);
        var size = 2;
        switch (header.Length)
        {
            case < 126:
                bytes[1] = (byte)header.Length;
                break;
            case <= ushort.MaxValue:
                bytes[1] = 126;
                BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)header.Length);
                size += 2;
                break;
            default:
                bytes[1] = 127;
                BinaryPrimitives.WriteInt64BigEndian(bytes[2..], header.Length);
                size += 8;
                break;
        }

        if (header.IsMasked)
        {
            bytes[1] |= Mask;
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[size..], header.MaskingKey);
            size += 4;
        }

        output.Advance(size);
    }

    private static OperationStatus Take(
        ref SequenceReader<byte> input, scoped ReadOnlySpan<byte> bytes, bool mayCompress, out FrameHeader header)
    {
        var status = Parse(bytes, mayCompress, out header, out var size);
        if (status == OperationStatus.Done)
            input.Advance(size);
        return status;
    }

    private static OperationStatus Parse(ReadOnlySpan<byte> bytes, bool mayCompress, out FrameHeader header, out int size)
    {
        header = default;
        size = 2;
        if (bytes.IsEmpty)
            return OperationStatus.NeedMoreData;

        var opcode = (Opcode)(bytes[0] & OpcodeBits);
        var isFinal = (bytes[0] & Fin) != 0;
        var isControl = (bytes[0] & ControlBit) != 0;
        var isCompressed = mayCompress && (bytes[0] & ReservedBits) == Rsv1 && (opcode is Opcode.Text or Opcode.Binary);
        if (((bytes[0] & ReservedBits) != 0 && !isCompressed) || opcode is > Opcode.Binary and < Opcode.Close or > Opcode.Pong)
            return OperationStatus.InvalidData;
        if (isControl && !isFinal) // RFC 6455 section 5.5
            return OperationStatus.InvalidData;
        if (bytes.Length < size)
            return OperationStatus.NeedMoreData;

        var isMasked = (bytes[1] & Mask) != 0;
        long length = bytes[1] & LengthBits;
        if (isControl && length > MaxControlLength)
            return OperationStatus.InvalidData;

        // RFC 6455 section 5.2: the minimal number of bytes must encode the length, and its top bit must be 0.
        if (length == 126)
        {
            size += 2;
            if (bytes.Length < size)
                return OperationStatus.NeedMoreData;
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
            if (length < 126)
                return OperationStatus.InvalidData;
        }
        else if (length == 127)
        {
            size += 8;
            if (bytes.Length < size)
                return OperationStatus.NeedMoreData;
            length = BinaryPrimitives.ReadInt64BigEndian(bytes[2..]);
            if (length <= ushort.MaxValue)
                return OperationStatus.InvalidData;
        }

        uint key = 0;
        if (isMasked)
        {
            size += 4;
            if (bytes.Length < size)
                return OperationStatus.NeedMoreData;
            key = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(size - 4)..]);
        }

        header = new FrameHeader(isFinal, opcode, length, isMasked, key, isCompressed);
        return OperationStatus.Done;
    }
}
