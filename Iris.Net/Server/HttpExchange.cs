using System.Net;

namespace Iris.Net.Server;

/// <summary>One request and its response. It belongs to its connection and is used again for the next request, so it is valid
/// only until the handler returns; later use throws <see cref="InvalidOperationException"/>.</summary>
public sealed class HttpExchange
{
    internal HttpExchange() { }

    /// <summary>The request.</summary>
    public HttpRequest Request => throw new NotSupportedException();

    /// <summary>The response.</summary>
    public HttpResponse Response => throw new NotSupportedException();

    /// <summary>The route that was found, and its values.</summary>
    public RouteMatch Route => throw new NotSupportedException();

    /// <summary>Who asks, as <see cref="HttpServerOptions.Before"/> found out.</summary>
    public string? Principal { get; set; }

    /// <summary>Whatever <see cref="HttpServerOptions.Before"/> wants to hand on; WebSockets keep it.</summary>
    public object? State { get; set; }

    /// <summary>The peer's address; null on a Unix socket.</summary>
    public EndPoint? RemoteEndPoint => throw new NotSupportedException();

    /// <summary>The address that the peer came to.</summary>
    public EndPoint? LocalEndPoint => throw new NotSupportedException();

    /// <summary>Whether the connection is encrypted.</summary>
    public bool IsSecure => throw new NotSupportedException();
}
