using System.IO.Pipelines;
using System.Text;
using Iris.Net.Http;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>A request's head, and the way to its body.</summary>
public sealed class HttpRequest
{
    private static readonly string[] UsualMethods = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];
    private readonly HttpExchange _exchange;
    private string? _method;

    internal HttpRequest(HttpExchange exchange) => _exchange = exchange;

    /// <summary>The method, case-sensitive.</summary>
    public string Method => _method ??= NameOf(Head.Method);

    /// <summary>The path as it was sent, without the query.</summary>
    public ReadOnlySpan<byte> Path => Head.Path;

    /// <summary>The query as it was sent, without the question mark; empty where there is none.</summary>
    public ReadOnlySpan<byte> Query => Head.Query;

    /// <summary>The request target as it was sent.</summary>
    public ReadOnlySpan<byte> Target => Head.Target;

    /// <summary>The host and port that were asked; empty where HTTP/1.0 came without.</summary>
    public ReadOnlySpan<byte> Host => Head.Host;

    /// <summary>The header fields.</summary>
    public HeaderList Headers => Head.Headers;

    /// <summary>The version that the client speaks.</summary>
    public ProtocolVersion Version => Head.Version;

    /// <summary>What Content-Length said; null for a chunked body, 0 where there is none.</summary>
    public long? ContentLength => Content.Framing.Kind == BodyFramingKind.Chunked ? null : Content.Framing.Length;

    /// <summary>Whether this is an upgrade to WebSocket: GET, <c>Connection: upgrade</c>, <c>Upgrade: websocket</c>.</summary>
    public bool IsWebSocketUpgrade { get; private set; }

    /// <summary>The body as it arrives, to be read instead of <see cref="ReadBodyAsync"/>. One that turns out malformed or too
    /// large ends in <see cref="IOException"/>; the server refuses the request once the handler returned.</summary>
    public PipeReader Body => Content.Pipe;

    /// <summary>What the upgrade request's fields come to.</summary>
    internal HandshakeVerdict Handshake { get; private set; }

    internal bool IsHead => Head.Method.SequenceEqual("HEAD"u8);

    private RequestHead Head => _exchange.Open.Head;

    private RequestBodyReader Content => _exchange.Open.Content;

    /// <summary>Reads the whole body. Where it is not complete, the handler just returns: the server refuses the request.</summary>
    /// <param name="max">The most bytes; null for <see cref="HttpServerLimits.MaxRequestBodySize"/>.</param>
    /// <param name="cancel">Ends the wait.</param>
    public ValueTask<RequestBody> ReadBodyAsync(long? max = null, CancellationToken cancel = default) =>
        Content.ReadAllAsync(max, cancel);

    internal void Begin()
    {
        RequestHead head = Head;
        IsWebSocketUpgrade = false;
        // RFC 9110 section 7.8: in HTTP/1.0 an upgrade is ignored.
        if (head.Version == ProtocolVersion.Http10 || !head.Method.SequenceEqual("GET"u8)
            || !head.Headers.TryGet("upgrade"u8, out _))
            return;
        var handshake = new Handshake();
        for (int i = 0; i < head.Headers.Count; i++)
            handshake.Add(head.Headers[i].Name, head.Headers[i].Value);
        IsWebSocketUpgrade = handshake.IsUpgrade;
        Handshake = handshake.Verdict;
    }

    internal void End() => _method = null;

    private static string NameOf(ReadOnlySpan<byte> method)
    {
        foreach (string usual in UsualMethods)
            if (Ascii.Equals(method, usual))
                return usual;
        return Encoding.ASCII.GetString(method);
    }
}
