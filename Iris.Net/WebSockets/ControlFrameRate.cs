namespace Iris.Net.WebSockets;

/// <summary>Counts control frames in windows of time, each of which begins with its first frame.</summary>
internal struct ControlFrameRate
{
    private int _count;
    private long _since;

    /// <summary>Counts one frame; false where it is one too many.</summary>
    public bool TryCount(MessageLimits limits, long now)
    {
        if (_count == 0 || now - _since >= limits.ControlFrameWindow)
            (_count, _since) = (0, now);
        return ++_count <= limits.MaxControlFrames;
    }
}
