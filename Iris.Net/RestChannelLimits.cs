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

    /// <summary>Bytes of one WebSocket message, judged from its header. Default 1,048,576; more closes with 1009.</summary>
    public long MaxWebSocketMessageSize { get; init; } = 1024 * 1024;

    /// <summary>Fragments of one WebSocket message. Default 1,024; more closes with 1008.</summary>
    public int MaxFragmentsPerMessage { get; init; } = 1024;
}
