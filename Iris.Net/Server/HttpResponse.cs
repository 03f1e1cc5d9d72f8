namespace Iris.Net.Server;

/// <summary>A response: header fields first, then either one body at once or a body that is written as it comes.</summary>
public sealed class HttpResponse
{
    internal HttpResponse() { }

    /// <summary>The status, 200 to 599. Default 200.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The status is out of range.</exception>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public int Status { get; set; } = 200;

    /// <summary>The header fields. Framing, Date and Connection are the server's own.</summary>
    public ResponseHeaders Headers => throw new NotSupportedException();

    /// <summary>Whether the head can no longer be changed.</summary>
    public bool HasStarted => throw new NotSupportedException();

    /// <summary>Closes the connection after this response.</summary>
    public void CloseAfter() => throw new NotSupportedException();

    /// <summary>Sends head and body in one send. To HEAD, and with 204 or 304, no body is sent.</summary>
    /// <param name="body">The body; copied before this returns.</param>
    /// <param name="cancel">Ends the wait, and with it the connection.</param>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask SendAsync(ReadOnlySpan<byte> body = default, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>As the other, without copying the body.</summary>
    /// <param name="body">The body; left alone until the send ended.</param>
    /// <param name="cancel">Ends the wait, and with it the connection.</param>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> body, CancellationToken cancel = default) => throw new NotSupportedException();

    /// <summary>Starts a body that is written as it comes: chunked, in HTTP/1.0 ended by the connection's end. The head leaves
    /// with the first flush.</summary>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public ResponseBody Start() => throw new NotSupportedException();
}
