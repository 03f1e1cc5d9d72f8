namespace Iris.Net.Sessions;

/// <summary>How far a reader may fall behind, in bytes of deltas.</summary>
/// <param name="Lasting">Cut where this much waits for <paramref name="LastingFor"/>.</param>
/// <param name="LastingFor">How long.</param>
/// <param name="Most">Cut where this much waits at all.</param>
internal sealed record EventLimits(long Lasting, TimeSpan LastingFor, long Most)
{
    /// <summary>Where this much waits for every reader, further deltas are joined.</summary>
    public long JoinedFrom { get; init; } = Lasting / 16;

    /// <summary>Bytes of an attempt's newest events that are kept for readers to come, once there was one.</summary>
    public long Remembered { get; init; }
}
