using System.Text;
using Iris.Net.Http;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>Finds the handler for a method and a path.</summary>
public sealed class Router
{
    private static readonly byte[] Get = "GET"u8.ToArray();
    private readonly List<Place> _places = [];
    private Place[][] _bySegments = [];
    private string _allow = "";
    private int _mostValues;
    private bool _inUse;

    /// <summary>Answers where no route has the path. Default: 404 as text.</summary>
    public HttpHandler NotFound { get; set; } = DefaultHandlers.NotFound;

    /// <summary>Answers where the path has routes of other methods only. Default: 405 as text, with Allow.</summary>
    public HttpHandler MethodNotAllowed { get; set; } = DefaultHandlers.MethodNotAllowed;

    /// <summary>Adds a route. HEAD falls to GET where it has no route of its own. A static segment goes before a value.</summary>
    /// <param name="method">The method, case-sensitive.</param>
    /// <param name="template">Such as <c>/v1/session/{id}/message</c>; <c>{id}</c> stands for one segment that is not empty.
    /// The path is compared as it was sent, without its query.</param>
    /// <param name="handler">Answers.</param>
    /// <exception cref="ArgumentException">The template is malformed, or the route is there already.</exception>
    /// <exception cref="InvalidOperationException">A server uses the router already.</exception>
    public Router Map(string method, string template, HttpHandler handler)
    {
        ArgumentNullException.ThrowIfNull(method);
        ArgumentNullException.ThrowIfNull(handler);
        byte[] bytes = Encoding.UTF8.GetBytes(method);
        if (!Grammar.IsToken(bytes))
            throw new ArgumentException("A method is a token.", nameof(method));
        Place place = PlaceOf(template);
        if (place.Handlers.Any(known => known.Method.AsSpan().SequenceEqual(bytes)))
            throw new ArgumentException($"{method} {template} is there already.", nameof(template));
        place.Handlers.Add((bytes, new RouteTemplate(template), handler));
        return this;
    }

    /// <summary>Adds a WebSocket route. Only an upgrade request finds it.</summary>
    /// <param name="template">As for <see cref="Map"/>.</param>
    /// <param name="handler">Serves the connection.</param>
    /// <param name="options">How the connections behave.</param>
    /// <exception cref="ArgumentException">The template is malformed, or the route is there already.</exception>
    /// <exception cref="InvalidOperationException">A server uses the router already.</exception>
    public Router MapWebSocket(string template, WebSocketHandler handler, WebSocketOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Place place = PlaceOf(template);
        if (place.WebSocket is not null)
            throw new ArgumentException($"The WebSocket {template} is there already.", nameof(template));
        place.WebSocket = new WebSocketRoute(new RouteTemplate(template), handler, options ?? new WebSocketOptions());
        return this;
    }

    /// <summary>What was mapped, for whoever lists it.</summary>
    internal IEnumerable<(string Method, string Template)> Routes => _places.SelectMany(place => place.Handlers
        .Select(route => (Encoding.ASCII.GetString(route.Method), route.Template.Text))
        .Concat(place.WebSocket is { } socket ? [("GET", socket.Template.Text)] : []));

    internal void Use()
    {
        if (_inUse)
            return;
        _inUse = true;
        _bySegments = new Place[_places.Select(place => place.Template.SegmentCount).DefaultIfEmpty().Max() + 1][];
        for (int count = 0; count < _bySegments.Length; count++)
        {
            List<Place> row = [];
            foreach (Place place in _places.Where(place => place.Template.SegmentCount == count))
            {
                int at = row.FindIndex(other => place.Template.GoesBefore(other.Template));
                row.Insert(at < 0 ? row.Count : at, place);
            }

            _bySegments[count] = [.. row];
        }

        foreach (Place place in _places)
            place.Allow = AllowOf([place]);
        _allow = AllowOf(_places);
        _mostValues = _places.Select(place => place.Template.ValueCount).DefaultIfEmpty().Max();
    }

    /// <summary>Finds who answers a request.</summary>
    internal HttpHandler Find(RequestHead head, RouteMatch match)
    {
        if (head.Form == TargetForm.Asterisk)
        {
            match.Allow = _allow;
            return DefaultHandlers.ServerOptions;
        }

        Place? first = null;
        ReadOnlySpan<byte> path = head.Path, method = head.Method;
        foreach (Place place in Candidates(path))
        {
            if (!place.Template.Matches(path, match.Room(_mostValues)))
                continue;
            if (place.Find(method) is { } found)
            {
                (match.Found, match.Allow) = (found.Template, place.Allow);
                return found.Handler;
            }

            match.Allow = first is null ? place.Allow : AllowOf([first, place]);
            first ??= place;
        }

        if (first is null)
            return NotFound;
        first.Template.Matches(path, match.Room(_mostValues));
        match.Found = first.Template;
        return MethodNotAllowed;
    }

    /// <summary>Finds the WebSocket that an upgrade request asks for.</summary>
    internal WebSocketRoute? FindWebSocket(RequestHead head, RouteMatch match)
    {
        ReadOnlySpan<byte> path = head.Path;
        foreach (Place place in Candidates(path))
        {
            if (place.WebSocket is { } route && route.Template.Matches(path, match.Room(_mostValues)))
            {
                (match.Found, match.Allow, match.IsWebSocket) = (route.Template, place.Allow, true);
                return route;
            }
        }

        return null;
    }

    private ReadOnlySpan<Place> Candidates(ReadOnlySpan<byte> path)
    {
        int segments = path.Count((byte)'/');
        return path.IsEmpty || segments >= _bySegments.Length ? default : _bySegments[segments];
    }

    private Place PlaceOf(string template)
    {
        if (_inUse)
            throw new InvalidOperationException("A server uses the router already.");
        var parsed = new RouteTemplate(template);
        Place? place = _places.Find(known => known.Template.Shape == parsed.Shape);
        if (place is null)
            _places.Add(place = new Place(parsed));
        return place;
    }

    private static string AllowOf(IEnumerable<Place> places)
    {
        List<string> methods = [];
        foreach (byte[] method in places.SelectMany(place => place.Handlers).Select(route => route.Method))
        {
            methods.Add(Encoding.ASCII.GetString(method));
            if (method.AsSpan().SequenceEqual(Get))
                methods.Add("HEAD");
        }

        return string.Join(", ", methods.Distinct());
    }

    /// <summary>All routes of one shape.</summary>
    private sealed class Place(RouteTemplate template)
    {
        public RouteTemplate Template { get; } = template;

        public List<(byte[] Method, RouteTemplate Template, HttpHandler Handler)> Handlers { get; } = [];

        public WebSocketRoute? WebSocket { get; set; }

        public string Allow { get; set; } = "";

        public (RouteTemplate Template, HttpHandler Handler)? Find(ReadOnlySpan<byte> method)
        {
            foreach (var route in Handlers)
                if (method.SequenceEqual(route.Method))
                    return (route.Template, route.Handler);
            return method.SequenceEqual("HEAD"u8) ? Find(Get) : null;
        }
    }
}

internal sealed record WebSocketRoute(RouteTemplate Template, WebSocketHandler Handler, WebSocketOptions Options)
{
    public MessageLimits Limits { get; } = new()
    {
        MaxMessageSize = Options.MaxMessageSize,
        MaxFragments = Options.MaxFragmentsPerMessage,
        MaxControlFrames = Options.MaxControlFrames,
        AcceptBinary = Options.AcceptBinary,
    };
}
