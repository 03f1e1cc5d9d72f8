using System.Buffers;
using System.IO.Pipelines;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>A body that is written as it comes. What was written between two flushes leaves as one chunk in one send. Nothing may
/// be written while a flush is pending.</summary>
public sealed class ResponseBody : IBufferWriter<byte>
{
    private readonly HttpExchange _exchange;
    private readonly RentedBuffer _bytes = new();
    private bool _isChunked;
    private bool _isDropped;

    internal ResponseBody(HttpExchange exchange) => _exchange = exchange;

    /// <summary>Bytes written and not yet handed to the system.</summary>
    public long Unsent => _bytes.Length + _exchange.Connection.Transport.Unsent;

    internal bool IsOpen { get; private set; }

    /// <inheritdoc/>
    public void Advance(int count) => _bytes.Advance(count);

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ThrowIfOver();
        if (_exchange.Connection.Transport.IsSending)
            throw new InvalidOperationException("A flush is pending.");
        return _bytes.GetMemory(sizeHint);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    /// <summary>Sends what was written; the first time the head too, even where nothing was written.</summary>
    /// <param name="cancel">Ends the wait, and with it the connection.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancel = default)
    {
        ThrowIfOver();
        return SendAsync(cancel);
    }

    /// <summary>Sends what was written and ends the body, in one send. A handler that returns without it has it done for it.</summary>
    /// <param name="cancel">Ends the wait, and with it the connection.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask CompleteAsync(CancellationToken cancel = default)
    {
        if (!IsOpen)
            return default;
        IsOpen = false;
        return SendAsync(cancel);
    }

    internal void Begin(bool isChunked, bool isDropped)
    {
        _isChunked = isChunked;
        _isDropped = isDropped;
        IsOpen = true;
    }

    internal void End()
    {
        IsOpen = false;
        _bytes.Clear();
    }

    private ValueTask SendAsync(CancellationToken cancel)
    {
        if (_isDropped)
            _bytes.Clear();
        int length = _bytes.Length;
        PipeWriter output = _exchange.Connection.Transport.Output;
        if (_isChunked && !_isDropped)
        {
            if (length > 0)
            {
                output.Advance(ChunkedWriter.FormatStart(output.GetSpan(ChunkedWriter.MaxStartLength), length));
                _bytes.Write(ChunkedWriter.End);
            }

            if (!IsOpen)
                ChunkedWriter.WriteLast(_bytes);
        }

        ValueTask<FlushResult> sent = output.WriteAsync(_bytes.Written, cancel);
        if (!sent.IsCompletedSuccessfully)
            return EndAsync(sent);
        _ = sent.Result;
        _bytes.Clear();
        return default;
    }

    private async ValueTask EndAsync(ValueTask<FlushResult> sent)
    {
        await sent.ConfigureAwait(false);
        _bytes.Clear();
    }

    private void ThrowIfOver()
    {
        if (!IsOpen)
            throw new InvalidOperationException("The body is complete.");
    }
}
