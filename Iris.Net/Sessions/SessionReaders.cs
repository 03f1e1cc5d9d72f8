using System.Collections.Concurrent;
using Iris.Net.Diagnostics;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Counts who follows each session, so that nobody takes all there is.</summary>
internal sealed class SessionReaders(int most)
{
    private readonly ConcurrentDictionary<string, int> _count = new(StringComparer.Ordinal);

    /// <summary>Takes a place; false where there is none left. Whoever has it gives it back.</summary>
    public bool TryEnter(SessionId id)
    {
        while (true)
        {
            int count = _count.GetOrAdd(id.Value, 0);
            if (count >= most)
            {
                Telemetry.Breached("MaxReadersPerSession");
                return false;
            }

            if (_count.TryUpdate(id.Value, count + 1, count))
                return true;
        }
    }

    /// <summary>Gives a place back.</summary>
    public void Leave(SessionId id)
    {
        while (_count.TryGetValue(id.Value, out int count))
            if (count == 1 ? _count.TryRemove(KeyValuePair.Create(id.Value, 1)) : _count.TryUpdate(id.Value, count - 1, count))
                return;
    }
}
