using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>A connection over a socket of the system, which must not block.</summary>
internal sealed class SocketConnection(PeerSocket socket, SocketReader reader) : Connection
{
    private readonly SocketReader _reader = reader;
    private readonly SocketWriter _writer = new(socket);
    private bool _aborted;

    public SocketConnection(PeerSocket socket)
        : this(socket, new SocketReader(socket))
    {
    }

    public override PipeReader Input => _reader;

    public override PipeWriter Output => _writer;

    public override long Unsent => _writer.Unsent;

    public override bool IsSending => _writer.IsSending;

    public override long Sent => _writer.Sent;

    public override bool IsAborted => _aborted || _reader.IsBroken || _writer.IsBroken;

    public override EndPoint? Remote => EndPointOf(static socket => socket.RemoteEndPoint);

    public override EndPoint? Local => EndPointOf(static socket => socket.LocalEndPoint);

    public override bool IsUnix => socket.IsUnix;

    public override void ShutdownSend() => socket.ShutdownSend();

    public override void Abort()
    {
        _aborted = true;
        socket.Reset();
        _reader.Wake(inline: false);   // what waits for input finds the end
    }

    public override ValueTask DisposeAsync()
    {
        // A socket that is disposed while it is asked for input resets the connection, unless its output was shut.
        if (_reader.IsPending && !IsAborted)
            ShutdownSend();
        _writer.Complete();
        _reader.Complete();
        socket.Dispose();
        return ValueTask.CompletedTask;
    }

    // Unix sockets have paths, which are no addresses of a peer.
    private IPEndPoint? EndPointOf(Func<Socket, EndPoint?> ask)
    {
        try
        {
            return ask(socket.Socket) as IPEndPoint;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }
}
