using System.IO.Pipelines;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>A request's head, and the way to its body.</summary>
public sealed class HttpRequest
{
    internal HttpRequest() { }

    /// <summary>The method, case-sensitive.</summary>
    public string Method => throw new NotSupportedException();

    /// <summary>The path as it was sent, without the query.</summary>
    public ReadOnlySpan<byte> Path => throw new NotSupportedException();

    /// <summary>The query as it was sent, without the question mark; empty where there is none.</summary>
    public ReadOnlySpan<byte> Query => throw new NotSupportedException();

    /// <summary>The header fields.</summary>
    public HeaderList Headers => throw new NotSupportedException();

    /// <summary>The version that the client speaks.</summary>
    public ProtocolVersion Version => throw new NotSupportedException();

    /// <summary>What Content-Length said; null for a chunked body, 0 where there is none.</summary>
    public long? ContentLength => throw new NotSupportedException();

    /// <summary>Whether this is an upgrade to WebSocket: GET, <c>Connection: upgrade</c>, <c>Upgrade: websocket</c>.</summary>
    public bool IsWebSocketUpgrade => throw new NotSupportedException();

    /// <summary>Reads the whole body. Where it is not complete, the handler just returns: the server refuses the request.</summary>
    /// <param name="max">The most bytes; null for <see cref="HttpServerLimits.MaxRequestBodySize"/>.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask<RequestBody> ReadBodyAsync(long? max = null, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>The body as it arrives. A body that turns out malformed or too large ends in <see cref="IOException"/>; the
    /// server refuses the request once the handler returned.</summary>
    public PipeReader Body => throw new NotSupportedException();
}
