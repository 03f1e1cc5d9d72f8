namespace Iris.Net.Transport;

/// <summary>Knows when a socket may have something to receive, and tells its <see cref="SocketReader"/>.</summary>
internal interface IReadiness : IDisposable
{
    /// <summary>Whether the socket itself waits for input: closing it meanwhile resets the connection.</summary>
    bool IsPending { get; }

    /// <summary>Asks; true where a receive may bring something now, false where <see cref="SocketReader.Wake"/> will tell.</summary>
    bool Ask();
}
