using System.Buffers.Binary;
using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>What stands before each record of a frame: seq, length, kind.</summary>
internal static class EntryHeader
{
    /// <summary>How many bytes it takes.</summary>
    public const int Size = 13;

    /// <summary>A record that compaction dropped: in its place stands the chain's hash behind it.</summary>
    public const RecordKind Dropped = 0;

    /// <summary>The head that a commit left, where none of its records holds it. It is no record, and not in the chain.</summary>
    public const RecordKind HeadBeside = (RecordKind)255;

    /// <summary>Whose a deleted session was. It is no record, and not in the chain.</summary>
    public const RecordKind Owner = (RecordKind)254;

    private const int LengthAt = 8, KindAt = 12;

    public static void Write(Span<byte> to, in JournalEntry entry)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, entry.Seq);
        BinaryPrimitives.WriteInt32LittleEndian(to[LengthAt..], entry.Utf8.Length);
        to[KindAt] = (byte)entry.Kind;
    }

    /// <summary>Reads the record in front, and moves behind it.</summary>
    public static bool TryRead(ref ReadOnlyMemory<byte> input, out JournalEntry entry)
    {
        entry = default;
        ReadOnlySpan<byte> from = input.Span;
        if (from.Length < Size || BinaryPrimitives.ReadInt32LittleEndian(from[LengthAt..]) is var length
            && (length < 0 || length > from.Length - Size))
            return false;
        entry = new JournalEntry(
            BinaryPrimitives.ReadInt64LittleEndian(from), (RecordKind)from[KindAt],
            input.Slice(Size, BinaryPrimitives.ReadInt32LittleEndian(from[LengthAt..])));
        input = input[(Size + entry.Utf8.Length)..];
        return true;
    }

    /// <summary>What a deletion keeps of a head: its principal, where it has one.</summary>
    public static JournalEntry[] OwnerOf(SessionHead head) =>
        head.Principal is { } principal ? [new JournalEntry(0, Owner, Encoding.UTF8.GetBytes(principal))] : [];

    public static bool HoldsHead(JournalEntry entry) => HeadRecord.IsOne(entry.Kind) || entry.Kind == HeadBeside;

    /// <summary>The chain behind a record of a frame.</summary>
    public static HashChain After(this HashChain chain, in JournalEntry entry) =>
        entry.Kind switch
        {
            Dropped => HashChain.Read(entry.Utf8.Span),
            HeadBeside or Owner => chain,
            _ => chain.After(entry.Utf8.Span),
        };
}
