using Iris.Net.Diagnostics;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Counts who follows each session, so that nobody takes all there is.</summary>
internal sealed class SessionReaders(int most)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<SessionReader>> _bySession = new(StringComparer.Ordinal);

    /// <summary>Takes a place; null where there is none left: those who have one then show whether they are there still. Whoever has
    /// it gives it back.</summary>
    public SessionReader? TryEnter(SessionId id)
    {
        SessionReader[] others;
        lock (_gate)
        {
            List<SessionReader> readers = _bySession.TryGetValue(id.Value, out List<SessionReader>? known) ? known : [];
            if (readers.Count < most)
            {
                SessionReader reader = new();
                readers.Add(reader);
                _bySession[id.Value] = readers;
                return reader;
            }

            others = [.. readers];
        }

        Telemetry.Breached("MaxReadersPerSession");
        foreach (SessionReader other in others)
            other.Probe();
        return null;
    }

    /// <summary>Whether anybody follows a session.</summary>
    public bool Has(SessionId id)
    {
        lock (_gate)
            return _bySession.ContainsKey(id.Value);
    }

    /// <summary>Gives a place back.</summary>
    public void Leave(SessionId id, SessionReader reader)
    {
        lock (_gate)
            if (_bySession.TryGetValue(id.Value, out List<SessionReader>? readers) && readers.Remove(reader) && readers.Count == 0)
                _bySession.Remove(id.Value);
    }
}

/// <summary>One that follows a session.</summary>
internal sealed class SessionReader
{
    private TaskCompletionSource _probed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends once the peer should show that it is there; asked again, it waits for the next time.</summary>
    public Task ProbedAsync()
    {
        TaskCompletionSource probed = Volatile.Read(ref _probed);
        if (probed.Task.IsCompleted)
            Interlocked.CompareExchange(ref _probed, new(TaskCreationOptions.RunContinuationsAsynchronously), probed);
        return Volatile.Read(ref _probed).Task;
    }

    /// <summary>Lets whoever has the place find out whether its peer is gone.</summary>
    public void Probe() => Volatile.Read(ref _probed).TrySetResult();
}
