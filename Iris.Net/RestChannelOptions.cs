using Iris.Net.Server;
using Iris.Net.Stores;
using Iris.Net.Transport;

namespace Iris.Net;

/// <summary>Which protocol a channel speaks.</summary>
public enum Compatibility
{
    /// <summary>The base protocol and its extensions.</summary>
    Full,

    /// <summary>The base protocol alone, as its first implementation spoke it; limits, checks of Origin and Host, withheld
    /// exception texts and crash safety stay.</summary>
    SeedExact,
}

/// <summary>How a <see cref="RestChannel"/> behaves. Every default is safe to serve with.</summary>
public sealed record RestChannelOptions
{
    /// <summary>The address to listen on: an IP address or <c>localhost</c>. Default 127.0.0.1, which only this machine reaches.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The TCP port, 0 to 65535; 0, the default, takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>A Unix socket to listen on as well; null for none.</summary>
    public string? UnixSocketPath { get; init; }

    /// <summary>Encrypts <see cref="Host"/> and <see cref="Port"/> with TLS; null, the default, for plain text. The Unix socket
    /// is never encrypted.</summary>
    public TlsCertificate? Certificate { get; init; }

    /// <summary>Where to listen instead of <see cref="Host"/>, <see cref="Port"/>, <see cref="UnixSocketPath"/> and
    /// <see cref="Certificate"/>: several addresses, plain and encrypted, and Unix sockets. Empty, the default, for those.</summary>
    public IReadOnlyList<ListenEndpoint> Listen { get; init; } = [];

    /// <summary>Where sessions are kept; the caller disposes it. Null, the default: a <see cref="MemoryStateStore"/> that the
    /// channel disposes.</summary>
    public IStateStore? Store { get; init; }

    /// <summary>How long an attempt may take. Then its program is cancelled, and 5 s later it is aborted regardless; the client
    /// keeps its token. Default 15 minutes; more than zero.</summary>
    public TimeSpan TurnTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a request is tried again quietly while another process holds its session, before it is told that it is
    /// contended. Default 250 ms; not negative.</summary>
    public TimeSpan ContendedRetry { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long <see cref="RestChannel.StopAsync"/> lets running turns go on. Default 30 s.</summary>
    public TimeSpan ShutdownGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>True: clients are told what a program threw. Default false: they get an id that names it in the log.</summary>
    public bool ExposeErrors { get; init; }

    /// <summary>Which protocol the channel speaks. Default <see cref="Iris.Net.Compatibility.Full"/>.</summary>
    public Compatibility Compatibility { get; init; }

    /// <summary>What tokens, wake keys and the ids of keyed sessions are derived from: 32 bytes or more each. The first one makes, the
    /// others still open, so that keys can be changed. Empty, the default: the store makes one and keeps it.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Keys { get; init; } = [];

    /// <summary>How long a session lives that nobody uses, counted from its last commit or the timer it waits for. Null, the
    /// default, for ever; else more than zero.</summary>
    public TimeSpan? SessionTtl { get; init; }

    /// <summary>True, the default: <c>GET /v1/session/{id}/turn</c> gives the last reply again to the token that it spent, until the
    /// next one is used.</summary>
    public bool Receipts { get; init; } = true;

    /// <summary>Makes session ids of 1 to 128 characters without control characters, never the same twice; null, the
    /// default, for 16 random bytes.</summary>
    public Func<string>? MintSessionId { get; init; }

    /// <summary>Makes tokens of 1 to 512 characters without control characters that nobody can guess; null, the
    /// default, for 32 random bytes.</summary>
    public Func<string>? MintToken { get; init; }

    /// <summary>The names that requests may have in Host, with or without a port. On a loopback bind localhost, 127.0.0.1 and
    /// [::1] are always served; on another, none listed serves any, and the log warns.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>The origins, <c>scheme://host[:port]</c>, that browsers may call from beside the server's own.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Finds out who asks, before anything else is done for it. A session then belongs to the principal that started it,
    /// and does not exist for any other. Null, the default: nobody is asked, and whoever reaches the port may start sessions.</summary>
    public Authorizer? Authorize { get; init; }

    /// <summary>Finds out who may list all sessions with <c>GET /v1/sessions</c>; for whom it refuses, there is no such route. Null, the
    /// default: for nobody.</summary>
    public Authorizer? AdminAuthorize { get; init; }

    /// <summary>Compresses the messages of <c>/v1/ws</c> for clients that offer it; null, the default, for none.</summary>
    public WebSocketCompression? WebSocketCompression { get; init; }

    /// <summary>What a client may consume.</summary>
    public RestChannelLimits Limits { get; init; } = new();

    /// <summary>All the time there is.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Is told what happens; null, the default, for nobody. It gets no token, no body and no session id.</summary>
    public Action<ChannelLog>? Log { get; init; }
}
