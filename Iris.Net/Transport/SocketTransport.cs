using System.Net;
using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>The sockets of the BCL.</summary>
internal sealed class SocketTransport(SocketTransportOptions options) : ITransport
{
    private const int Backlog = 4096;   // the system cuts it to its own limit

    public ValueTask<IListener> BindAsync(
        ListenEndpoint at, Func<Connection, Task> run, Func<PeerSocket, AcceptFilter>? filter = null, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        Socket socket = at.Path is null
            ? new Socket(at.Address!.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // Accepted sockets inherit both.
            socket.SendBufferSize = options.SendBuffer;
            if (at.Path is null)
                socket.NoDelay = true;
            if (at.ReusePort)
                ReusePort(socket);
            if (at.Path is null)
                socket.Bind(new IPEndPoint(at.Address!, at.Port));
            else
                BindUnix(socket, at.Path);
            socket.Listen(Backlog);
            ListenEndpoint bound = at.Path is null ? at.On(((IPEndPoint)socket.LocalEndPoint!).Port) : at;
            return new(new SocketListener(socket, bound, run, filter, options));
        }
        catch (Exception e) when (e is SocketException or PlatformNotSupportedException or ArgumentException)
        {
            socket.Dispose();
            throw new IOException($"Cannot listen on {at.Path ?? $"{at.Address}:{at.Port}"}: {e.Message}", e);
        }
    }

    // The base library has no name for SO_REUSEPORT.
    private static void ReusePort(Socket socket)
    {
        (int level, int name) = OperatingSystem.IsLinux() ? (1, 15)
            : OperatingSystem.IsMacOS() ? (0xFFFF, 0x200)
            : throw new PlatformNotSupportedException("This system shares no port.");
        socket.SetRawSocketOption(level, name, BitConverter.GetBytes(1));
    }

    // A socket file outlives a server that was killed: where nobody answers on it, it is free to take.
    private static void BindUnix(Socket socket, string path)
    {
        var at = new UnixDomainSocketEndPoint(path);
        try
        {
            socket.Bind(at);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && IsSocket(path) && !IsServed(at))
        {
            File.Delete(path);
            socket.Bind(at);
        }
    }

    // Whatever has content is somebody's file.
    private static bool IsSocket(string path) => new FileInfo(path) is { Exists: true, Length: 0 };

    private static bool IsServed(UnixDomainSocketEndPoint at)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(at);
            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode != SocketError.ConnectionRefused;
        }
    }
}

/// <summary>What the transport needs to know.</summary>
internal sealed record SocketTransportOptions
{
    /// <summary>Bytes the system holds for a slow peer. Default 131,072: what is beyond it is back-pressure.</summary>
    public int SendBuffer { get; init; } = 128 * 1024;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Is told of failed accepts, at most once in 5 s.</summary>
    public Action<Exception>? OnError { get; init; }
}
