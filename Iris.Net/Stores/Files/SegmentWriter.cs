using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>The writing end of the log. Frames are collected in memory; one thread writes what there is with one write and one
/// sync, while the next ones are collected: a sync answers everybody who came before it. A file whose write or sync failed is
/// never written or synced again: what is not known to be on disk is written to a new segment that begins where the old one
/// is known to be good.</summary>
internal sealed partial class SegmentWriter : IAsyncDisposable
{
    private readonly IStoreDirectory _directory;
    private readonly Segments _segments;
    private readonly FileStoreOptions _options;
    private readonly object _gate = new();   // Monitor's own: the thread waits on it
    private readonly List<FrameBatch> _tail = [];   // taken by the thread, and not known to be on disk
    private readonly Stack<FrameBatch> _spare = [];
    private readonly ITimer _wake;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private FrameBatch _collecting;
    private TaskCompletionSource? _room;
    private IOException? _failure;
    private long _end, _synced, _number, _syncs;
    private bool _isDue, _isStopping;

    public SegmentWriter(IStoreDirectory directory, Segments segments, FileStoreOptions options)
    {
        (_directory, _segments, _options) = (directory, segments, options);
        _end = _synced = segments.Last.End;
        _number = segments.Last.Number;
        _collecting = new FrameBatch().StartAt(_end);
        _wake = options.Time.CreateTimer(static writer => ((SegmentWriter)writer!).Wake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        new Thread(Run) { IsBackground = true, Name = "Iris log" }.Start();
    }

    /// <summary>The log's end: what was appended so far.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>So much of it is on disk.</summary>
    public long Synced => Volatile.Read(ref _synced);

    /// <summary>How many syncs there were.</summary>
    public long Syncs => Volatile.Read(ref _syncs);

    /// <summary>Why nothing can be appended; null where all is well.</summary>
    public IOException? Failure => Volatile.Read(ref _failure);

    /// <summary>Completes once there is room for one more frame.</summary>
    public ValueTask WaitForRoomAsync(CancellationToken cancel = default)
    {
        if (_collecting.Length < _options.WaitingSize)
            return default;
        lock (_gate)
        {
            if (_collecting.Length < _options.WaitingSize)
                return default;
            _room ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return new(_room.Task.WaitAsync(cancel));
        }
    }

    /// <summary>Appends a frame; its LSN is found here. The waiter is told once it is on disk.</summary>
    /// <returns>The frame as it was written.</returns>
    /// <exception cref="IOException">The disk fails: nothing was appended.</exception>
    public RecordFrame Append(in RecordFrame frame, string id, ReadOnlySpan<JournalEntry> entries, ISyncWaiter? waiter)
    {
        if (RecordFrame.SizeOf(id, entries) > RecordFrame.MaxSize)
            throw new IOException($"An append of more than {RecordFrame.MaxSize} bytes cannot be kept.");
        lock (_gate)
        {
            if (_failure is not null)
                throw new IOException(_failure.Message, _failure);
            ObjectDisposedException.ThrowIf(_isStopping, this);
            long lsn = _end;
            RecordFrame written = RecordFrame.Write(
                _collecting.Output,
                frame with { Lsn = lsn, Head = frame.HeadLength > 0 ? lsn : frame.Head, Synced = _synced },
                id, entries);
            Volatile.Write(ref _end, _collecting.End);
            if (waiter is not null)
                _collecting.Waiters.Add(waiter);
            if (waiter is not null || _collecting.Length >= _options.UnsyncedSize)
                WakeLocked();
            else if (lsn == _collecting.Base)
                _wake.Change(_options.WriteAfter, Timeout.InfiniteTimeSpan);
            return written;
        }
    }

    /// <summary>Tells the waiter once everything up to an LSN is on disk; false where it is already.</summary>
    /// <exception cref="IOException">The disk fails.</exception>
    public bool TryWait(long lsn, ISyncWaiter waiter)
    {
        lock (_gate)
        {
            if (lsn < _synced)
                return false;
            if (_failure is not null)
                throw new IOException(_failure.Message, _failure);
            _collecting.Waiters.Add(waiter);
            WakeLocked();
            return true;
        }
    }

    /// <summary>Reads a frame wherever it is; null where it was compacted away.</summary>
    public FrameBytes? Read(long lsn)
    {
        lock (_gate)
        {
            if (lsn >= _collecting.Base)
                return _collecting.Read(lsn);
            foreach (FrameBatch batch in _tail)
                if (lsn >= batch.Base && lsn < batch.End)
                    return batch.Read(lsn);
        }

        return _segments.Read(lsn);
    }

    /// <summary>Writes and syncs what there is, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.Pulse(_gate);
        }

        await _ended.Task.ConfigureAwait(false);
        await _wake.DisposeAsync().ConfigureAwait(false);
    }

    private void Wake()
    {
        lock (_gate)
            WakeLocked();
    }

    private void WakeLocked()
    {
        _isDue = true;
        Monitor.Pulse(_gate);
    }

    private void Run()
    {
        while (Take() is { } batch)
        {
            try
            {
                Write(batch);
            }
#pragma warning disable CA1031 // whatever it was, what is on disk is not known
            catch (Exception e)
#pragma warning restore CA1031
            {
                Fail(e);
                if (!Recover())
                    break;
            }
        }

        _ended.SetResult();
    }

    // At the end one last batch, if only to sync what was written before it.
    private FrameBatch? Take()
    {
        lock (_gate)
        {
            while (!_isDue && !_isStopping)
                Monitor.Wait(_gate);
            _isDue = false;
            if (_isStopping && _collecting.Length == 0 && _tail.Count == 0)
                return null;
            return TakeLocked();
        }
    }

    private FrameBatch TakeLocked()
    {
        FrameBatch batch = _collecting;
        _tail.Add(batch);
        _collecting = (_spare.TryPop(out FrameBatch? spare) ? spare : new FrameBatch()).StartAt(_end);
        _room?.SetResult();
        _room = null;
        return batch;
    }

    private void Write(FrameBatch batch)
    {
        Segment segment = _segments.Last;
        if (segment.Length > SegmentHeader.Size && segment.Length + batch.Length > _options.SegmentSize)
        {
            // No segment is behind one that is not wholly on disk.
            if (_synced < segment.End)
                Sync(segment, segment.End);
            Segment next = Segment.Create(_directory, new SegmentHeader(++_number, segment.End), []);
            _segments.Add(next);
            segment.GoesOnIn(next);
            segment = next;
        }

        segment.Append(batch.Bytes.Span);
        if (batch.Waiters.Count > 0 || segment.End - _synced > _options.UnsyncedSize || _isStopping)
            Sync(segment, segment.End);
    }

    private void Sync(Segment segment, long end)
    {
        segment.File.Sync();
        Interlocked.Increment(ref _syncs);
        StoreInstruments.Synced();
        Settle(end);
    }

    // What is before an LSN is on disk.
    private void Settle(long end)
    {
        List<FrameBatch> settled;
        lock (_gate)
        {
            settled = _tail.FindAll(batch => batch.End <= end);
            Volatile.Write(ref _synced, end);
        }

        foreach (FrameBatch batch in settled)
            foreach (ISyncWaiter waiter in batch.Waiters)
                waiter.Synced();
        lock (_gate)
        {
            // Readers may have looked for their frames here until now.
            _tail.RemoveAll(settled.Contains);
            foreach (FrameBatch batch in settled)
                if (_spare.Count < 2)
                    _spare.Push(batch);
        }
    }
}
