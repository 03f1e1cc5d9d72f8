using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Leases sessions for requests: waits a moment for whoever has one for a moment, and judges what the store says.</summary>
internal sealed class SessionLeases(SessionHost host)
{
    private static readonly TimeSpan WakeWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ContendedPause = TimeSpan.FromMilliseconds(25);

    private SessionSettings Settings => host.Settings;

    /// <summary>Claims a session for a request; a wake turn is short, and no reason to turn a client away.</summary>
    public async ValueTask<Admission> ClaimAsync(
        SessionId id, ReadOnlyMemory<byte> guard, TurnRequest request, CancellationToken cancel)
    {
        Admission claimed = await BeginAsync(id, guard, request, cancel).ConfigureAwait(false);
        return claimed.Refusal != Refusal.InFlight ? claimed
            : await BeginBehindWakeAsync(claimed, id, guard, request, cancel).ConfigureAwait(false);
    }

    /// <summary>Finds a place among the running turns for what was claimed, or gives it back.</summary>
    public async ValueTask<Admission> EnterAsync(Admission claimed)
    {
        if (claimed.Turn is not { } turn)
            return claimed;
        Refusal refusal = host.Running.TryEnter(turn);
        if (refusal == Refusal.None)
            return claimed;
        await turn.WithdrawAsync().ConfigureAwait(false);
        return refusal;
    }

    private async ValueTask<Admission> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, TurnRequest request, CancellationToken cancel)
    {
        BeginResult begun = await Settings.Store.BeginAsync(id, guard, host.LeaseRequest, cancel).ConfigureAwait(false);
        if (begun.Status == BeginStatus.Held && !host.IsOwn(begun.Lease) && begun.Head!.Principal == request.Principal)
            begun = await BeginLaterAsync(id, guard, begun, cancel).ConfigureAwait(false);
        if (begun.Head is { } head && head.Principal != request.Principal)
        {
            // Of a request without principal, where the session has one.
            if (begun.Status == BeginStatus.Begun)
                await host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
            return Refusal.UnknownSession;
        }

        if (begun.Status == BeginStatus.Begun && !host.Tokens.TryGetCurrent(id, begun.Head!, out _))
        {
            await host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
            return Refusal.StaleToken;   // of a key that the channel has no more
        }

        return begun.Status switch
        {
            BeginStatus.Unknown => Presenters.Unknown(id, begun, request.Principal),
            BeginStatus.Stale => host.Receipts.Stale(begun.Head!, guard),
            BeginStatus.Held => host.IsOwn(begun.Lease) ? Refusal.InFlight : Contended(id, begun),
            _ => new RunningTurn(
                host, begun.Lease, begun.Head!, begun.NextSeq, await ReadTailAsync(begun, cancel).ConfigureAwait(false), request),
        };
    }

    // Another process may be done in a moment: its reply is on its way, or its turn is a short one.
    private async ValueTask<BeginResult> BeginLaterAsync(
        SessionId id, ReadOnlyMemory<byte> guard, BeginResult begun, CancellationToken cancel)
    {
        long since = Settings.Time.GetTimestamp();
        while (begun.Status == BeginStatus.Held && !host.IsOwn(begun.Lease) && Settings.Time.GetElapsedTime(since) < Settings.ContendedRetry)
        {
            await Task.Delay(ContendedPause, Settings.Time, cancel).ConfigureAwait(false);
            begun = await Settings.Store.BeginAsync(id, guard, host.LeaseRequest, cancel).ConfigureAwait(false);
        }

        return begun;
    }

    private Admission Contended(SessionId id, in BeginResult begun) => ((Admission)Refusal.Contended) with
    {
        Contended = new PastTurn(
            id, begun.Head!.Turn + 1, begun.Head.NextSeq, begun.Head.NextSeq,
            TurnEnd.Contended(begun.Lease.Fence, host.Tokens.CurrentOf(id, begun.Head))),
    };

    private async ValueTask<Admission> BeginBehindWakeAsync(
        Admission claimed, SessionId id, ReadOnlyMemory<byte> guard, TurnRequest request, CancellationToken cancel)
    {
        long begun = Settings.Time.GetTimestamp();
        bool looksAgain = true;
        while (claimed.Refusal == Refusal.InFlight)
        {
            TimeSpan left = WakeWait - Settings.Time.GetElapsedTime(begun);
            if (host.Due.LookingAt(id) is { } looking)
                await looking.ConfigureAwait(false);
            else if (host.Running.Of(id) is { } turn)
            {
                if (!turn.IsWake || left <= TimeSpan.Zero || await turn.EndWithinAsync(left, cancel).ConfigureAwait(false) is null)
                    break;
            }
            else if (!looksAgain)
                break;
            else
                looksAgain = false;   // what held it may have ended in between
            claimed = await BeginAsync(id, guard, request, cancel).ConfigureAwait(false);
        }

        return claimed;
    }

    private async ValueTask<JournalTail?> ReadTailAsync(BeginResult begun, CancellationToken cancel)
    {
        if (begun.NextSeq <= begun.Head!.TailFrom)
            return null;
        try
        {
            return await host.ReadTailAsync(begun.Lease.Session, begun.Head, cancel).ConfigureAwait(false);
        }
        catch
        {
            await host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
            throw;
        }
    }
}
