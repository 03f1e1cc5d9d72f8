using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>What the sessions of one channel run on.</summary>
internal sealed record SessionSettings
{
    public required IHostAdapter Adapter { get; init; }

    public required IStateStore Store { get; init; }

    public required TimeProvider Time { get; init; }

    public required TimeSpan TurnTimeout { get; init; }

    public required int MaxConcurrentTurns { get; init; }

    public required int MaxStepsPerTurn { get; init; }

    /// <summary>What tokens are derived from, the newest first; none: the store keeps one.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Keys { get; init; } = [];

    /// <summary>How long a session lives that nobody uses; null for ever.</summary>
    public TimeSpan? SessionTtl { get; init; }

    /// <summary>Whether a spent token is a receipt.</summary>
    public bool Receipts { get; init; } = true;

    /// <summary>Bytes of events that are kept for readers to come; 0 keeps none.</summary>
    public long MaxDeltaMemory { get; init; } = 256L << 20;

    /// <summary>Streams that follow one session at a time.</summary>
    public int MaxReadersPerSession { get; init; } = 16;

    /// <summary>The silence after which a stream says that it lives.</summary>
    public TimeSpan SseHeartbeat { get; init; } = TimeSpan.FromSeconds(15);

    public Func<string>? MintSessionId { get; init; }

    public Func<string>? MintToken { get; init; }

    /// <summary>Is told of what a program threw, and of what else went wrong.</summary>
    public required FailureReport Failed { get; init; }

    /// <summary>Runs a program soon, and not below its caller.</summary>
    public Action<IThreadPoolWorkItem> Queue { get; init; } =
        static work => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: true);

    /// <summary>How long a cancelled program may take to end.</summary>
    public TimeSpan CancelGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a claim is tried again quietly while another process holds the session.</summary>
    public TimeSpan ContendedRetry { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan LeaseTtl { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan LeaseRenewal { get; init; } = TimeSpan.FromSeconds(10);
}
