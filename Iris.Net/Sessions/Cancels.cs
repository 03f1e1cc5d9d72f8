using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Ends the turn that runs, or closes the request that is open, on the word of whoever presents the token.</summary>
internal sealed class Cancels(SessionHost host)
{
    private const int MostLooks = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan InterruptWait = TimeSpan.FromSeconds(10);

    /// <summary>Cancels; a null token is that of a connection that is bound to the session.</summary>
    public async ValueTask<CancelAnswer> CancelAsync(
        SessionId id, ReadOnlyMemory<byte>? token, string? principal, CancellationToken cancel = default)
    {
        try
        {
            return await DecideAsync(id, token, principal, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return new CancelAnswer { Refused = host.StoreFailed(e) };
        }
    }

    /// <summary>Cancels the turn that a claim met, and waits for its end a while.</summary>
    public async ValueTask InterruptAsync(SessionId id, CancellationToken cancel = default)
    {
        if (host.Running.Of(id) is not { IsWake: false } turn)
            return;
        try
        {
            await turn.CancelRequestAsync().ConfigureAwait(false);   // where its commit came first, its end is near all the same
            await turn.EndWithinAsync(InterruptWait, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            host.StoreFailed(e);
        }
    }

    private async ValueTask<CancelAnswer> DecideAsync(
        SessionId id, ReadOnlyMemory<byte>? token, string? principal, CancellationToken cancel)
    {
        bool wasCurrent = false;
        for (int look = 0; look < MostLooks; look++)
        {
            Presented presented = await host.Presenters.JudgeAsync(id, token, principal, cancel).ConfigureAwait(false);
            if (presented.IsRefused)
                // Its turn committed while the cancel was decided, and the next one was begun.
                return presented.Refused.Refusal == Refusal.StaleToken && wasCurrent ? default : new() { Refused = presented.Refused };
            if (!presented.IsCurrent)
                return new() { CanRecover = true };
            wasCurrent = true;
            if (presented.Running is { } turn)
            {
                if (await turn.CancelRequestAsync().ConfigureAwait(false))
                    return new() { Turn = turn.Number };
                await turn.Events.EndAsync().ConfigureAwait(false);
            }
            else if (presented.Tail!.Open is null)
                return default;
            else
            {
                BeginResult begun = await host.Settings.Store.BeginAsync(
                    id, presented.Head!.Guard, host.LeaseRequest, cancel).ConfigureAwait(false);
                if (begun.Status == BeginStatus.Begun)
                {
                    await CloseAsync(begun, cancel).ConfigureAwait(false);
                    return default;
                }

                if (begun.Status == BeginStatus.Held && !host.IsOwn(begun.Lease))
                    return new() { Refused = Refusal.Contended };
                // Somebody is about to run it, or has it for a moment.
                await Task.Delay(Pause, host.Settings.Time, cancel).ConfigureAwait(false);
            }
        }

        return new() { Refused = Refusal.InFlight };
    }

    private async ValueTask CloseAsync(BeginResult begun, CancellationToken cancel)
    {
        try
        {
            if ((await host.ReadTailAsync(begun.Lease.Session, begun.Head!, cancel).ConfigureAwait(false)).Open is not { } open)
                return;
            CancelledRequest request = new(open.FirstSeq, open.Key, TurnRequest.DigestOf(open.Key, open.Body));
            AppendResult result = await host.AppendAsync(
                begun, (records, now) => records.RequestClosed(begun.NextSeq, now, request)).ConfigureAwait(false);
            if (result != AppendResult.Appended)
                throw new IOException($"The request could not be closed: {result}.");
        }
        finally
        {
            await host.ReleaseAsync(begun.Lease).ConfigureAwait(false);
        }
    }
}

/// <summary>What a cancel came to; the default: nothing runs.</summary>
internal readonly record struct CancelAnswer
{
    /// <summary>The refusal, where there is one.</summary>
    public Admission Refused { get; init; }

    /// <summary>The turn whose attempt never commits; 0 where nothing runs.</summary>
    public long Turn { get; init; }

    /// <summary>Whether the token is spent, and opens the receipt of its turn.</summary>
    public bool CanRecover { get; init; }
}
