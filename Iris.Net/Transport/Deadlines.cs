namespace Iris.Net.Transport;

/// <summary>One tick a second over all that has a deadline: a deadline costs a field, not a timer. A deadline of N seconds
/// passes between N and N + 1 seconds after it was set.</summary>
internal sealed class Deadlines : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ITimer _timer;
    private readonly Action<Exception>? _onError;
    private Timed[] _members = [];
    private Timed[] _ticking = [];
    private int _count;
    private long _now;
    private int _isTicking;

    public Deadlines(TimeProvider time, Action<Exception>? onError)
    {
        _time = time;
        _onError = onError;
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(static deadlines => ((Deadlines)deadlines!).Tick(), this, Interval, Interval);
    }

    /// <summary>The tick's length.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromSeconds(1);

    /// <summary>Milliseconds at the last tick, since the start.</summary>
    public long Now => Volatile.Read(ref _now);

    public int Count
    {
        get
        {
            lock (_lock)
                return _count;
        }
    }

    /// <summary>The time at which a timeout that began at <paramref name="start"/> will have passed for certain.</summary>
    public static long After(long start, TimeSpan timeout) => start + (long)(timeout + Interval).TotalMilliseconds;

    public void Add(Timed member)
    {
        lock (_lock)
        {
            if (_count == _members.Length)
                Array.Resize(ref _members, Math.Max(16, _count * 2));
            member.Slot = _count;
            _members[_count++] = member;
        }
    }

    public void Remove(Timed member)
    {
        lock (_lock)
        {
            Timed last = _members[--_count];
            last.Slot = member.Slot;
            _members[member.Slot] = last;
            _members[_count] = null!;
        }
    }

    /// <summary>Puts another into a member's place.</summary>
    public void Replace(Timed member, Timed heir)
    {
        lock (_lock)
        {
            heir.Slot = member.Slot;
            _members[heir.Slot] = heir;
        }
    }

    /// <summary>All members at this moment.</summary>
    public Timed[] Snapshot()
    {
        lock (_lock)
            return _members[.._count];
    }

    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        if (Interlocked.Exchange(ref _isTicking, 1) != 0)
            return;
        long now = (long)_time.GetElapsedTime(_start).TotalMilliseconds;
        Volatile.Write(ref _now, now);
        int count;
        lock (_lock)
        {
            count = _count;
            if (_ticking.Length < count)
                _ticking = new Timed[_members.Length];
            Array.Copy(_members, _ticking, count);
        }

        for (int i = 0; i < count; i++)
        {
            try
            {
                _ticking[i].Tick(now);
            }
            catch (Exception e)
            {
                _onError?.Invoke(e);
            }
        }

        Array.Clear(_ticking, 0, count);
        Volatile.Write(ref _isTicking, 0);
    }
}

/// <summary>Something that has deadlines.</summary>
internal abstract class Timed
{
    /// <summary>Its place among the <see cref="Deadlines"/>' members, which alone may set it.</summary>
    public int Slot { get; set; }

    /// <summary>Called once a second, on a thread of the clock: it must not wait and must run nobody else's code.</summary>
    /// <param name="now">As <see cref="Deadlines.Now"/>.</param>
    public abstract void Tick(long now);
}
