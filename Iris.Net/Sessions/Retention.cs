using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Deletes sessions that nobody used for their time to live.</summary>
internal sealed class Retention : IAsyncDisposable
{
    private static readonly TimeSpan ShortestSweep = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestSweep = TimeSpan.FromMinutes(1);
    private const int Batch = 1000;

    private readonly SessionHost _host;
    private readonly TimeSpan _ttl;
    private readonly ITimer _timer;
    private int _sweeps;

    public Retention(SessionHost host, TimeSpan ttl)
    {
        (_host, _ttl) = (host, ttl);
        TimeSpan every = TimeSpan.FromTicks(Math.Clamp(ttl.Ticks / 10, ShortestSweep.Ticks, LongestSweep.Ticks));
        _timer = host.Settings.Time.CreateTimer(static retention => _ = ((Retention)retention!).SweepAsync(), this, every, every);
    }

    /// <summary>When a session runs out that is not used again.</summary>
    public DateTimeOffset ExpiryOf(SessionHead head) =>
        (head.Wait?.At > head.UpdatedAt ? head.Wait.At.Value : head.UpdatedAt) + _ttl;

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private async Task SweepAsync()
    {
        if (Interlocked.Exchange(ref _sweeps, 1) != 0)
            return;   // the one before is not done
        try
        {
            IStateStore store = _host.Settings.Store;
            DateTimeOffset since = _host.Settings.Time.GetUtcNow() - _ttl;
            List<SessionId> idle = [];
            await foreach (SessionId id in store.IdleAsync(since, Batch).ConfigureAwait(false))
                idle.Add(id);
            foreach (SessionId id in idle)
            {
                BeginResult begun = await store.BeginAsync(id, default, _host.LeaseRequest).ConfigureAwait(false);
                if (begun.Status == BeginStatus.Begun)
                    await ExpireAsync(store, begun, since).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            _host.Report("store", e);   // the next sweep tries again
        }
        finally
        {
            Volatile.Write(ref _sweeps, 0);
        }
    }

    private async ValueTask ExpireAsync(IStateStore store, BeginResult begun, DateTimeOffset since)
    {
        if (begun.Head!.UpdatedAt < since)
        {
            await store.DeleteAsync(begun.Lease, Tombstone.Expired).ConfigureAwait(false);
            _host.Ended(begun.Lease.Session);
        }
        else
            await _host.ReleaseAsync(begun.Lease).ConfigureAwait(false);   // a turn committed in between
    }
}
