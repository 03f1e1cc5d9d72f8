using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>Leaves the question with the kernel: one registration for the connection's life, one event for whatever arrives
/// after the socket was found empty (epoll(7), edge-triggered).</summary>
internal sealed class EpollReadiness(EpollLoop loop, Socket socket, SocketReader reader) : IReadiness
{
    private long _registration;
    private bool _tried;

    public bool IsPending => false;

    public bool Ask()
    {
        if (_registration != 0)
            return false;
        if (!_tried)
            return _tried = true;   // a connection's first request has mostly come already, and it may be its last
        _registration = loop.Register(socket, reader);
        return _registration == 0;
    }

    public void Dispose() => loop.Forget(_registration);
}
