using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>What a frame of the log says of its session.</summary>
internal enum FrameKind : byte
{
    /// <summary>These records were appended.</summary>
    Append = 1,

    /// <summary>This is the whole journal so far: no frame before it is needed.</summary>
    Snapshot = 2,

    /// <summary>The session is gone.</summary>
    Deleted = 3,
}

/// <summary>One append as it stands in the log: a header of fixed size with a checksum of its own, so that a changed length never
/// passes for a frame that was cut; then the session's id and the records. The header also tells how the session stands behind
/// it, so that a start reads no record.</summary>
internal readonly record struct RecordFrame
{
    /// <summary>How many bytes the header takes.</summary>
    public const int HeaderSize = 136;

    /// <summary>No frame is larger, in bytes.</summary>
    public const int MaxSize = 1 << 30;

    /// <summary>Where there is no frame.</summary>
    public const long None = -1;

    /// <summary>Where a session waits for no timer.</summary>
    public const long NoTimer = long.MaxValue;

    private const uint Magic = 0x4D465249;
    private const int LengthAt = 8, KindAt = 12, StatusAt = 13, IdLengthAt = 14, LsnAt = 16, PreviousAt = 24, HeadAt = 32,
        FirstSeqAt = 40, NextSeqAt = 48, CountAt = 56, PendingAt = 60, WhyAt = 61, FenceAt = 64, DueAt = 72, UsedAt = 80, BeforeAt = 88,
        BodyChecksumAt = 120, HeadLengthAt = 124, SyncedAt = 128;

    public RecordFrame()
    {
    }

    public required FrameKind Kind { get; init; }

    /// <summary>The whole frame's bytes.</summary>
    public int Length { get; init; }

    /// <summary>Its place in the log.</summary>
    public long Lsn { get; init; }

    /// <summary>The same session's frame before; none where this one is the first or needs none.</summary>
    public long Previous { get; init; }

    /// <summary>The frame that has the session's head: this one or an earlier one.</summary>
    public long Head { get; init; }

    /// <summary>The bytes of the record that has the head, where this frame has it; else 0.</summary>
    public int HeadLength { get; init; }

    public long FirstSeq { get; init; }

    /// <summary>The seq that the session's next record takes.</summary>
    public long NextSeq { get; init; }

    public int Count { get; init; }

    public SessionStatus Status { get; init; }

    public PendingWork Pending { get; init; }

    public Tombstone Why { get; init; }

    public long Fence { get; init; }

    /// <summary>The time of the timer that the session waits for, and when it was last used: UTC ticks.</summary>
    public long Due { get; init; } = NoTimer;

    public long Used { get; init; }

    /// <summary>The session's chain before the first record.</summary>
    public HashChain Before { get; init; }

    /// <summary>So much of the log was known to be on disk when the frame was written.</summary>
    public long Synced { get; init; }

    private int IdLength { get; init; }

    private uint BodyChecksum { get; init; }

    /// <summary>How many bytes a frame takes.</summary>
    public static long SizeOf(string id, ReadOnlySpan<JournalEntry> entries)
    {
        long size = HeaderSize + Encoding.UTF8.GetByteCount(id);
        foreach (ref readonly JournalEntry entry in entries)
            size += EntryHeader.Size + entry.Utf8.Length;
        return size;
    }

    /// <summary>Writes the frame; its length, its count and its checksums are found here.</summary>
    /// <returns>The frame as it was written.</returns>
    public static RecordFrame Write(IBufferWriter<byte> output, in RecordFrame frame, string id, ReadOnlySpan<JournalEntry> entries)
    {
        int length = checked((int)SizeOf(id, entries));
        Span<byte> to = output.GetSpan(length)[..length];
        Span<byte> body = to[HeaderSize..];
        int idLength = Encoding.UTF8.GetBytes(id, body);
        Span<byte> rest = body[idLength..];
        foreach (ref readonly JournalEntry entry in entries)
        {
            EntryHeader.Write(rest, entry);
            entry.Utf8.Span.CopyTo(rest[EntryHeader.Size..]);
            rest = rest[(EntryHeader.Size + entry.Utf8.Length)..];
        }

        RecordFrame written = frame with
        {
            Length = length,
            Count = entries.Length,
            IdLength = idLength,
            BodyChecksum = Checksum.Of(body),
        };
        WriteHeader(to[..HeaderSize], written);
        output.Advance(length);
        return written;
    }

    /// <summary>Reads a header alone. Invalid where a byte of it is not as it was written.</summary>
    public static OperationStatus TryReadHeader(ReadOnlySpan<byte> input, out RecordFrame frame)
    {
        frame = default;
        if (input.Length < HeaderSize)
            return OperationStatus.NeedMoreData;
        input = input[..HeaderSize];
        if (BinaryPrimitives.ReadUInt32LittleEndian(input) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(input[sizeof(uint)..]) != Checksum.Of(input[LengthAt..]))
            return OperationStatus.InvalidData;
        frame = new RecordFrame
        {
            Length = BinaryPrimitives.ReadInt32LittleEndian(input[LengthAt..]),
            Kind = (FrameKind)input[KindAt],
            Status = (SessionStatus)input[StatusAt],
            IdLength = BinaryPrimitives.ReadUInt16LittleEndian(input[IdLengthAt..]),
            Lsn = ReadLong(input, LsnAt),
            Previous = ReadLong(input, PreviousAt),
            Head = ReadLong(input, HeadAt),
            FirstSeq = ReadLong(input, FirstSeqAt),
            NextSeq = ReadLong(input, NextSeqAt),
            Count = BinaryPrimitives.ReadInt32LittleEndian(input[CountAt..]),
            Pending = (PendingWork)input[PendingAt],
            Why = (Tombstone)input[WhyAt],
            Fence = ReadLong(input, FenceAt),
            Due = ReadLong(input, DueAt),
            Used = ReadLong(input, UsedAt),
            Before = HashChain.Read(input[BeforeAt..]),
            BodyChecksum = BinaryPrimitives.ReadUInt32LittleEndian(input[BodyChecksumAt..]),
            HeadLength = BinaryPrimitives.ReadInt32LittleEndian(input[HeadLengthAt..]),
            Synced = ReadLong(input, SyncedAt),
        };
        return frame.Kind is FrameKind.Append or FrameKind.Snapshot or FrameKind.Deleted
            && frame.Length is >= HeaderSize and <= MaxSize && frame.IdLength <= frame.Length - HeaderSize
            ? OperationStatus.Done : OperationStatus.InvalidData;
    }

    /// <summary>Reads a whole frame. Needs more data where the header is whole and the rest is not.</summary>
    public static OperationStatus TryRead(ReadOnlySpan<byte> input, out RecordFrame frame)
    {
        OperationStatus header = TryReadHeader(input, out frame);
        if (header != OperationStatus.Done)
            return header;
        if (input.Length < frame.Length)
            return OperationStatus.NeedMoreData;
        return Checksum.Of(input[HeaderSize..frame.Length]) == frame.BodyChecksum ? OperationStatus.Done : OperationStatus.InvalidData;
    }

    /// <summary>The session's id, of the whole frame's bytes.</summary>
    public string Id(ReadOnlySpan<byte> whole) => Encoding.UTF8.GetString(IdBytes(whole));

    /// <summary>The same in UTF-8.</summary>
    public ReadOnlySpan<byte> IdBytes(ReadOnlySpan<byte> whole) => whole.Slice(HeaderSize, IdLength);

    /// <summary>The records, of the whole frame's bytes: they stay part of them. False where they do not fill the frame.</summary>
    public bool TryReadEntries(ReadOnlyMemory<byte> whole, out JournalEntry[] entries)
    {
        ReadOnlyMemory<byte> rest = whole[(HeaderSize + IdLength)..Length];
        entries = [];
        if (Count < 0 || Count > rest.Length / EntryHeader.Size)
            return false;
        entries = new JournalEntry[Count];
        for (int i = 0; i < Count; i++)
            if (!EntryHeader.TryRead(ref rest, out entries[i]))
                return false;
        return rest.IsEmpty;
    }

    private static void WriteHeader(Span<byte> to, in RecordFrame frame)
    {
        to.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(to[LengthAt..], frame.Length);
        to[KindAt] = (byte)frame.Kind;
        to[StatusAt] = (byte)frame.Status;
        BinaryPrimitives.WriteUInt16LittleEndian(to[IdLengthAt..], checked((ushort)frame.IdLength));
        WriteLong(to, LsnAt, frame.Lsn);
        WriteLong(to, PreviousAt, frame.Previous);
        WriteLong(to, HeadAt, frame.Head);
        WriteLong(to, FirstSeqAt, frame.FirstSeq);
        WriteLong(to, NextSeqAt, frame.NextSeq);
        BinaryPrimitives.WriteInt32LittleEndian(to[CountAt..], frame.Count);
        to[PendingAt] = (byte)frame.Pending;
        to[WhyAt] = (byte)frame.Why;
        WriteLong(to, FenceAt, frame.Fence);
        WriteLong(to, DueAt, frame.Due);
        WriteLong(to, UsedAt, frame.Used);
        frame.Before.CopyTo(to[BeforeAt..]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[BodyChecksumAt..], frame.BodyChecksum);
        BinaryPrimitives.WriteInt32LittleEndian(to[HeadLengthAt..], frame.HeadLength);
        WriteLong(to, SyncedAt, frame.Synced);
        BinaryPrimitives.WriteUInt32LittleEndian(to[sizeof(uint)..], Checksum.Of(to[LengthAt..]));
    }

    private static long ReadLong(ReadOnlySpan<byte> from, int at) => BinaryPrimitives.ReadInt64LittleEndian(from[at..]);

    private static void WriteLong(Span<byte> to, int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(to[at..], value);
}
