using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>Wakes a stream that was silent for a while, so that it says that it lives.</summary>
internal sealed class Heartbeat : IDisposable
{
    private readonly TimeProvider _time;
    private readonly TimeSpan _silence;
    private readonly EventReader _reader;
    private readonly ITimer _timer;
    private long _sentAt;

    public Heartbeat(TimeProvider time, TimeSpan silence, EventReader reader)
    {
        (_time, _silence, _reader, _sentAt) = (time, silence, reader, time.GetTimestamp());
        _timer = time.CreateTimer(static heart => ((Heartbeat)heart!).Look(), this, silence, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the silence lasted; with it, or with what is sent anyway, a new one begins.</summary>
    /// <param name="hasSent">Whether something is about to be sent.</param>
    public bool IsDue(bool hasSent)
    {
        bool isDue = _reader.IsNudged && !hasSent;
        if (isDue)
        {
            _reader.IsNudged = false;
            _timer.Change(_silence, Timeout.InfiniteTimeSpan);
        }

        if (isDue || hasSent)
            Volatile.Write(ref _sentAt, _time.GetTimestamp());
        return isDue;
    }

    public void Dispose() => _timer.Dispose();

    // Not moved at every event: that would cost each of them.
    private void Look()
    {
        TimeSpan left = _silence - _time.GetElapsedTime(Volatile.Read(ref _sentAt));
        if (left > TimeSpan.Zero)
            _timer.Change(left, Timeout.InfiniteTimeSpan);
        else
            _reader.Nudge();
    }
}
