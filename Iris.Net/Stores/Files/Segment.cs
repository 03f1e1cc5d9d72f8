using System.Buffers;
using System.Globalization;
using System.Text;

namespace Iris.Net.Stores.Files;

/// <summary>One file of the log.</summary>
internal sealed class Segment(IStoreDirectory directory, string name, SegmentHeader header, IStoreFile file, long length)
{
    private const string Prefix = "segment-", Suffix = ".iris";

    public string Name => name;

    /// <summary>Where it is.</summary>
    public string Path => System.IO.Path.Combine(directory.Path, name);

    public long Number => header.Number;

    /// <summary>The LSN of its first frame.</summary>
    public long Base => header.Base;

    public IStoreFile File => file;

    /// <summary>What stands behind the last frame of a segment that is not the last one.</summary>
    public static ReadOnlySpan<byte> GoesOnMark => "The log goes on in "u8;

    /// <summary>The file's bytes, the header's among them.</summary>
    public long Length { get; private set; } = length;

    /// <summary>The LSN behind its last frame.</summary>
    public long End => Base + Length - SegmentHeader.Size;

    public static string NameOf(long number) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D10}{Suffix}");

    /// <summary>The number in a file's name; null where the file is no segment.</summary>
    public static long? NumberOf(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(Prefix.Length..^Suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
        && name == NameOf(number) ? number : null;

    /// <summary>Makes a segment that holds these bytes already. Once it returns, a power cut finds it whole.</summary>
    public static Segment Create(IStoreDirectory directory, SegmentHeader header, IEnumerable<ReadOnlyMemory<byte>> bytes)
    {
        string name = NameOf(header.Number);
        string unfinished = name + Segments.UnfinishedSuffix;
        IStoreFile file = directory.Create(unfinished);
        try
        {
            ArrayBufferWriter<byte> start = new(SegmentHeader.Size);
            SegmentHeader.Write(start, header);
            file.Write(start.WrittenSpan, 0);
            long length = SegmentHeader.Size;
            foreach (ReadOnlyMemory<byte> part in bytes)
            {
                file.Write(part.Span, length);
                length += part.Length;
            }

            // Under its name only once it is on disk: a segment is never found without its header.
            file.Sync();
            directory.Rename(unfinished, name);
            directory.Sync();
            return new Segment(directory, name, header, file, length);
        }
        catch
        {
            file.Dispose();
            Forget(directory, unfinished);
            Forget(directory, name);
            throw;
        }
    }

    public long OffsetOf(long lsn) => lsn - Base + SegmentHeader.Size;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        file.Write(bytes, Length);
        Length += bytes.Length;
    }

    /// <summary>Notes behind its end which file the log goes on in, once that is on disk: where it is missing later, it is missed.</summary>
    public void GoesOnIn(Segment next)
    {
        // As long as a frame's header, so that it never passes for one that was cut short.
        byte[] mark = new byte[RecordFrame.HeaderSize];
        mark.AsSpan().Fill((byte)'\n');
        GoesOnMark.CopyTo(mark);
        Encoding.ASCII.GetBytes(next.Name, mark.AsSpan(GoesOnMark.Length));
        file.Write(mark, Length);
    }

    /// <summary>Ends it before its file does: what lies behind is void.</summary>
    public void EndAt(long lsn) => Length = OffsetOf(lsn);

    public DamagedStoreException Damaged(long lsn, string what) => new(Path, OffsetOf(lsn), what);

    // Where even that fails, the next segment has the same base, and this one counts for nothing.
    private static void Forget(IStoreDirectory directory, string name)
    {
        try
        {
            directory.Delete(name);
        }
        catch (IOException)
        {
        }
        catch (UnauthorizedAccessException)
        {
        }
    }
}
