using Iris.Net.Server;

namespace Iris.Net;

/// <summary>What clients may consume. Everything has a bound.</summary>
public sealed record RestChannelLimits
{
    /// <summary>What concerns connections, heads and bodies.</summary>
    public HttpServerLimits Http { get; init; } = new();

    /// <summary>The deepest JSON body, 1 to 64 levels. Default 64; deeper is 400.</summary>
    public int MaxJsonDepth { get; init; } = 64;

    /// <summary>Turns that run at one time. Default 1,000; more get 503 and keep their token.</summary>
    public int MaxConcurrentTurns { get; init; } = 1000;

    /// <summary>Durable steps of one turn. Default 10,000; more fail the turn.</summary>
    public int MaxStepsPerTurn { get; init; } = 10_000;

    /// <summary>Bytes of events that are kept for streams that were cut off: at most 64 KiB of each turn, while it runs and 60 s
    /// longer. Default 268,435,456; the oldest go first, and who comes for them is told of a gap.</summary>
    public long MaxDeltaMemory { get; init; } = 256L * 1024 * 1024;

    /// <summary>Streams that follow one session at a time, beside those of its turns' own requests. Default 16; more get 503.</summary>
    public int MaxReadersPerSession { get; init; } = 16;

    /// <summary>The silence after which an event stream sends a comment, more than zero. Default 15 s.</summary>
    public TimeSpan SseHeartbeat { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Bytes of one WebSocket message, judged from its header. Default 1,048,576; more closes with 1009.</summary>
    public long MaxWebSocketMessageSize { get; init; } = 1024 * 1024;

    /// <summary>Fragments of one WebSocket message. Default 1,024; more closes with 1008.</summary>
    public int MaxFragmentsPerMessage { get; init; } = 1024;
}
