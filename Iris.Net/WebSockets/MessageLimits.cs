namespace Iris.Net.WebSockets;

/// <summary>What one peer may send.</summary>
internal sealed record MessageLimits
{
    /// <summary>The largest message in bytes, <see cref="Array.MaxLength"/> at most; judged from frames' heads, 1009.</summary>
    public long MaxMessageSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, Array.MaxLength);
            field = value;
        }
    } = 1_048_576; // the size of the largest request body

    /// <summary>The most frames of one message, 1 at least; 1008. Frames without payload cost time and no size.</summary>
    public int MaxFragments
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 1024; // a message of the largest size in frames of a kilobyte

    /// <summary>The most pings and pongs within <see cref="ControlFrameWindow"/>; 1008.</summary>
    public int MaxControlFrames
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    } = 100; // ten a second: a keep-alive needs one in many seconds

    /// <summary>The milliseconds in which control frames are counted; they begin with the first of them.</summary>
    public long ControlFrameWindow { get; init; } = 10_000;

    /// <summary>Whether binary messages are taken; otherwise 1003.</summary>
    public bool AcceptBinary { get; init; } = true;
}
