using System.Net;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>One request and its response. It belongs to its connection and is used again for the next request, so it is valid
/// only until the handler returns; later use throws <see cref="InvalidOperationException"/>.</summary>
public sealed class HttpExchange
{
    private readonly HttpConnection _connection;
    private readonly HttpRequest _request;
    private readonly HttpResponse _response;
    private readonly RouteMatch _route;
    private bool _isOpen;
    private string? _principal;
    private object? _state;

    internal HttpExchange(HttpConnection connection, RequestHead head)
    {
        _connection = connection;
        Head = head;
        Content = new RequestBodyReader(connection);
        _request = new HttpRequest(this);
        _response = new HttpResponse(this);
        _route = new RouteMatch(Head);
    }

    /// <summary>The request.</summary>
    public HttpRequest Request => Open._request;

    /// <summary>The response.</summary>
    public HttpResponse Response => Open._response;

    /// <summary>The route that was found, and its values.</summary>
    public RouteMatch Route => Open._route;

    /// <summary>Who asks, as <see cref="HttpServerOptions.Before"/> found out.</summary>
    public string? Principal
    {
        get => Open._principal;
        set => Open._principal = value;
    }

    /// <summary>Whatever <see cref="HttpServerOptions.Before"/> wants to hand on; WebSockets keep it.</summary>
    public object? State
    {
        get => Open._state;
        set => Open._state = value;
    }

    /// <summary>The peer's address; null on a Unix socket.</summary>
    public EndPoint? RemoteEndPoint => Open._connection.Transport.Remote;

    /// <summary>The address that the peer came to; null on a Unix socket.</summary>
    public EndPoint? LocalEndPoint => Open._connection.Transport.Local;

    /// <summary>Whether the connection is encrypted.</summary>
    public bool IsSecure => Open._connection.Transport.IsSecure;

    /// <summary>The exchange, as long as it may be used.</summary>
    internal HttpExchange Open => _isOpen ? this : throw new InvalidOperationException("The exchange is over.");

    /// <summary>Whether the peer came to a Unix socket.</summary>
    internal bool IsUnix => Open._connection.Transport.IsUnix;

    internal HttpConnection Connection => _connection;

    internal RequestHead Head { get; }

    internal RequestBodyReader Content { get; }

    internal void Begin(BodyFraming framing, bool awaitsContinue)
    {
        _isOpen = true;
        Content.Begin(framing, awaitsContinue);
        _request.Begin();
        _response.Begin();
    }

    internal void End()
    {
        _isOpen = false;
        _principal = null;
        _state = null;
        _request.End();
        _response.End();
        _route.Clear();
        Content.End();
        Head.Clear();
    }
}
