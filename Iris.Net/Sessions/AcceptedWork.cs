using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Takes up after a restart what was answered with 202 and has no end yet.</summary>
internal sealed class AcceptedWork(SessionHost host)
{
    private const int MostAttempts = 3;   // without an end

    public async ValueTask ResumeAsync(CancellationToken cancel = default)
    {
        if (!host.Settings.Store.Traits.Durable)
            return;
        List<SessionId> due = [];
        await foreach (SessionId id in host.Settings.Store.DueAsync(DateTimeOffset.MinValue, int.MaxValue, cancel).ConfigureAwait(false))
            due.Add(id);
        foreach (SessionId id in due)
            await ResumeAsync(id, cancel).ConfigureAwait(false);
    }

    private async ValueTask ResumeAsync(SessionId id, CancellationToken cancel)
    {
        BeginResult begun = await host.Settings.Store.BeginAsync(id, default, host.LeaseRequest, cancel).ConfigureAwait(false);
        if (begun.Status != BeginStatus.Begun)
            return;
        SessionHead head = begun.Head!;
        OpenRequest? open = (await host.ReadTailAsync(id, head, cancel).ConfigureAwait(false)).Open;
        if (open is not { IsAccepted: true })
        {
            await host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
            return;
        }

        if (open.Unended >= MostAttempts)
        {
            await DeferAsync(begun).ConfigureAwait(false);
            return;
        }

        RunningTurn turn = new(host, begun.Lease, head, begun.NextSeq, open, new TurnRequest(open.Body, head.Principal));
        if (host.Running.TryEnter(turn) != Refusal.None)
            await turn.WithdrawAsync().ConfigureAwait(false);
        else if (await turn.AcceptAsync().ConfigureAwait(false) is null)   // counted before it runs: it may end the process
            turn.Start();
    }

    // It waits for its client, its results kept.
    private async ValueTask DeferAsync(BeginResult begun)
    {
        RecordWriter records = host.RentRecords();
        JournalEntry[] deferred =
            [records.RequestDeferred(begun.NextSeq, host.Settings.Time.GetUtcNow().ToUnixTimeMilliseconds())];
        await host.Settings.Store.AppendAsync(begun.Lease, deferred, null, Flush.Durable).ConfigureAwait(false);
        host.ReturnRecords(records);
        await host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
    }
}
