namespace Iris.Net.Sessions;

/// <summary>Lets the requests of one session that carry idempotency keys in one after another: between a claim in the store and
/// its place among the running turns there is nothing that a second one could attach to.</summary>
internal sealed class KeyGates
{
    private readonly Dictionary<string, Gate> _gates = new(StringComparer.Ordinal);

    /// <summary>Waits for its turn; disposing what comes back lets the next one in.</summary>
    public async ValueTask<Pass> EnterAsync(string sessionId, CancellationToken cancel = default)
    {
        Gate? gate;
        lock (_gates)
        {
            if (!_gates.TryGetValue(sessionId, out gate))
                _gates.Add(sessionId, gate = new Gate());
            gate.Users++;
        }

        Pass pass = new(this, sessionId, gate);
        try
        {
            await gate.Turn.WaitAsync(cancel).ConfigureAwait(false);
            return pass;
        }
        catch
        {
            Leave(sessionId, gate);
            throw;
        }
    }

    private void Leave(string sessionId, Gate gate)
    {
        lock (_gates)
        {
            if (--gate.Users == 0)
                _gates.Remove(sessionId);
        }
    }

    internal sealed class Gate
    {
        public SemaphoreSlim Turn { get; } = new(1, 1);   // has no handle, and needs no disposal

        public int Users { get; set; }
    }

    internal readonly struct Pass(KeyGates gates, string sessionId, Gate gate) : IDisposable
    {
        public void Dispose()
        {
            gate.Turn.Release();
            gates.Leave(sessionId, gate);
        }
    }
}
