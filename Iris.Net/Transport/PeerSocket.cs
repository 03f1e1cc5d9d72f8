using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Iris.Net.Transport;

/// <summary>A connection's socket, which does not block. On Linux it is a mere descriptor as long as bytes come and go at once: the
/// base library's own object weighs half a kilobyte, and is made once it is asked for.</summary>
internal sealed class PeerSocket : IDisposable
{
    private readonly SafeSocketHandle _handle;
    private readonly bool _isBare;
    private Socket? _socket;

    /// <summary>Over a descriptor of Linux.</summary>
    public PeerSocket(SafeSocketHandle handle, bool isUnix) => (_handle, IsUnix, _isBare) = (handle, isUnix, true);

    /// <summary>Over a socket of the base library.</summary>
    public PeerSocket(Socket socket) =>
        (_handle, _socket, IsUnix) = (socket.SafeHandle, socket, socket.AddressFamily == AddressFamily.Unix);

    public bool IsUnix { get; }

    public SafeSocketHandle Handle => _handle;

    /// <summary>The base library's view of it, for what is rare.</summary>
    public Socket Socket
    {
        get
        {
            lock (this)
                return _socket ??= new Socket(_handle);
        }
    }

    /// <summary>Receives what there is; tells how much.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public int Receive(Span<byte> room, out SocketError error) => _isBare
        ? Count(Libc.Receive(_handle, room, (nuint)room.Length, 0), out error)
        : _socket!.Receive(room, SocketFlags.None, out error);

    /// <summary>Sends what the system takes at once; tells how much.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public int Send(ReadOnlySpan<byte> bytes, out SocketError error) => _isBare
        ? Count(Libc.Send(_handle, bytes, (nuint)bytes.Length, Libc.NoSignal), out error)
        : _socket!.Send(bytes, SocketFlags.None, out error);

    /// <summary>Sends what the system takes at once of several blocks; tells how much.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public int Send(List<ArraySegment<byte>> several, out SocketError error) => _isBare
        ? Count(Libc.Send(_handle, CollectionsMarshal.AsSpan(several)), out error)
        : _socket!.Send(several, SocketFlags.None, out error);

    /// <summary>Closes it in good order, which a descriptor alone cannot do: the base library resets what nobody closed.</summary>
    public void Dispose() => Socket.Dispose();

    private static int Count(nint result, out SocketError error)
    {
        error = result >= 0 ? SocketError.Success : Libc.ErrorOf(Marshal.GetLastPInvokeError());
        return (int)Math.Max(result, 0);
    }
}
