using System.Collections;
using System.Collections.Concurrent;
using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>The sessions in memory by their ids, and about how much of it they take.</summary>
internal sealed class SessionTable : IEnumerable<KeyValuePair<string, SessionCell>>
{
    private readonly ConcurrentDictionary<string, SessionCell> _cells = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Those that have to be looked at.</summary>
    public DueIndex Due { get; } = new();

    public long Bytes => Volatile.Read(ref _bytes);

    public int Count => _cells.Count;

    public bool TryGet(string id, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SessionCell? cell) =>
        _cells.TryGetValue(id, out cell);

    public bool TryAdd(string id, SessionCell cell)
    {
        long size = cell.Now.Size;   // before anybody else can change it
        if (!_cells.TryAdd(id, cell))
            return false;
        Interlocked.Add(ref _bytes, size);
        Move(id, cell, Stores.Due.Never, cell.Now.LookAt);
        return true;
    }

    /// <summary>Replaces a session's state, unless somebody else did so first.</summary>
    public bool TrySwap(string id, SessionCell cell, SessionCell.State from, SessionCell.State to)
    {
        if (!cell.TrySwap(from, to))
            return false;
        Interlocked.Add(ref _bytes, to.Size - from.Size);
        Move(id, cell, from.LookAt, to.LookAt);
        return true;
    }

    public bool TryRemove(string id, SessionCell cell, SessionCell.State state)
    {
        if (!TrySwap(id, cell, state, state with { Deleted = true, Owner = null, Closed = default, Open = default, Pending = PendingWork.None }))
            return false;
        _cells.TryRemove(new KeyValuePair<string, SessionCell>(id, cell));
        return true;
    }

    // Few sessions have anything to be looked at: the others come no further than the comparison.
    private void Move(string id, SessionCell cell, Due from, Due to)
    {
        if (from != to)
            MoveNow(id, cell, from, to);
    }

    // The last of several sees how the session stands.
    private void MoveNow(string id, SessionCell cell, Due from, Due to) => Due.Move(id, from, to, () => cell.Now.LookAt);

    public IEnumerator<KeyValuePair<string, SessionCell>> GetEnumerator() => _cells.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
