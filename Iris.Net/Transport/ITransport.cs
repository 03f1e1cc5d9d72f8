namespace Iris.Net.Transport;

/// <summary>Where connections come from.</summary>
internal interface ITransport
{
    /// <summary>Binds an endpoint and hands each connection to <paramref name="run"/>, on a thread of the transport's own
    /// choice. Whoever runs a connection disposes it, and
    /// throws nothing. Where the transport knows filters and one is given, connections come to it in place of
    /// <paramref name="run"/>.</summary>
    /// <exception cref="IOException">The endpoint cannot be bound.</exception>
    ValueTask<IListener> BindAsync(
        ListenEndpoint at, Func<Connection, Task> run, Func<PeerSocket, AcceptFilter>? filter = null, CancellationToken cancel = default);
}

/// <summary>A bound endpoint. Disposing it stops accepting; connections that were accepted live on.</summary>
internal interface IListener : IAsyncDisposable
{
    /// <summary>What was bound, with the port that the system chose.</summary>
    ListenEndpoint Endpoint { get; }
}
