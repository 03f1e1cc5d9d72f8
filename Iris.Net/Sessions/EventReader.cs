using System.Threading.Tasks.Sources;
using Iris.Net.Diagnostics;

namespace Iris.Net.Sessions;

/// <summary>Follows the events of one attempt. One caller reads; a reader that falls too far behind is cut, and the turn runs
/// on.</summary>
internal sealed class EventReader : IValueTaskSource, IThreadPoolWorkItem, IDisposable
{
    private const int Reads = 0, Waits = 1, Wakes = 2;

    private readonly TurnEvents _events;
    // Woken readers do not go on below whoever appended: it may be a program that blocks its thread.
    private readonly Action<IThreadPoolWorkItem> _queue;
    private ManualResetValueTaskSourceCore<bool> _wait;
    private EventNode _at;
    private long _behindSince = -1;
    private int _state;

    internal EventReader(TurnEvents events, EventNode at, Action<IThreadPoolWorkItem> queue) =>
        (_events, _at, _queue, Place) = (events, at, queue, at.Place);

    /// <summary>True where the reader fell too far behind: it gets nothing more, and no end.</summary>
    public bool IsCut { get; private set; }

    /// <summary>The next event; false where there is none yet, or none any more.</summary>
    public bool TryRead(out EventKind kind, out ReadOnlySpan<byte> json)
    {
        bool hasRead = TryTake(out kind, out ReadOnlyMemory<byte> taken);
        json = taken.Span;
        return hasRead;
    }

    /// <summary>As <see cref="TryRead"/>, for who keeps the event a while.</summary>
    public bool TryTake(out EventKind kind, out ReadOnlyMemory<byte> json)
    {
        if (IsCut || _at.Next is not { } node)
        {
            Volatile.Write(ref _behindSince, -1);   // it caught up, and begins anew
            kind = default;
            json = default;
            return false;
        }

        _at = node;
        kind = node.Kind;
        json = node.Take();
        Place = node.Place;
        return true;
    }

    /// <summary>Where the event read last stands, also where the reader was cut since: from there it resumes.</summary>
    public EventPlace Place { get; private set; }

    /// <summary>The attempt's end, once all of its events were read.</summary>
    public TurnEnd? End => !IsCut && _events.End is { } end && _at.Next is null ? end : null;

    /// <summary>Waits until there is an event, the end, or a cut.</summary>
    public ValueTask WaitAsync()
    {
        _wait.Reset();
        return _events.MustWait(this, _at) ? new(this, _wait.Version) : default;
    }

    /// <summary>Ends the wait, and every later one at once: whoever waits has something else to see to.</summary>
    public void Nudge()
    {
        lock (_events)
        {
            IsNudged = true;
            Wake();
        }
    }

    /// <summary>Whether waits end at once.</summary>
    public bool IsNudged { get; set; }

    /// <summary>Lets what was set off before run first, so that its events are there to read.</summary>
    public ValueTask YieldAsync()
    {
        _wait.Reset();
        Volatile.Write(ref _state, Wakes);
        _queue(this);
        return new(this, _wait.Version);
    }

    void IThreadPoolWorkItem.Execute()
    {
        Volatile.Write(ref _state, Reads);
        _wait.SetResult(true);
    }

    public void Dispose() => _events.Detach(this);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => _wait.GetResult(token);

    /// <summary>Whether the reader is so far behind that what it has still to take may be joined.</summary>
    internal bool IsBehind(EventNode tail, EventLimits limits) => tail.Deltas - _at.Deltas > limits.JoinedFrom;

    internal void Register() => Volatile.Write(ref _state, Waits);

    internal void Appended(EventNode tail, TimeProvider time, EventLimits limits)
    {
        long backlog = tail.Deltas - _at.Deltas;
        if (backlog <= limits.Lasting)
            _behindSince = -1;
        else if (_behindSince < 0)
            _behindSince = time.GetTimestamp();
        else if (backlog > limits.Most || time.GetElapsedTime(_behindSince) > limits.LastingFor)
            Cut();
        if (IsCut)
            _at = tail;   // what it did not take is nobody's any more
        Wake();
    }

    private void Cut()
    {
        if (!IsCut)
            Telemetry.Breached("MaxStreamBacklog");
        IsCut = true;
    }

    /// <summary>Ends the wait, if there is one.</summary>
    internal void Wake()
    {
        if (Interlocked.CompareExchange(ref _state, Wakes, Waits) == Waits)
            _queue(this);
    }
}
