using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>The sessions that wait for a timer, by its time, and those that have work to be done.</summary>
internal sealed class DueIndex
{
    private readonly Lock _gate = new();
    private readonly SortedSet<(long At, string Id)> _timers = new(Comparer<(long At, string Id)>.Create(
        static (a, b) => a.At != b.At ? a.At.CompareTo(b.At) : string.CompareOrdinal(a.Id, b.Id)));

    private readonly HashSet<string> _pending = new(StringComparer.Ordinal);

    /// <summary>A session waits for another time than before, or has other work.</summary>
    public void Move(string id, long from, long to, PendingWork before, PendingWork after)
    {
        bool isMoved = from != to, isMarked = (before == PendingWork.None) != (after == PendingWork.None);
        if (!isMoved && !isMarked)
            return;
        lock (_gate)
        {
            if (isMoved && from != RecordFrame.NoTimer)
                _timers.Remove((from, id));
            if (isMoved && to != RecordFrame.NoTimer)
                _timers.Add((to, id));
            if (isMarked && after == PendingWork.None)
                _pending.Remove(id);
            else if (isMarked)
                _pending.Add(id);
        }
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
}
