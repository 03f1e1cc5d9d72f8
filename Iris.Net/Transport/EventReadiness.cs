using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>Asks by a receive of no bytes, which completes on a thread of the pool once there is something.</summary>
internal sealed class EventReadiness : IDisposable
{
    private readonly Socket _socket;
    private readonly SocketReader _reader;
    private readonly SocketAsyncEventArgs _receive = new(true);
    private volatile bool _pending;

    public EventReadiness(Socket socket, SocketReader reader)
    {
        (_socket, _reader) = (socket, reader);
        _receive.SetBuffer(Memory<byte>.Empty);
        _receive.Completed += (_, _) =>
        {
            _pending = false;
            if (_receive.SocketError != SocketError.Success)
                _reader.Break();
            _reader.Wake(inline: true);
        };
    }

    /// <summary>Whether the socket itself waits for input.</summary>
    public bool IsPending => _pending;

    /// <summary>Asks; true where a receive may bring something now, false where <see cref="SocketReader.Wake"/> will tell.</summary>
    public bool Ask()
    {
        if (_pending)
            return false;   // a read that was cancelled left the question open
        _pending = true;
        bool isBroken;
        try
        {
            if (_socket.ReceiveAsync(_receive))
                return false;
            isBroken = _receive.SocketError != SocketError.Success;
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            isBroken = true;
        }

        _pending = false;
        if (isBroken)
            _reader.Break();    // told once: the next receive would take it for an orderly end
        return true;
    }

    public void Dispose() => _receive.Dispose();    // waits by itself for a receive that is still under way
}
