using System.Buffers.Binary;
using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>Records one behind the other in one array: a length, a kind, a seq, the bytes. A log value never changes; an
/// append writes beyond its end and returns the longer one, so that readers of the shorter one are undisturbed.</summary>
internal readonly struct RecordLog
{
    private const int HeaderSize = sizeof(int) + sizeof(byte) + sizeof(long);

    private const int SecondSize = 1024;

    private readonly byte[]? _bytes;
    private readonly int _length;

    private RecordLog(byte[]? bytes, int length, int count, long lastSeq) =>
        (_bytes, _length, Count, LastSeq) = (bytes, length, count, lastSeq);

    /// <summary>The seq of its last record; 0 where it has none.</summary>
    public long LastSeq { get; }

    /// <summary>How many records it holds.</summary>
    public int Count { get; }

    /// <summary>The bytes of its records.</summary>
    public int Length => _length;

    /// <summary>The memory that it occupies.</summary>
    public int Capacity => _bytes?.Length ?? 0;

    /// <summary>Only one writer at a time may append to a log and its successors.</summary>
    public RecordLog Append(ReadOnlySpan<JournalEntry> entries)
    {
        int more = 0;
        foreach (JournalEntry entry in entries)
            more += SizeOf(entry);
        RecordLog log = WithRoom(more);
        foreach (JournalEntry entry in entries)
            log = log.Add(entry);
        return log;
    }

    /// <summary>Adds the public records of another log, and behind them those of the entries, each at its place.</summary>
    public RecordLog AppendPublic(RecordLog other, ReadOnlySpan<JournalEntry> entries)
    {
        int more = 0, first = 0;
        if (Count > 0 && other.TryRead(ref first, out JournalEntry begin) && begin.Seq < LastSeq)
            return MergePublic(other).AppendPublic(default, entries);
        for (int at = 0; other.TryRead(ref at, out JournalEntry entry);)
            more += entry.IsPublic ? SizeOf(entry) : 0;
        foreach (JournalEntry entry in entries)
            more += entry.IsPublic ? SizeOf(entry) : 0;
        RecordLog log = WithRoom(more);
        for (int at = 0; other.TryRead(ref at, out JournalEntry entry);)
            log = entry.IsPublic ? log.Add(entry) : log;
        foreach (JournalEntry entry in entries)
            log = entry.IsPublic ? log.Add(entry) : log;
        return log;
    }

    /// <summary>The record at an offset, which moves behind it; false at the end.</summary>
    public bool TryRead(ref int at, out JournalEntry entry)
    {
        if (at >= _length)
        {
            entry = default;
            return false;
        }

        ReadOnlySpan<byte> from = _bytes.AsSpan(at);
        int length = BinaryPrimitives.ReadInt32LittleEndian(from);
        entry = new JournalEntry(
            BinaryPrimitives.ReadInt64LittleEndian(from[(sizeof(int) + 1)..]),
            (RecordKind)from[sizeof(int)],
            _bytes.AsMemory(at + HeaderSize, length));
        at += HeaderSize + length;
        return true;
    }

    /// <summary>The same records in an array of their own.</summary>
    public RecordLog Copy() => new(_bytes?.AsSpan(0, _length).ToArray(), _length, Count, LastSeq);

    /// <summary>The newest records, as many as fit both bounds.</summary>
    public RecordLog Newest(int records, int bytes)
    {
        int at = 0, count = Count;
        while (count > records || _length - at > bytes)
        {
            at += HeaderSize + BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(at));
            count--;
        }

        return at == 0 ? this : new(_bytes.AsSpan(at, _length - at).ToArray(), _length - at, count, LastSeq);
    }

    private RecordLog MergePublic(RecordLog other)
    {
        RecordLog log = default;
        int own = 0, others = 0;
        bool hasOwn = TryRead(ref own, out JournalEntry mine), hasOther = other.TryRead(ref others, out JournalEntry theirs);
        while (hasOwn || hasOther)
        {
            bool takesOwn = hasOwn && (!hasOther || mine.Seq < theirs.Seq);
            JournalEntry entry = takesOwn ? mine : theirs;
            if (takesOwn)
                hasOwn = TryRead(ref own, out mine);
            else
                hasOther = other.TryRead(ref others, out theirs);
            if (entry.IsPublic)
                log = log.Append([entry]);
        }

        return log;
    }

    private static int SizeOf(in JournalEntry entry) => HeaderSize + entry.Utf8.Length;

    // Into the room that there is.
    private RecordLog Add(in JournalEntry entry)
    {
        Span<byte> to = _bytes.AsSpan(_length);
        BinaryPrimitives.WriteInt32LittleEndian(to, entry.Utf8.Length);
        to[sizeof(int)] = (byte)entry.Kind;
        BinaryPrimitives.WriteInt64LittleEndian(to[(sizeof(int) + 1)..], entry.Seq);
        entry.Utf8.Span.CopyTo(to[HeaderSize..]);
        return new(_bytes, _length + SizeOf(entry), Count + 1, entry.Seq);
    }

    private RecordLog WithRoom(int more)
    {
        int need = _length + more;
        if (need <= Capacity)
            return this;
        // Many sessions have one turn; one that goes on is likely to go on.
        byte[] larger = new byte[_bytes is null ? need : Math.Max(Math.Max(need, SecondSize), _length * 2)];
        _bytes.AsSpan(0, _length).CopyTo(larger);
        return new(larger, _length, Count, LastSeq);
    }
}
