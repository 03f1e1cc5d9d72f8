using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>What the router found for one request.</summary>
public sealed class RouteMatch
{
    private readonly RequestHead _head;
    private Range[] _values = [];

    internal RouteMatch(RequestHead head) => _head = head;

    /// <summary>The route's template; null where no route has this path.</summary>
    public string? Template => Found?.Text;

    /// <summary>The methods that the path serves, as an Allow field says them: <c>GET, HEAD, POST</c>. Empty where there are
    /// none; a WebSocket alone counts as none.</summary>
    public string Allow { get; internal set; } = "";

    /// <summary>Whether the route is a WebSocket's and the request asks for one.</summary>
    public bool IsWebSocket { get; internal set; }

    internal RouteTemplate? Found { get; set; }

    /// <summary>The value of <c>{name}</c> as it was sent, percent-encoded.</summary>
    /// <exception cref="ArgumentException">The template has no such name.</exception>
    public ReadOnlySpan<byte> Raw(string name)
    {
        int index = Found?.IndexOf(name) ?? -1;
        if (index < 0)
            throw new ArgumentException($"The route has no value '{name}'.", nameof(name));
        return _head.Path[_values[index]];
    }

    /// <summary>The value of <c>{name}</c>; false where it is not percent-encoded UTF-8.</summary>
    /// <exception cref="ArgumentException">The template has no such name.</exception>
    public bool TryDecode(string name, out string value) => PercentEncoding.TryDecode(Raw(name), out value);

    internal Span<Range> Room(int values)
    {
        if (_values.Length < values)
            _values = new Range[values];
        return _values;
    }

    internal void Clear()
    {
        Found = null;
        Allow = "";
        IsWebSocket = false;
    }
}
