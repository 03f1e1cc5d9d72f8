using System.Collections.Concurrent;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Runs what no client asks for at the moment: requests that were answered with 202 and have no end yet, and wakes, whose
/// signal was accepted or whose time has come. What finds no place, or a store that does not answer, is tried again later.</summary>
internal sealed class DueWork : IAsyncDisposable
{
    private const int MostAttempts = 3;   // of an accepted request, without an end
    private const int Batch = 1000;
    private const int AtOnce = 16;   // they share syncs of the disk

    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LastRetry = TimeSpan.FromMinutes(5);

    private readonly SessionHost _host;
    private readonly ITimer _timer;
    private readonly ConcurrentDictionary<string, Task> _looking = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DateTimeOffset> _notBefore = new(StringComparer.Ordinal);
    private int _sweeps;
    private volatile bool _isOver;

    public DueWork(SessionHost host)
    {
        _host = host;
        _timer = host.Settings.Time.CreateTimer(
            static work => _ = ((DueWork)work!).SweepAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private IStateStore Store => _host.Settings.Store;

    private DateTimeOffset Now => _host.Settings.Time.GetUtcNow();

    private bool IsOver => _isOver || _host.Running.IsDraining;

    /// <summary>Takes up what is there, and looks again every second.</summary>
    public async ValueTask StartAsync()
    {
        await SweepAsync().ConfigureAwait(false);
        _timer.Change(Tick, Tick);
    }

    /// <summary>Looks at one session soon.</summary>
    public void Nudge(SessionId id)
    {
        if (!IsOver)
            _ = Task.Run(() => LookAfreshAsync(id));
    }

    /// <summary>A turn committed: no earlier wake has to be waited for.</summary>
    public void Settle(SessionId id) => _notBefore.TryRemove(id.Value, out _);

    /// <summary>Waits while a session is held only to look at it; null where it is not.</summary>
    public Task? LookingAt(SessionId id) => _looking.GetValueOrDefault(id.Value);

    public async ValueTask DisposeAsync()
    {
        _isOver = true;
        await _timer.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(_looking.Values).ConfigureAwait(false);
    }

    private async Task SweepAsync()
    {
        if (IsOver || Interlocked.Exchange(ref _sweeps, 1) != 0)
            return;
        try
        {
            while (await SweepBatchAsync(Now).ConfigureAwait(false) && !IsOver)
            {
                // What it took up is not found again.
            }

            Forget(Now);
        }
        catch (Exception e)
        {
            _host.Report("store", e);
        }
        finally
        {
            Volatile.Write(ref _sweeps, 0);
        }
    }

    /// <returns>Whether there may be more that a place is found for.</returns>
    private async ValueTask<bool> SweepBatchAsync(DateTimeOffset now)
    {
        List<SessionId> due = [];
        // Those that have to wait take no place of the others.
        int limit = Batch + _notBefore.Count;
        await foreach (SessionId id in Store.DueAsync(_host.Settings.Wakes ? now : DateTimeOffset.MinValue, limit).ConfigureAwait(false))
            due.Add(id);
        if (due.Count == 0)
            return false;
        int taken = 0;
        bool isFull = false;
        await Parallel.ForEachAsync(
            due.Where(id => !(_notBefore.TryGetValue(id.Value, out DateTimeOffset at) && now < at)),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (id, _) =>
            {
                bool isTaken = await LookAsync(id).ConfigureAwait(false);
                Volatile.Write(ref isFull, Volatile.Read(ref isFull) || !isTaken);
                Interlocked.Increment(ref taken);
            }).ConfigureAwait(false);
        return due.Count == limit && taken > 0 && !isFull;
    }

    // Long past: whatever is still to be done there is found again.
    private void Forget(DateTimeOffset now)
    {
        foreach ((string id, DateTimeOffset at) in _notBefore)
            if (now - at > LastRetry)
                _notBefore.TryRemove(id, out _);
    }

    // A look that goes on already may have missed what there is now; one that begins meanwhile does not.
    private async Task LookAfreshAsync(SessionId id)
    {
        while (LookingAt(id) is { } looking)
            await looking.ConfigureAwait(false);
        await LookAsync(id).ConfigureAwait(false);
    }

    /// <returns>False where it has to be tried again.</returns>
    private async Task<bool> LookAsync(SessionId id)
    {
        TaskCompletionSource looked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        if (IsOver || !_looking.TryAdd(id.Value, looked.Task))
            return false;
        BeginResult begun = default;
        try
        {
            begun = await Store.BeginAsync(id, default, _host.LeaseRequest).ConfigureAwait(false);
            return begun.Status != BeginStatus.Begun || await DecideAsync(begun).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _host.Report("store", e, id);
            if (begun.Status == BeginStatus.Begun)
                await _host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
            return false;
        }
        finally
        {
            _looking.TryRemove(id.Value, out _);
            looked.SetResult();
        }
    }

    private async ValueTask<bool> DecideAsync(BeginResult begun)
    {
        SessionId id = begun.Lease.Session;
        SessionHead head = begun.Head!;
        JournalTail tail = await _host.ReadTailAsync(id, head).ConfigureAwait(false);
        bool isKnown = _host.Tokens.TryGetCurrent(id, head, out _);
        if (tail.Open is { IsAccepted: true } open && isKnown)
        {
            if (open.Unended < MostAttempts)
                return await RunAsync(new RunningTurn(
                    _host, begun.Lease, head, begun.NextSeq, tail, new TurnRequest(open.Body, head.Principal)), isAccepted: true)
                    .ConfigureAwait(false);
            // It waits for its client, its results kept.
            await _host.AppendAsync(begun, (records, ts) => records.RequestDeferred(begun.NextSeq, ts)).ConfigureAwait(false);
        }
        else if (WokenBy(head, tail) is { } kind && !HasToWait(id, tail))
        {
            return await RunAsync(new RunningTurn(
                _host, begun.Lease, head, begun.NextSeq, tail, new TurnRequest(JsonPayload.Null.Utf8, head.Principal), kind), isAccepted: false)
                .ConfigureAwait(false);
        }

        if (!isKnown)
            _notBefore[id.Value] = Now + LastRetry;   // it waits for a key that the channel does not have
        await _host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
        return true;
    }

    private WaitKind? WokenBy(SessionHead head, JournalTail tail) =>
        !_host.Settings.Wakes || tail.IsWakeClosed ? null
        : tail.Signal is not null ? WaitKind.Signal
        : head.Wait?.At <= Now ? WaitKind.Timer
        : null;

    // Counted from the journal, so that a restart hurries nothing.
    private bool HasToWait(SessionId id, JournalTail tail)
    {
        if (tail.Wake is not { } wake)
            return false;
        TimeSpan delay = FirstRetry * Math.Pow(2, Math.Min(wake.Attempts - 1, 30));
        DateTimeOffset at = wake.LastAt + (delay < LastRetry ? delay : LastRetry);
        if (Now >= at)
            return false;
        _notBefore[id.Value] = at;
        return true;
    }

    // Counted before it runs: it may end the process.
    private async ValueTask<bool> RunAsync(RunningTurn turn, bool isAccepted)
    {
        if (_host.Running.TryEnter(turn) != Refusal.None)
        {
            await turn.WithdrawAsync().ConfigureAwait(false);   // a later sweep, or the next start, takes it up
            return false;
        }

        TurnEnd? end = isAccepted ? await turn.AcceptAsync().ConfigureAwait(false) : await turn.SecureAsync().ConfigureAwait(false);
        if (end is null)
            turn.Start();
        return true;
    }
}
