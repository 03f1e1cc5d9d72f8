using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Takes up after a restart what was answered with 202 and has no end yet. What finds no place, or a store that does not
/// answer, is tried again later.</summary>
internal sealed class AcceptedWork : IAsyncDisposable
{
    private const int MostAttempts = 3;   // without an end

    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1), LastRetry = TimeSpan.FromMinutes(5);

    private readonly SessionHost _host;
    private readonly ITimer _retry;
    private TimeSpan _delay = FirstRetry;

    public AcceptedWork(SessionHost host)
    {
        _host = host;
        _retry = host.Settings.Time.CreateTimer(
            static work => _ = ((AcceptedWork)work!).ResumeAsync().AsTask(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    private IStateStore Store => _host.Settings.Store;

    public async ValueTask ResumeAsync(CancellationToken cancel = default)
    {
        if (!Store.Traits.Durable)
            return;
        bool isDone = true;
        try
        {
            List<SessionId> due = [];
            await foreach (SessionId id in Store.DueAsync(DateTimeOffset.MinValue, int.MaxValue, cancel).ConfigureAwait(false))
                due.Add(id);
            foreach (SessionId id in due)
                isDone &= await TryResumeAsync(id, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            _host.Report("store", e);
            isDone = false;
        }

        if (isDone)
            return;
        _retry.Change(_delay, Timeout.InfiniteTimeSpan);
        _delay = _delay * 2 < LastRetry ? _delay * 2 : LastRetry;
    }

    public ValueTask DisposeAsync() => _retry.DisposeAsync();

    private async ValueTask<bool> TryResumeAsync(SessionId id, CancellationToken cancel)
    {
        BeginResult begun = default;
        try
        {
            begun = await Store.BeginAsync(id, default, _host.LeaseRequest, cancel).ConfigureAwait(false);
            return begun.Status != BeginStatus.Begun || await ResumeAsync(begun, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            _host.Report("store", e, id);
            if (begun.Status == BeginStatus.Begun)
                await _host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
            return false;
        }
    }

    /// <returns>False where it has to be tried again.</returns>
    private async ValueTask<bool> ResumeAsync(BeginResult begun, CancellationToken cancel)
    {
        SessionHead head = begun.Head!;
        OpenRequest? open = (await _host.ReadTailAsync(begun.Lease.Session, head, cancel).ConfigureAwait(false)).Open;
        bool isKnown = _host.Tokens.TryGetCurrent(begun.Lease.Session, head, out _);
        if (open is not { IsAccepted: true } || open.Unended >= MostAttempts || !isKnown)
        {
            if (open is { IsAccepted: true } && isKnown)
                await DeferAsync(begun).ConfigureAwait(false);
            await _host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
            return true;
        }

        RunningTurn turn = new(_host, begun.Lease, head, begun.NextSeq, open, new TurnRequest(open.Body, head.Principal));
        if (_host.Running.TryEnter(turn) is not Refusal.None and var refusal)
        {
            await turn.WithdrawAsync().ConfigureAwait(false);
            return refusal == Refusal.Draining;   // the next start takes it up
        }

        if (await turn.AcceptAsync().ConfigureAwait(false) is null)   // counted before it runs: it may end the process
            turn.Start();
        return true;
    }

    // It waits for its client, its results kept.
    private async ValueTask DeferAsync(BeginResult begun)
    {
        RecordWriter records = _host.RentRecords();
        JournalEntry[] deferred =
            [records.RequestDeferred(begun.NextSeq, _host.Settings.Time.GetUtcNow().ToUnixTimeMilliseconds())];
        await Store.AppendAsync(begun.Lease, deferred, null, Flush.Durable).ConfigureAwait(false);
        _host.ReturnRecords(records);
    }
}
