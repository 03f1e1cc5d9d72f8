namespace Iris.Net.Server;

/// <summary>Finds the handler for a method and a path.</summary>
public sealed class Router
{
    /// <summary>Answers where no route has the path. Default: 404 as text.</summary>
    public HttpHandler NotFound { get; set; } = (_, _) => throw new NotSupportedException();

    /// <summary>Answers where the path has routes of other methods only. Default: 405 as text, with Allow.</summary>
    public HttpHandler MethodNotAllowed { get; set; } = (_, _) => throw new NotSupportedException();

    /// <summary>Adds a route. HEAD falls to GET where it has no route of its own. A static segment goes before a value.</summary>
    /// <param name="method">The method, case-sensitive.</param>
    /// <param name="template">Such as <c>/v1/session/{id}/message</c>; <c>{id}</c> stands for one segment that is not empty.
    /// The path is compared as it was sent, without its query.</param>
    /// <param name="handler">Answers.</param>
    /// <exception cref="ArgumentException">The template is malformed, or the route is there already.</exception>
    /// <exception cref="InvalidOperationException">A server uses the router already.</exception>
    public Router Map(string method, string template, HttpHandler handler) => throw new NotSupportedException();

    /// <summary>Adds a WebSocket route. Only an upgrade request finds it.</summary>
    /// <param name="template">As for <see cref="Map"/>.</param>
    /// <param name="handler">Serves the connection.</param>
    /// <param name="options">How the connections behave.</param>
    /// <exception cref="ArgumentException">The template is malformed, or the route is there already.</exception>
    /// <exception cref="InvalidOperationException">A server uses the router already.</exception>
    public Router MapWebSocket(string template, WebSocketHandler handler, WebSocketOptions? options = null) =>
        throw new NotSupportedException();
}
