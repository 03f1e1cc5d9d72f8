namespace Iris.Net.Stores;

/// <summary>The sessions that wait for a timer, by its time, and those that have work to be done.</summary>
internal sealed class DueIndex
{
    /// <summary>Where a session waits for no timer.</summary>
    public const long NoTimer = long.MaxValue;

    private readonly Lock _gate = new();
    private readonly SortedSet<(long At, string Id)> _timers = new(Comparer<(long At, string Id)>.Create(
        static (a, b) => a.At != b.At ? a.At.CompareTo(b.At) : string.CompareOrdinal(a.Id, b.Id)));

    private readonly HashSet<string> _pending = new(StringComparer.Ordinal);

    /// <summary>A session waits for another time than before, or has other work; called under its lock.</summary>
    public void Move(string id, Due from, Due to)
    {
        if (from == to)
            return;
        lock (_gate)
            Set(id, from, to);
    }

    /// <summary>The same for a session that others change meanwhile: whoever comes last sees how it stands.</summary>
    public void Move(string id, Due from, Due to, Func<Due> now)
    {
        if (from == to)
            return;
        lock (_gate)
            Set(id, from, now());
    }

    /// <summary>The ids of those that are due and that the filter lets pass.</summary>
    public List<string> Find(long now, int limit, Func<string, bool> filter)
    {
        List<string> found = [];
        lock (_gate)
        {
            foreach (string id in _pending)
            {
                if (found.Count >= limit)
                    return found;
                if (filter(id))
                    found.Add(id);
            }

            foreach ((long at, string id) in _timers)
            {
                if (at > now || found.Count >= limit)
                    break;
                if (!_pending.Contains(id) && filter(id))
                    found.Add(id);
            }
        }

        return found;
    }

    private void Set(string id, Due from, Due to)
    {
        if (from.At != NoTimer)
            _timers.Remove((from.At, id));
        if (to.At != NoTimer)
            _timers.Add((to.At, id));
        if (to.IsPending)
            _pending.Add(id);
        else
            _pending.Remove(id);
    }
}

/// <summary>When a session has to be looked at.</summary>
/// <param name="At">The time of its timer: UTC ticks.</param>
/// <param name="IsPending">Whether there is something to do at once.</param>
internal readonly record struct Due(long At, bool IsPending)
{
    public static Due Never => new(DueIndex.NoTimer, false);
}
