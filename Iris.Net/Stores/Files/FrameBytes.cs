using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>A frame and all its bytes.</summary>
internal readonly record struct FrameBytes(RecordFrame Frame, ReadOnlyMemory<byte> Whole)
{
    /// <summary>Its records.</summary>
    public JournalEntry[] Entries() => Frame.TryReadEntries(Whole, out JournalEntry[] entries)
        ? entries : throw new InvalidDataException("A frame's checksum fits, its records do not.");

    /// <summary>The head that it has.</summary>
    public SessionHead Head() => HeadRecord.Read(Array.FindLast(Entries(), EntryHeader.HoldsHead));

    /// <summary>Of a deletion: whose the session was.</summary>
    public string? Owner() => Entries() is [{ Kind: EntryHeader.Owner } owner] ? Encoding.UTF8.GetString(owner.Utf8.Span) : null;

    /// <summary>The session's chain behind it.</summary>
    public HashChain Chain()
    {
        HashChain chain = Frame.Before;
        foreach (JournalEntry entry in Entries())
            chain = chain.After(entry);
        return chain;
    }
}
