using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Ends whole sessions, on the word of whoever presents the current token.</summary>
internal sealed class Deletions(SessionHost host)
{
    /// <summary>Deletes a session that nothing runs of; the refusal where there is one.</summary>
    public async ValueTask<Admission> DeleteAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel = default)
    {
        try
        {
            Presented presented = await host.Presenters.JudgeAsync(id, token, principal, cancel).ConfigureAwait(false);
            if (presented.IsRefused)
                return presented.Refused;
            if (!presented.IsCurrent)
                return Refusal.StaleToken;
            // A START with the session's key is judged before or after, not in between.
            using KeyGates.Pass pass = await host.Gates.EnterAsync(id.Value, cancel).ConfigureAwait(false);
            IStateStore store = host.Settings.Store;
            BeginResult begun = await store.BeginAsync(id, presented.Head!.Guard, host.LeaseRequest, cancel).ConfigureAwait(false);
            switch (begun.Status)
            {
                case BeginStatus.Unknown:
                    return Presenters.Unknown(id, begun, principal);
                case BeginStatus.Stale:
                    return Refusal.StaleToken;
                case BeginStatus.Held:
                    return host.IsOwn(begun.Lease) ? Refusal.InFlight : Refusal.Contended;
                default:
                    await store.DeleteAsync(begun.Lease, Tombstone.Deleted, CancellationToken.None).ConfigureAwait(false);
                    host.Ended(id);
                    return Refusal.None;
            }
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return host.StoreFailed(e);
        }
    }
}
