using System.Net;
using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>The names that the server answers to. On a loopback bind another name means that somebody's name server points
/// a browser here: that is refused.</summary>
internal sealed class HostNames
{
    private static readonly byte[][] LoopbackNames = [.. ((string[])["localhost", "127.0.0.1", "[::1]"]).Select(Encoding.ASCII.GetBytes)];

    private readonly byte[][] _allowed;
    private readonly bool _isLoopback;

    /// <param name="bind">Where the server listens.</param>
    /// <param name="allowed">Names with or without a port; without one, any port.</param>
    public HostNames(IPAddress bind, IEnumerable<string> allowed)
    {
        _isLoopback = IPAddress.IsLoopback(bind);
        _allowed = [.. allowed.Select(Encoding.UTF8.GetBytes)];
    }

    /// <summary>Whether a request's Host is served.</summary>
    public bool Serves(HttpExchange exchange) =>
        (!_isLoopback && _allowed.Length == 0)
        || exchange.IsUnix   // a Unix socket: no name server leads there
        || exchange.Request.Host.IsEmpty   // HTTP/1.0 needs none
        || IsNamed(exchange.Request.Host);

    /// <summary>Whether a Host is known to be this server's, so that an Origin that equals it is its own.</summary>
    public bool Vouches(ReadOnlySpan<byte> host) => IsNamed(host) || IPAddress.TryParse(NameOf(host), out _);

    private bool IsNamed(ReadOnlySpan<byte> host) =>
        Contains(_allowed, host) || Contains(_allowed, NameOf(host)) || (_isLoopback && Contains(LoopbackNames, NameOf(host)));

    private static bool Contains(byte[][] names, ReadOnlySpan<byte> name)
    {
        foreach (byte[] known in names)
            if (Ascii.EqualsIgnoreCase(known, name))
                return true;
        return false;
    }

    // RFC 3986 section 3.2.2: an IPv6 address stands in brackets, so the last colon behind them starts the port.
    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> host)
    {
        int colon = host.LastIndexOf((byte)':');
        return colon < 0 || host[^1] == ']' ? host : host[..colon];
    }
}
