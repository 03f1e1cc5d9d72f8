using System.Runtime.CompilerServices;
using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>Reads a session's journal: back from its last frame to the first that is asked for, then forward.</summary>
internal sealed class JournalReader(SegmentWriter log)
{
    private const int KeptBytes = 1 << 20;   // a journal that is shorter is read once

    public async IAsyncEnumerable<JournalEntry> ReadAsync(
        FileSession session, long from, [EnumeratorCancellation] CancellationToken cancel)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        // Compaction may take away what was found: then once more from where the reader is.
        while (Find(session, from) is { } frames)
        {
            bool isGone = false;
            while (!isGone && frames.TryPop(out (long Lsn, FrameBytes? Known) next))
            {
                if ((next.Known ?? log.Read(next.Lsn)) is not { } frame)
                {
                    isGone = true;
                    break;
                }

                foreach (JournalEntry entry in frame.Entries())
                {
                    cancel.ThrowIfCancellationRequested();
                    if (entry.Seq < from || entry.Kind is EntryHeader.Dropped or EntryHeader.HeadBeside)
                        continue;
                    from = entry.Seq + 1;
                    yield return entry;
                }
            }

            if (!isGone)
                yield break;
        }
    }

    // The frames, the first on top; null where the session is gone.
    private Stack<(long Lsn, FrameBytes? Known)>? Find(FileSession session, long from)
    {
        for (; ; )
        {
            long lsn;
            lock (session)
            {
                if (session.IsDeleted)
                    return null;
                lsn = session.Last;
            }

            Stack<(long Lsn, FrameBytes? Known)> frames = new();
            long kept = 0;
            while (lsn != RecordFrame.None && log.Read(lsn) is { } frame)
            {
                kept += frame.Whole.Length;
                frames.Push((lsn, kept <= KeptBytes ? frame : null));
                lsn = frame.Frame.FirstSeq <= from ? RecordFrame.None : frame.Frame.Previous;
            }

            if (lsn == RecordFrame.None)
                return frames;
        }
    }
}
