using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Iris.Net.Transport;

/// <summary>A connection's socket, which does not block. On Linux it is a mere descriptor as long as bytes come and go at once: the
/// base library's own object weighs half a kilobyte, and is made once it is asked for.</summary>
internal sealed class PeerSocket : SafeHandleMinusOneIsInvalid
{
    private readonly bool _isBare;
    private Socket? _socket;

    /// <summary>Over a descriptor of Linux, which it owns.</summary>
    public PeerSocket(int descriptor, bool isUnix)
        : base(ownsHandle: true)
    {
        SetHandle(descriptor);
        (IsUnix, _isBare) = (isUnix, true);
    }

    /// <summary>Over a socket of the base library.</summary>
    public PeerSocket(Socket socket)
        : base(ownsHandle: true)
    {
        SetHandle(socket.Handle);
        (_socket, IsUnix) = (socket, socket.AddressFamily == AddressFamily.Unix);
    }

    public bool IsUnix { get; }

    /// <summary>The base library's view of it, for what is rare.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public Socket Socket
    {
        get
        {
            lock (this)
                return _socket ??= Open();
        }
    }

    /// <summary>Receives what there is; tells how much.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public int Receive(Span<byte> room, out SocketError error) => _isBare
        ? Count(Libc.Receive(this, room, (nuint)room.Length, 0), out error)
        : _socket!.Receive(room, SocketFlags.None, out error);

    /// <summary>Sends what the system takes at once; tells how much.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public int Send(ReadOnlySpan<byte> bytes, out SocketError error) => _isBare
        ? Count(Libc.Send(this, bytes, (nuint)bytes.Length, Libc.NoSignal), out error)
        : _socket!.Send(bytes, SocketFlags.None, out error);

    /// <summary>Sends what the system takes at once of several blocks; tells how much.</summary>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public int Send(List<ArraySegment<byte>> several, out SocketError error) => _isBare
        ? Count(Libc.Send(this, CollectionsMarshal.AsSpan(several)), out error)
        : _socket!.Send(several, SocketFlags.None, out error);

    /// <summary>Tells the peer that nothing more will come.</summary>
    public void ShutdownSend()
    {
        try
        {
            if (_isBare)
                _ = Libc.Shutdown(this, Libc.ShutdownWrite);   // it fails where the peer was faster
            else
                _socket!.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The peer was faster, or it is closed.
        }
    }

    /// <summary>Closes it with a reset. To close it in good order is to dispose it.</summary>
    public void Reset()
    {
        try
        {
            if (_isBare)
                Libc.LingerNot(this);
            else
                _socket!.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed, or has no lingering, as Unix sockets have none.
        }

        Dispose();
    }

    // No call of ours is under way any more.
    protected override bool ReleaseHandle()
    {
        if (_socket is null)
            return Libc.Close((int)handle) == 0;
        _socket.Dispose();
        return true;
    }

    // From now on the base library closes the descriptor: what it still waits for must end first.
    private Socket Open()
    {
        bool isHeld = false;
        SafeSocketHandle? same = null;
        try
        {
            DangerousAddRef(ref isHeld);
            same = new SafeSocketHandle(handle, ownsHandle: true);
            return new Socket(same);
        }
        catch (SocketException)
        {
            same?.SetHandleAsInvalid();     // it is still ours to close
            throw;
        }
        finally
        {
            if (isHeld)
                DangerousRelease();
        }
    }

    private static int Count(nint result, out SocketError error)
    {
        error = result >= 0 ? SocketError.Success : Libc.ErrorOf(Marshal.GetLastPInvokeError());
        return (int)Math.Max(result, 0);
    }
}
