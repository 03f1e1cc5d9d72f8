using System.Runtime.CompilerServices;

namespace Iris.Net.Server;

/// <summary>What a peer may consume, and for how long. Sizes are bytes. All of them are more than zero, times at most a day;
/// anything else throws <see cref="ArgumentOutOfRangeException"/>.</summary>
public sealed record HttpServerLimits
{
    /// <summary>Default 8,192; a longer request line is 414.</summary>
    public int MaxRequestLineSize { get; init => field = Checked(value); } = 8192;

    /// <summary>All header fields together. Default 32,768; more is 431.</summary>
    public int MaxRequestHeadersTotalSize { get; init => field = Checked(value); } = 32768;

    /// <summary>Default 100; more is 431.</summary>
    public int MaxRequestHeaderCount { get; init => field = Checked(value); } = 100;

    /// <summary>Empty lines before a request line. Default 8; more is 400.</summary>
    public int MaxLeadingEmptyLines { get; init => field = Checked(value); } = 8;

    /// <summary>Default 1,048,576; more is 413. <see cref="HttpRequest.ReadBodyAsync"/> can lower it.</summary>
    public long MaxRequestBodySize { get; init => field = Checked(value); } = 1024 * 1024;

    /// <summary>Chunk extensions and size lines of one request. Default 4,096; more is 413.</summary>
    public int MaxChunkOverhead { get; init => field = Checked(value); } = 4096;

    /// <summary>From the first byte of a head to its last. Default 30 s; later is 408.</summary>
    public TimeSpan RequestHeadersTimeout { get; init => field = Checked(value); } = TimeSpan.FromSeconds(30);

    /// <summary>From the connection to its first byte. Default 30 s; later it is closed without a word.</summary>
    public TimeSpan FirstByteTimeout { get; init => field = Checked(value); } = TimeSpan.FromSeconds(30);

    /// <summary>Between two requests. Default 120 s; later the connection is closed without a word.</summary>
    public TimeSpan KeepAliveTimeout { get; init => field = Checked(value); } = TimeSpan.FromSeconds(120);

    /// <summary>Reading one whole request. Default 300 s; longer is 408.</summary>
    public TimeSpan RequestTimeout { get; init => field = Checked(value); } = TimeSpan.FromSeconds(300);

    /// <summary>The least rate of a body after <see cref="BodyRateGrace"/>, in bytes a second. Default 240; slower is 408.</summary>
    public int MinRequestBodyDataRate { get; init => field = Checked(value); } = 240;

    /// <summary>How long a body may be slower than <see cref="MinRequestBodyDataRate"/>. Default 5 s.</summary>
    public TimeSpan BodyRateGrace { get; init => field = Checked(value); } = TimeSpan.FromSeconds(5);

    /// <summary>How long bytes may wait while the peer takes none. Default 30 s; longer aborts the connection.</summary>
    public TimeSpan ResponseStallTimeout { get; init => field = Checked(value); } = TimeSpan.FromSeconds(30);

    /// <summary>The socket's send buffer. Default 131,072: what is beyond it is back-pressure.</summary>
    public int SocketSendBuffer { get; init => field = Checked(value); } = 128 * 1024;

    /// <summary>Connections at one time. Null: three quarters of the process's descriptors, at most 100,000. More get 503.</summary>
    public int? MaxConcurrentConnections { get; init => field = value is { } count ? Checked(count) : null; }

    /// <summary>WebSockets at one time. Null: as many as connections. More get 503 instead of 101.</summary>
    public int? MaxConcurrentWebSockets { get; init => field = value is { } count ? Checked(count) : null; }

    /// <summary>How long a closing connection's input is read away, so that the answer is not lost to a reset. Default 1 s.</summary>
    public TimeSpan DrainTimeout { get; init => field = Checked(value); } = TimeSpan.FromSeconds(1);

    /// <summary>How much of a closing connection's input, or of a body that nobody read, is read away. Default 65,536.</summary>
    public int MaxDrain { get; init => field = Checked(value); } = 64 * 1024;

    private static T Checked<T>(T value, [CallerMemberName] string name = "")
        where T : System.Numerics.INumber<T>
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, name);
        return value;
    }

    private static TimeSpan Checked(TimeSpan value, [CallerMemberName] string name = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromDays(1), name);
        return value;
    }
}
