using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>Reads a whole log beside its writer, and follows every session's chain.</summary>
/// <param name="cancel">Ends the reading.</param>
/// <param name="kept">The session whose records are kept; null for none.</param>
internal sealed class JournalVerifier(CancellationToken cancel, string? kept = null)
{
    private readonly Dictionary<string, Followed> _sessions = new(StringComparer.Ordinal);
    private readonly List<JournalEntry> _kept = [];
    private long _records;
    private DamagedStoreException? _damage;
    private string? _tornFile;
    private long _tornOffset, _start;

    /// <summary>The ids of the sessions that are there.</summary>
    public IEnumerable<string> Ids => _sessions.Where(pair => !pair.Value.Index.IsDeleted).Select(pair => pair.Key);

    /// <summary>The records of the one session.</summary>
    public IReadOnlyList<JournalEntry> Kept => _kept;

    public JournalCheck Result() => new(Ids.Count(), _records, _damage, _tornFile, _tornOffset);

    public void Read(IStoreDirectory directory)
    {
        List<Segment> segments = [];
        try
        {
            segments = LogStart.Find(directory, writable: false, out string? headless);
            if (headless is not null)
                (_tornFile, _tornOffset) = (Path.Combine(directory.Path, headless), 0);
            _start = segments.Count > 0 ? segments[0].Base : 0;
            for (int i = 0; i < segments.Count && _damage is null; i++)
                Read(segments[i], i + 1 < segments.Count ? segments[i + 1] : null);
            if (_damage is null && _sessions.FirstOrDefault(pair => pair.Value.Index.IsOrphan).Key is { } orphan)
                _damage = segments[0].Damaged(_start, $"records before those of the session '{orphan}' are missing");
        }
        catch (DamagedStoreException damage)
        {
            _damage = damage;
        }
        finally
        {
            segments.ForEach(segment => segment.File.Dispose());
        }
    }

    private void Read(Segment segment, Segment? next)
    {
        if (next is not null)
            segment.EndAt(next.Base);
        SegmentReader reader = new(segment.File, new SegmentHeader(segment.Number, segment.Base), segment.Length);
        switch (reader.Read(Follow))
        {
            case SegmentEnd.Torn when next is null:
                (_tornFile, _tornOffset) = (segment.Path, segment.OffsetOf(reader.Lsn));
                break;
            case SegmentEnd.Torn or SegmentEnd.Damaged:
                _damage = segment.Damaged(reader.Lsn, reader.What);
                break;
        }
    }

    private string? Follow(in RecordFrame frame, ReadOnlyMemory<byte> whole)
    {
        cancel.ThrowIfCancellationRequested();
        string id = frame.Id(whole.Span);
        if (!_sessions.TryGetValue(id, out Followed? session))
            _sessions.Add(id, session = new Followed(id));
        if (session.Index.Refuses(frame, _start) is { } wrong)
            return wrong;
        if (!frame.TryReadEntries(whole, out JournalEntry[] entries))
            return "a frame's records do not fill it";
        bool isFirst = session.Index.IsDeleted || session.Index.Last == RecordFrame.None;
        bool isKnown = !isFirst || frame.Previous == RecordFrame.None;
        HashChain before = isFirst || frame.Kind == FrameKind.Snapshot ? HashChain.Of(id) : session.Chain;
        if (isKnown && frame.Kind != FrameKind.Deleted && frame.Before != before)
            return "the chain of a session's records is broken before this frame";
        HashChain chain = frame.Before;
        long next = frame.FirstSeq;
        foreach (JournalEntry entry in entries)
        {
            if (entry.Kind == EntryHeader.Dropped && (frame.Kind != FrameKind.Snapshot || entry.Utf8.Length != HashChain.Size))
                return "a dropped record is not as it was written";
            if (entry.Kind is not (EntryHeader.HeadBeside or EntryHeader.Owner) && entry.Seq < next)
                return "a record's seq is not beyond the one before it";
            chain = chain.After(entry);
            next = entry.Kind is EntryHeader.HeadBeside or EntryHeader.Owner ? next : entry.Seq + 1;
        }

        // A snapshot tells the same story as the frames that it replaces.
        if (frame.Kind == FrameKind.Snapshot && !isFirst && chain != session.Chain)
            return "the chain of a snapshot does not lead where the session's records led";
        _records += entries.Length;
        session.Chain = chain;
        Keep(id, frame, entries);
        session.Index.Append(frame);
        session.Index.Stand(frame);
        return null;
    }

    private void Keep(string id, in RecordFrame frame, JournalEntry[] entries)
    {
        if (id != kept)
            return;
        if (frame.Kind != FrameKind.Append || frame.Previous == RecordFrame.None)
            _kept.Clear();
        foreach (JournalEntry entry in entries)
            if (entry.Kind is not (EntryHeader.Dropped or EntryHeader.HeadBeside or EntryHeader.Owner))
                _kept.Add(entry with { Utf8 = entry.Utf8.ToArray() });
    }

    private sealed class Followed(string id)
    {
        public FileSession Index { get; } = new(id);

        public HashChain Chain { get; set; }
    }
}
