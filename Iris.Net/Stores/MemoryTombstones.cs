using System.Collections.Concurrent;

namespace Iris.Net.Stores;

/// <summary>Why sessions are gone: the last few thousand, for a day.</summary>
internal sealed class MemoryTombstones
{
    private const int Most = 10_000;
    private const long KeptFor = TimeSpan.TicksPerDay;

    private readonly ConcurrentDictionary<string, (Tombstone Why, string? Principal, long At)> _byId = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();

    public void Add(string id, Tombstone why, string? principal, long now)
    {
        _byId[id] = (why == Tombstone.None ? Tombstone.Deleted : why, principal, now);
        _order.Enqueue(id);
        if (_order.Count > Most && _order.TryDequeue(out string? oldest))
            _byId.TryRemove(oldest, out _);
    }

    public BeginResult Of(string id, long now) => _byId.TryGetValue(id, out var gone) && now - gone.At < KeptFor
        ? BeginResult.Unknown(gone.Why, gone.Principal) : BeginResult.Unknown();
}
