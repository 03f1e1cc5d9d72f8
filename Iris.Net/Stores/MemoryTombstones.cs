using System.Collections.Concurrent;

namespace Iris.Net.Stores;

/// <summary>Why sessions are gone: the last few thousand, for a day.</summary>
internal sealed class MemoryTombstones
{
    private const int Most = 10_000;
    private const long KeptFor = TimeSpan.TicksPerDay;

    private readonly ConcurrentDictionary<string, (Tombstone Why, long At)> _byId = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();

    public void Add(string id, Tombstone why, long now)
    {
        _byId[id] = (why == Tombstone.None ? Tombstone.Deleted : why, now);
        _order.Enqueue(id);
        if (_order.Count > Most && _order.TryDequeue(out string? oldest))
            _byId.TryRemove(oldest, out _);
    }

    public Tombstone Why(string id, long now) =>
        _byId.TryGetValue(id, out var gone) && now - gone.At < KeptFor ? gone.Why : Tombstone.None;
}
