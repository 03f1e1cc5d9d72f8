using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>What ends an attempt from outside: a client's cancel, the clock, the loss of its lease.</summary>
internal sealed partial class RunningTurn
{
    private long _renewed, _cancelledAt;
    private int _cancelReason;
    private Task<bool>? _cancelling, _verdict;   // a client's cancel, and whether the store accepted it
    private bool _endsUncommitted;

    /// <summary>Asks the program to end; after a grace the attempt is over regardless.</summary>
    public void Cancel(AbortReason reason)
    {
        if (Interlocked.CompareExchange(ref _cancelReason, (int)reason, 0) != 0)
            return;
        Volatile.Write(ref _cancelledAt, Settings.Time.GetTimestamp());
        _ = _cancel.CancelAsync();   // a program's callbacks run elsewhere, and are its own affair
    }

    /// <summary>Cancels the attempt and its request, which one swap in the store decides against a commit. True once that is durable:
    /// the attempt never commits, and ends soon. False where it ended before, or is about to.</summary>
    /// <exception cref="IOException">The store cannot be reached or trusted.</exception>
    public Task<bool> CancelRequestAsync()
    {
        lock (_cancel)
        {
            if (_cancelling is { IsFaulted: false })
                return _cancelling;
            if (_endsUncommitted)
                return Task.FromResult(false);
            TaskCompletionSource<bool> verdict = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _verdict = verdict.Task;
            return _cancelling = Task.Run(() => CancelRequestAsync(verdict));
        }
    }

    /// <summary>Looks at the clock: the turn's time, the grace after a cancel, the lease.</summary>
    public void Tick()
    {
        TimeProvider time = Settings.Time;
        if (time.GetElapsedTime(_started) >= Settings.TurnTimeout)
            Cancel(AbortReason.Timeout);
        if (Volatile.Read(ref _cancelledAt) is not 0 and long at && time.GetElapsedTime(at) >= Settings.CancelGrace)
        {
            if (TryConclude())
                _ = AbandonAsync();
        }
        if (time.GetElapsedTime(_renewed) >= Settings.LeaseRenewal)
            _ = RenewAsync();
    }

    private async Task<bool> CancelRequestAsync(TaskCompletionSource<bool> verdict)
    {
        bool isAccepted = false;
        try
        {
            isAccepted = await Settings.Store.PostAsync(SessionId, new CancelMail(_lease.Fence)).ConfigureAwait(false);
        }
        finally
        {
            verdict.SetResult(isAccepted);
        }

        if (!isAccepted)
            return false;
        Cancel(AbortReason.Cancelled);
        try
        {
            if (await _context.CloseRequestAsync(WriteClosed).ConfigureAwait(false))
                return true;
        }
        catch (AttemptOverException)
        {
            // The attempt's own end tells what became of it.
        }

        TurnEnd end = await Events.EndAsync().ConfigureAwait(false);
        return end.Status == TurnStatus.StoreUnavailable
            ? throw new IOException("What became of the cancel is not known.") : end.Reason == AbortReason.Cancelled;
    }

    private JournalEntry WriteClosed() => IsWake ? _records.WakeClosed(_journal.NextSeq, _journal.Now) : _records.RequestClosed(
        _journal.NextSeq, _journal.Now, new CancelledRequest(FirstSeq, Key, TurnRequest.DigestOf(Key, Request.Body)));

    private async Task RenewAsync()
    {
        _renewed = Settings.Time.GetTimestamp();
        try
        {
            if (!await Settings.Store.RenewAsync(_lease, Settings.LeaseTtl).ConfigureAwait(false))
                Cancel(AbortReason.LeaseLost);
        }
        catch (Exception e)
        {
            _host.Report("lease", e, SessionId);   // the next tick tries again while the lease lasts
        }
    }
}
