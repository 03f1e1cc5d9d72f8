namespace Iris.Net.Server;

/// <summary>What a connection waits for from its peer.</summary>
internal enum Wait
{
    None,
    FirstByte,
    NextRequest,
    Head,
    Body,
    End,
}

/// <summary>Until when a connection waits, and for what: one number, so that of the clock that ends the wait and the bytes
/// that end it exactly one comes first.</summary>
internal struct ConnectionDeadline
{
    private const int KindBits = 3;
    private const long Kind = (1 << KindBits) - 1, Expired = 1 << KindBits;
    private const int TimeShift = KindBits + 1;

    private long _state;

    /// <summary>Begins a wait.</summary>
    /// <param name="wait">For what.</param>
    /// <param name="until">Milliseconds of the clock.</param>
    public void Set(Wait wait, long until) => Volatile.Write(ref _state, until << TimeShift | (long)wait);

    /// <summary>Ends the wait; tells which one had expired.</summary>
    public Wait Clear()
    {
        long state = Interlocked.Exchange(ref _state, 0);
        return (state & Expired) != 0 ? (Wait)(state & Kind) : Wait.None;
    }

    /// <summary>The wait there is now, and until when.</summary>
    public readonly (Wait For, long Until) Get()
    {
        long state = Volatile.Read(in _state);
        return (state & Expired) != 0 ? default : ((Wait)(state & Kind), state >> TimeShift);
    }

    /// <summary>Lets a wait expire; false where it ended first.</summary>
    public bool TryExpire((Wait For, long Until) wait)
    {
        long state = wait.Until << TimeShift | (long)wait.For;
        return wait.For != Wait.None && Interlocked.CompareExchange(ref _state, state | Expired, state) == state;
    }
}
