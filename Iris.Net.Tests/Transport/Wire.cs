using System.Net;
using System.Net.Sockets;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Transport;

/// <summary>A connection of the transport, and the bare socket at its other end.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly IListener _listener;

    private Wire(IListener listener, Socket peer, Connection connection) => (_listener, Peer, Connection) = (listener, peer, connection);

    public Socket Peer { get; }

    public Connection Connection { get; }

    public static async Task<Wire> OpenAsync(SocketTransportOptions? options = null)
    {
        var accepted = new TaskCompletionSource<Connection>(TaskCreationOptions.RunContinuationsAsynchronously);
        IListener listener = await new SocketTransport(options ?? new()).BindAsync(
            ListenEndpoint.Tcp(IPAddress.Loopback, 0),
            connection =>
            {
                accepted.SetResult(connection);
                return Task.CompletedTask;
            });
        var peer = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 4096 };
        await peer.ConnectAsync(IPAddress.Loopback, listener.Endpoint.Port);
        return new Wire(listener, peer, await accepted.Task);
    }

    public async Task<byte[]> ReceiveAsync(int count)
    {
        byte[] bytes = new byte[count];
        int at = 0;
        while (at < count)
        {
            int received = await Peer.ReceiveAsync(bytes.AsMemory(at));
            Assert.That(received, Is.GreaterThan(0), "The connection ended too early.");
            at += received;
        }

        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        Peer.Dispose();
        await Connection.DisposeAsync();
        await _listener.DisposeAsync();
    }
}
