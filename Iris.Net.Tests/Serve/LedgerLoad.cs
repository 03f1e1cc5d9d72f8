using System.Diagnostics;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Serve;

/// <summary>Clients that play turns until it is over.</summary>
internal sealed class LedgerLoad : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly LedgerServer _server;
    private readonly LedgerClient[] _clients;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private long _acknowledged;

    public LedgerLoad(LedgerServer server, int clients)
    {
        _server = server;
        _clients = [.. Enumerable.Range(0, clients).Select(i => new LedgerClient(server, i % 2 == 0, () => Interlocked.Increment(ref _acknowledged)))];
        _running = Task.WhenAll(_clients.Select(client => client.RunAsync(_stop.Token)));
    }

    public int Unavailable => _clients.Sum(client => client.Unavailable);

    public long[] Acknowledged() => [.. _clients.Select(client => client.Acknowledged)];

    public Task AcknowledgedAsync(int more)
    {
        long goal = Volatile.Read(ref _acknowledged) + more;
        return UntilAsync(() => Volatile.Read(ref _acknowledged) >= goal);
    }

    /// <summary>Each client has one more turn.</summary>
    public Task EveryoneAsync()
    {
        long[] before = Acknowledged();
        return UntilAsync(() => Acknowledged().Zip(before).All(pair => pair.First > pair.Second));
    }

    /// <summary>Each client was refused once more: what was acknowledged before, it has counted.</summary>
    public Task EveryoneRefusedAsync()
    {
        int[] before = [.. _clients.Select(client => client.Unavailable)];
        return UntilAsync(() => _clients.Select(client => client.Unavailable).Zip(before).All(pair => pair.First > pair.Second));
    }

    public async Task UntilAsync(Func<bool> condition)
    {
        for (long start = Stopwatch.GetTimestamp(); !condition();)
        {
            if (_running.IsCompleted)
                await _running;   // a client failed
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(Patience), _server.Log);
            await Task.Delay(5);
        }
    }

    /// <summary>What was acknowledged is in the store of the server, which was killed.</summary>
    /// <param name="acknowledged">How many turns of each client.</param>
    /// <param name="data">A copy of its store, where it is not the store itself.</param>
    public async Task CheckAsync(long[] acknowledged, string? data = null)
    {
        await using FileStateStore store = new(data ?? _server.Data);
        foreach ((LedgerClient client, long turns) in _clients.Zip(acknowledged))
        {
            if (client.SessionId is not { } id)
                continue;
            SessionHead? head = await store.FindAsync(new SessionId(id));
            Assert.That(head?.ClientTurns, Is.GreaterThanOrEqualTo(turns), id);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}
