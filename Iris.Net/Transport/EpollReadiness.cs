using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>Leaves the question with the kernel: one registration for the connection's life, one event for whatever arrives
/// after the socket was found empty (epoll(7), edge-triggered).</summary>
internal sealed class EpollReadiness(EpollLoop loop, Socket socket, SocketReader reader) : IReadiness
{
    private long _registration;

    public bool IsPending => false;

    public bool Ask()
    {
        if (_registration == 0)
            _registration = loop.Register(socket, reader);
        return _registration == 0;
    }

    public void Dispose() => loop.Forget(_registration);
}
