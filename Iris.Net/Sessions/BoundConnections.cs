using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The connections that are bound to each session, which end with it.</summary>
internal sealed class BoundConnections
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, BoundConnection> _bySession = new(StringComparer.Ordinal);

    public void Add(SessionId id, BoundConnection connection)
    {
        lock (_gate)
        {
            connection.Next = _bySession.GetValueOrDefault(id.Value);
            _bySession[id.Value] = connection;
        }
    }

    public void Remove(SessionId id, BoundConnection connection)
    {
        lock (_gate)
        {
            if (!_bySession.TryGetValue(id.Value, out BoundConnection? at))
                return;
            if (at == connection && at.Next is null)
                _bySession.Remove(id.Value);
            else if (at == connection)
                _bySession[id.Value] = at.Next!;
            else
                while (at.Next is { } next && !at.TryUnlink(connection))
                    at = next;
        }
    }

    /// <summary>The session is gone.</summary>
    public void End(SessionId id)
    {
        List<BoundConnection> ended = [];
        lock (_gate)
            if (_bySession.Remove(id.Value, out BoundConnection? first))
                for (BoundConnection? at = first; at is not null; at = at.Next)
                    ended.Add(at);
        foreach (BoundConnection connection in ended)
            connection.SessionEnded();
    }
}

/// <summary>A connection that may be bound to one session.</summary>
internal abstract class BoundConnection
{
    /// <summary>The next one of the same session; under the lock of <see cref="BoundConnections"/>.</summary>
    public BoundConnection? Next { get; set; }

    /// <summary>The session is gone. It may not wait.</summary>
    public abstract void SessionEnded();

    /// <summary>Takes out the one behind this, if that is it.</summary>
    public bool TryUnlink(BoundConnection connection)
    {
        if (Next != connection)
            return false;
        Next = connection.Next;
        return true;
    }
}
