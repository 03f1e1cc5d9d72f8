using System.Buffers;
using System.IO.Pipelines;
using Iris.Net.Http;
using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>A response: header fields first, then either one body at once or a body that is written as it comes.</summary>
public sealed class HttpResponse
{
    private readonly HttpExchange _exchange;
    private int _status = 200;
    private bool _isRejection;
    private ResponseBody? _body;

    internal HttpResponse(HttpExchange exchange)
    {
        _exchange = exchange;
        Headers = new ResponseHeaders(this);
    }

    /// <summary>The status, 200 to 599. Default 200.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The status is out of range.</exception>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public int Status
    {
        get => _status;
        set
        {
            ThrowIfStarted();
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 200);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 599);
            _status = value;
        }
    }

    /// <summary>The header fields. Framing and Date are the server's own.</summary>
    public ResponseHeaders Headers { get; }

    /// <summary>Whether the head can no longer be changed.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>Whether no body may follow the head.</summary>
    internal bool IsBodiless { get; private set; }

    /// <summary>The body that is written as it comes, while it is.</summary>
    internal ResponseBody? Streaming => HasStarted && _body is { IsOpen: true } ? _body : null;

    private Connection Transport => _exchange.Connection.Transport;

    /// <summary>Closes the connection after this response.</summary>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public void CloseAfter()
    {
        ThrowIfStarted();
        _exchange.Connection.IsPersistent = false;
    }

    /// <summary>Sends head and body in one send. To HEAD, and with 204 or 304, no body is sent.</summary>
    /// <param name="body">The body; copied before this returns.</param>
    /// <param name="cancel">Ends the wait, and with it the connection.</param>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask SendAsync(ReadOnlySpan<byte> body = default, CancellationToken cancel = default)
    {
        ThrowIfRejection();
        return SendCoreAsync(body, cancel);
    }

    /// <summary>As the other, without copying a large body.</summary>
    /// <param name="body">The body; left alone until the send ended.</param>
    /// <param name="cancel">Ends the wait, and with it the connection.</param>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> body, CancellationToken cancel = default)
    {
        ThrowIfRejection();
        WriteHead(BodyFraming.OfLength(body.Length));
        PipeWriter output = Transport.Output;
        return IsBodiless ? EndOf(output.FlushAsync(cancel)) : EndOf(output.WriteAsync(body, cancel));
    }

    /// <summary>Starts a body that is written as it comes: chunked, in HTTP/1.0 ended by the connection's end. The head leaves
    /// with the first flush.</summary>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public ResponseBody Start()
    {
        ThrowIfRejection();
        bool isChunked = _exchange.Head.Version != ProtocolVersion.Http10;
        if (!isChunked)
            _exchange.Connection.IsPersistent = false;
        WriteHead(isChunked ? BodyFraming.Chunked : BodyFraming.None);
        _body ??= new ResponseBody(_exchange);
        _body.Begin(isChunked, IsBodiless);
        return _body;
    }

    /// <summary>Ends the connection: the response stays incomplete.</summary>
    internal void Abort() => _exchange.Connection.Abort();

    internal void ThrowIfStarted()
    {
        _ = _exchange.Open;
        if (HasStarted)
            throw new InvalidOperationException("The response has started.");
    }

    internal void Begin()
    {
        _status = 200;
        HasStarted = false;
        _isRejection = false;
    }

    internal void End()
    {
        Headers.Clear();
        _body?.End();
    }

    /// <summary>Makes this a refusal by the server, whose body a hook may write.</summary>
    internal ValueTask RejectAsync(RejectionReason reason, HttpRequest? request)
    {
        HttpInstruments.Rejected(reason);
        Headers.Clear();
        Begin();
        _exchange.Connection.IsPersistent = false;
        _status = Rejection.StatusOf(reason);
        _isRejection = true;
        ReadOnlyMemory<byte> body = _exchange.Connection.Server.Options.OnRejected is { } hook
            ? hook(request, this, reason)
            : DefaultRejection.Write(this, reason);
        return SendCoreAsync(body.Span, CancellationToken.None);
    }

    private static ValueTask EndOf(ValueTask<FlushResult> flush)
    {
        if (!flush.IsCompletedSuccessfully)
            return new(flush.AsTask());
        _ = flush.Result;
        return default;
    }

    private ValueTask SendCoreAsync(ReadOnlySpan<byte> body, CancellationToken cancel)
    {
        WriteHead(BodyFraming.OfLength(body.Length));
        PipeWriter output = Transport.Output;
        if (!IsBodiless)
            output.Write(body);
        return EndOf(output.FlushAsync(cancel));
    }

    private void WriteHead(BodyFraming framing)
    {
        ThrowIfStarted();
        HasStarted = true;
        HttpConnection connection = _exchange.Connection;
        connection.IsPersistent &= !_exchange.Content.MustClose && !connection.Server.IsStopping;
        IsBodiless = !StatusLine.AllowsContent(_status) || _exchange.Head.Method.SequenceEqual("HEAD"u8);
        ResponseHeadWriter.Write(Transport.Output, new ResponseHead
        {
            Status = _status,
            FieldLines = Headers.Lines,
            Date = connection.Server.Date,
            Framing = framing,
            Close = !connection.IsPersistent,
        });
    }

    private void ThrowIfRejection()
    {
        if (_isRejection)
            throw new InvalidOperationException("The server itself sends a refusal.");
    }
}
