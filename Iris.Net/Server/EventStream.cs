using System.Buffers;

namespace Iris.Net.Server;

/// <summary>A stream of server-sent events (WHATWG HTML section 9.2): a response body with the head that it needs. What is
/// written into it are frames.</summary>
public sealed class EventStream : IBufferWriter<byte>
{
    private readonly ResponseBody _body;

    private EventStream(ResponseBody body) => _body = body;

    /// <summary>Bytes written and not yet handed to the system.</summary>
    public long Unsent => _body.Unsent;

    /// <summary>Starts a stream: sets <c>content-type: text/event-stream</c> and <c>cache-control: no-cache</c>.</summary>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public static EventStream Start(HttpResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        response.Headers.Add("content-type"u8, "text/event-stream"u8);
        response.Headers.Add("cache-control"u8, "no-cache"u8);
        return new EventStream(response.Start());
    }

    /// <inheritdoc/>
    public void Advance(int count) => _body.Advance(count);

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => _body.GetMemory(sizeHint);

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => _body.GetSpan(sizeHint);

    /// <summary>Sends all frames that were written, in one send.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancel = default) => _body.FlushAsync(cancel);

    /// <summary>Sends all frames that were written and ends the stream, in one send. The connection stays usable.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask CompleteAsync(CancellationToken cancel = default) => _body.CompleteAsync(cancel);
}
