namespace Iris.Net.Server;

/// <summary>What the router found for one request.</summary>
public sealed class RouteMatch
{
    internal RouteMatch() { }

    /// <summary>The route's template; null where no route has this path.</summary>
    public string? Template => throw new NotSupportedException();

    /// <summary>The methods that the path serves, as an Allow field says them: <c>GET, HEAD, POST</c>. Empty where there are
    /// none; a WebSocket alone counts as none.</summary>
    public string Allow => throw new NotSupportedException();

    /// <summary>Whether the route is a WebSocket's.</summary>
    public bool IsWebSocket => throw new NotSupportedException();

    /// <summary>The value of <c>{name}</c> as it was sent, percent-encoded.</summary>
    /// <exception cref="ArgumentException">The template has no such name.</exception>
    public ReadOnlySpan<byte> Raw(string name) => throw new NotSupportedException();

    /// <summary>The value of <c>{name}</c>; false where it is not percent-encoded UTF-8.</summary>
    /// <exception cref="ArgumentException">The template has no such name.</exception>
    public bool TryDecode(string name, out string value) => throw new NotSupportedException();
}
