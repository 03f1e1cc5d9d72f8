namespace Iris.Net.Stores.Files;

/// <summary>What the log does where its disk fails: it tells everybody who waits, and tries again until it can.</summary>
internal sealed partial class SegmentWriter
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100), LastRetry = TimeSpan.FromSeconds(1);

    private void Fail(Exception why)
    {
        List<FrameBatch> failed;
        lock (_gate)
        {
            _failure = new IOException($"The store in '{_directory.Path}' cannot be written: {why.Message}", why);
            TakeLocked();
            failed = [.. _tail];
        }

        _options.Tell($"{_failure.Message}. Turns are refused until it can.");
        foreach (FrameBatch batch in failed)
            foreach (ISyncWaiter waiter in batch.Waiters)
                waiter.Failed(_failure);
    }

    private bool Recover()
    {
        for (TimeSpan delay = FirstRetry; ; delay = delay * 2 < LastRetry ? delay * 2 : LastRetry)
        {
            try
            {
                // Nothing is appended meanwhile: the tail stays as it is.
                Segment segment = Segment.Create(
                    _directory, new SegmentHeader(++_number, _synced), _tail.Select(batch => batch.Bytes));
                _segments.Last.EndAt(_synced);
                _segments.Add(segment);
                break;
            }
#pragma warning disable CA1031 // every failure is one of the disk, and is answered by trying again
            catch (Exception)
#pragma warning restore CA1031
            {
                if (!Wait(delay))
                    return false;
            }
        }

        // First the facts, then new appends.
        Settle(_end);
        lock (_gate)
            Volatile.Write(ref _failure, null);
        _options.Tell($"The store in '{_directory.Path}' can be written again, to '{_segments.Last.Name}'.");
        return true;
    }

    // False where the writer ends.
    private bool Wait(TimeSpan delay)
    {
        lock (_gate)
        {
            if (_isStopping)
                return false;
            _isDue = false;
            using ITimer timer = _options.Time.CreateTimer(static writer => ((SegmentWriter)writer!).Wake(), this, delay, Timeout.InfiniteTimeSpan);
            while (!_isDue && !_isStopping)
                Monitor.Wait(_gate);
            return !_isStopping;
        }
    }
}
