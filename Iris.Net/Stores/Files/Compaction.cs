using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>Gives room back: where most of the log is not needed, the sessions of its oldest segment are written once more, each
/// as one frame without what is superseded, and the segment goes.</summary>
internal sealed class Compaction : IAsyncDisposable
{
    private readonly IStoreDirectory _directory;
    private readonly Segments _segments;
    private readonly FileSessions _sessions;
    private readonly SegmentWriter _log;
    private readonly FileStoreOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _one = new(1);
    private readonly ITimer _timer;

    public Compaction(
        IStoreDirectory directory, Segments segments, FileSessions sessions, SegmentWriter log, FileStoreOptions options)
    {
        (_directory, _segments, _sessions, _log, _options) = (directory, segments, sessions, log, options);
        _timer = options.Time.CreateTimer(
            static self => ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.TryRunAsync(), (Compaction)self!, preferLocal: false),
            this, options.CompactEvery, options.CompactEvery);
    }

    /// <summary>Whether more than half of the log is not needed, and it has more than the one segment that is written.</summary>
    public bool IsDue => _segments.All.Count > 1 && _log.End - _segments.Start > 2 * _sessions.Live;

    /// <summary>Compacts while it is worth it, once around the log at most.</summary>
    /// <exception cref="IOException">The disk fails.</exception>
    public async Task RunAsync(CancellationToken cancel = default)
    {
        await _one.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            for (int left = _segments.All.Count; left > 0 && IsDue; left--)   // once around at most
                await DropOldestAsync(cancel).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _one.WaitAsync().ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task TryRunAsync()
    {
        if (!IsDue || _stop.IsCancellationRequested)
            return;
        try
        {
            await RunAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
        }
        catch (Exception e) when (e is IOException or InvalidDataException or ObjectDisposedException)
        {
            // Next time, if the disk is well then; nothing is lost meanwhile.
            _options.Tell($"The store in '{_directory.Path}' cannot be compacted: {e.Message}");
        }
    }

    private async Task DropOldestAsync(CancellationToken cancel)
    {
        Segment oldest = _segments.All[0];
        while (true)
        {
            List<FileSession> needing = [.. _sessions.All.Where(session => session.First != RecordFrame.None && session.First < oldest.End)];
            if (needing.Count == 0)
                break;
            foreach (FileSession session in needing)
            {
                cancel.ThrowIfCancellationRequested();
                await _log.WaitForRoomAsync(cancel).ConfigureAwait(false);
                Rewrite(session, oldest.End);
            }

            await SyncAsync(cancel).ConfigureAwait(false);
        }

        await SyncAsync(cancel).ConfigureAwait(false);
        _directory.Delete(oldest.Name);
        _directory.Sync();
        _segments.Remove(oldest);
        oldest.File.Dispose();   // whoever reads it at this moment looks again
    }

    private async Task SyncAsync(CancellationToken cancel)
    {
        FrameWait wait = new();
        if (_log.TryWait(_log.End - 1, wait))
            await wait.Task.WaitAsync(cancel).ConfigureAwait(false);
    }

    // Changes nothing where the session goes on meanwhile: then it is looked at once more.
    private void Rewrite(FileSession session, long before)
    {
        long last;
        lock (session)
            last = session.Last;
        List<FrameBytes> frames = [];
        bool isDeleted = session.IsDeleted;
        for (long lsn = last; !isDeleted && lsn != RecordFrame.None; lsn = frames[^1].Frame.Previous)
        {
            if (_log.Read(lsn) is not { } frame)
                return;
            frames.Add(frame);
        }

        frames.Reverse();
        lock (session)
        {
            if (session.Last != last || session.First >= before || session.IsForgotten || session.Hot is { IsCommitting: true })
                return;
            if (session.IsDeleted)
                Bury(session);
            else
                _sessions.Append(session, Replaced(session, _log.Append(Snapshot(session, frames, out List<JournalEntry> kept), session.Id, [.. kept], null)));
        }
    }

    private RecordFrame Replaced(FileSession session, in RecordFrame snapshot)
    {
        _sessions.Stand(session, snapshot);
        return snapshot;
    }

    // A session that was deleted is known as long as somebody might still ask for it.
    private void Bury(FileSession session)
    {
        if (session.Used < (_options.Time.GetUtcNow() - _options.TombstonesFor).UtcTicks)
        {
            _sessions.Forget(session);
            return;
        }

        if (_log.Read(session.Last) is not { } known)
            return;   // looked at once more
        RecordFrame frame = new() { Kind = FrameKind.Deleted, Previous = RecordFrame.None, Why = session.Why, Used = session.Used };
        _sessions.Append(session, _log.Append(frame, session.Id, known.Entries(), null));
    }

    private static RecordFrame Snapshot(FileSession session, List<FrameBytes> frames, out List<JournalEntry> kept)
    {
        kept = [];
        HashChain chain = frames[0].Frame.Before;
        int headLength = 0;
        foreach (FrameBytes frame in frames)
        {
            foreach (JournalEntry entry in frame.Entries())
            {
                chain = chain.After(entry);
                bool isHead = frame.Frame.Lsn == session.HeadAt && EntryHeader.HoldsHead(entry);
                if (isHead)
                    headLength = entry.Utf8.Length;
                if (entry.Kind == EntryHeader.HeadBeside && !isHead)
                    continue;
                kept.Add(entry.Kind == RecordKind.Commit && !isHead ? Drop(entry.Seq, chain) : entry);
            }
        }

        return new RecordFrame
        {
            Kind = FrameKind.Snapshot,
            Previous = RecordFrame.None,
            HeadLength = headLength,
            FirstSeq = kept[0].Seq,
            NextSeq = session.NextSeq,
            Status = session.Status,
            Pending = session.Pending,
            Fence = frames[^1].Frame.Fence,
            Due = session.Due,
            Used = session.Used,
            Before = frames[0].Frame.Before,
        };
    }

    private static JournalEntry Drop(long seq, HashChain chain)
    {
        byte[] hash = new byte[HashChain.Size];
        chain.CopyTo(hash);
        return new JournalEntry(seq, EntryHeader.Dropped, hash);
    }
}
