using Iris.Net.Server;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>The turns that an attached connection caused itself, until it was told of them: their events carry its message's
/// reference, and it is busy while there is one, or while others' turns are told. Safe for use by several threads at once.</summary>
internal sealed class OwnTurns(WebSocketConnection socket)
{
    // Turns that the connection may not have been told of yet; one that has more reads too slowly.
    private const int Most = 64;

    private readonly Lock _lock = new();
    private readonly Queue<OwnTurn> _turns = [];
    private bool _isAtRest, _ends;

    /// <summary>Whether the client sends messages and does not read what becomes of them.</summary>
    public bool AreMany
    {
        get
        {
            lock (_lock)
                return _turns.Count >= Most;
        }
    }

    /// <summary>Adds a turn; false where it has ended: its events may have been told.</summary>
    public bool TryAdd(RunningTurn turn, byte[]? reference)
    {
        lock (_lock)
        {
            if (turn.Events.End is not null)
                return false;
            _turns.Enqueue(new(turn.Number, turn.Name, turn.Events, reference));
            Work();
            return true;
        }
    }

    /// <summary>An event is told; the reference that it carries.</summary>
    public byte[]? Tell(in EventCursor at)
    {
        lock (_lock)
        {
            Work();
            return OwnerOf(at)?.Ref;
        }
    }

    /// <summary>The end of a turn was told. Attempts that were overtaken before they were told are told no more.</summary>
    public void End(in EventCursor at)
    {
        lock (_lock)
            if (OwnerOf(at) is { } told)
                while (_turns.Dequeue() != told)
                {
                }
    }

    /// <summary>All that there was in the feed is told; true where the connection has waited for just that.</summary>
    public bool Rest(SessionFeed feed)
    {
        lock (_lock)
        {
            if (!feed.IsCalled)   // asked in here: a turn that is added later calls it first
                _turns.Clear();   // overtaken, and not remembered: nothing is told of them any more
            _isAtRest = _turns.Count == 0;   // one may have begun meanwhile
            socket.IsBusy = !_isAtRest;
            return _isAtRest && _ends;
        }
    }

    /// <summary>No turn follows; true where nothing is left to be told.</summary>
    public bool Finish()
    {
        lock (_lock)
        {
            _ends = true;
            return _isAtRest;
        }
    }

    private void Work()
    {
        _isAtRest = false;
        socket.IsBusy = true;
    }

    private OwnTurn? OwnerOf(in EventCursor at)
    {
        foreach (OwnTurn own in _turns)
            if (own.Turn == at.Turn && (own.Attempt == at.Attempt || (at.Attempt == EventCursor.NoName && !own.Events.EndsUncommitted)))
                return own;
        return null;
    }

    private sealed record OwnTurn(long Turn, string Attempt, TurnEvents Events, byte[]? Ref);
}
