using System.Net;

namespace Iris.Net.Transport;

/// <summary>Where a server listens: a TCP address and port, or the path of a Unix socket.</summary>
public sealed record ListenEndpoint
{
    private ListenEndpoint() { }

    /// <summary>The TCP address; null for a Unix socket.</summary>
    public IPAddress? Address { get; private init; }

    /// <summary>The TCP port; 0 lets the system choose a free one.</summary>
    public int Port { get; private init; }

    /// <summary>The Unix socket's path; null for TCP.</summary>
    public string? Path { get; private init; }

    /// <summary>Encrypts what is sent: TLS 1.2 and 1.3 alone are spoken then. Null, the default, for plain text.</summary>
    public TlsCertificate? Certificate { get; init; }

    /// <summary>Shares the TCP port with other sockets that ask for the same, of this process or of others of the user: the
    /// system spreads connections over them. Default false. Linux and macOS; elsewhere it cannot be bound.</summary>
    public bool ReusePort { get; init; }

    /// <summary>Listens on TCP.</summary>
    /// <param name="address">The local address.</param>
    /// <param name="port">0 to 65,535; 0 lets the system choose a free one.</param>
    /// <exception cref="ArgumentOutOfRangeException">The port is out of range.</exception>
    public static ListenEndpoint Tcp(IPAddress address, int port)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfNegative(port);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
        return new ListenEndpoint { Address = address, Port = port };
    }

    /// <summary>Listens on a Unix socket. A socket file that nobody listens on any more is replaced; the file is removed
    /// when the server stops.</summary>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static ListenEndpoint UnixSocket(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new ListenEndpoint { Path = path };
    }

    /// <summary>The same with the port that the system chose.</summary>
    internal ListenEndpoint On(int port) => this with { Port = port };
}
