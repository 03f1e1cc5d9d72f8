using System.Buffers;
using System.IO.Pipelines;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>Reads the body of one request after the other, whole or as it comes.</summary>
internal sealed class RequestBodyReader(HttpConnection connection)
{
    private long _left;                     // of a body whose length is known
    private bool _awaitsContinue;
    private bool _isRead;
    private SequencePosition? _held;        // where the body ends that was handed out where it stands
    private RentedBuffer? _bytes;
    private ChunkedReader? _chunks;
    private RequestBodyPipe? _pipe;

    public BodyFraming Framing { get; private set; }

    /// <summary>Whether the body was read to its end.</summary>
    public bool IsAtEnd { get; private set; } = true;

    /// <summary>Whether somebody waits for more of the body.</summary>
    public bool IsReading { get; private set; }

    /// <summary>Why the body cannot be read to its end.</summary>
    public RejectionReason Rejection { get; private set; }

    /// <summary>Bytes that were read.</summary>
    public long Received { get; private set; }

    /// <summary>Whether the next request cannot be found behind this body.</summary>
    public bool MustClose => !IsAtEnd && (Rejection != RejectionReason.None || _awaitsContinue || _left > Limits.MaxDrain);

    public RequestBodyPipe Pipe
    {
        get
        {
            _pipe ??= new RequestBodyPipe(this);
            if (!_pipe.IsOpen)
            {
                ReadOnce();
                _pipe.Begin();
            }

            return _pipe;
        }
    }

    public HttpServerLimits Limits => connection.Server.Options.Limits;

    private PipeReader Input => connection.Transport.Input;

    public void Begin(BodyFraming framing, bool awaitsContinue)
    {
        Framing = framing;
        _left = framing.Length;
        IsAtEnd = framing.Kind == BodyFramingKind.None || framing is { Kind: BodyFramingKind.Length, Length: 0 };
        _awaitsContinue = awaitsContinue && !IsAtEnd;
        Rejection = RejectionReason.None;
        Received = 0;
        _isRead = false;
        IsReading = false;
        if (framing.Kind == BodyFramingKind.Chunked)
            (_chunks ??= new ChunkedReader(connection.Server.ChunkedLimits)).Reset();
    }

    public ValueTask<RequestBody> ReadAllAsync(long? max, CancellationToken cancel)
    {
        ReadOnce();
        long most = Math.Min(max ?? long.MaxValue, Limits.MaxRequestBodySize);
        if (IsAtEnd)
            return new(default(RequestBody));
        if (Framing.Kind == BodyFramingKind.Length)
        {
            if (_left > most)
                return new(new RequestBody(Rejection = RejectionReason.BodyTooLarge));
            if (TryHold(out ReadOnlyMemory<byte> body))
                return new(new RequestBody(body));
        }

        return CollectAsync(most, cancel);
    }

    /// <summary>Waits for more of the body.</summary>
    /// <param name="to">Takes it; null drops it.</param>
    /// <param name="max">The most bytes of the whole body.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async ValueTask<RejectionReason> ReadOnAsync(IBufferWriter<byte>? to, long max, CancellationToken cancel)
    {
        if (Framing.Kind == BodyFramingKind.Length && Framing.Length > max)
            return Rejection = RejectionReason.BodyTooLarge;
        if (_awaitsContinue)
            await ContinueAsync(cancel).ConfigureAwait(false);
        ReadResult read;
        Wait expired;
        IsReading = true;
        connection.Await(Wait.Body);
        try
        {
            read = await Input.ReadAsync(connection.Beside(cancel)).ConfigureAwait(false);
        }
        finally
        {
            expired = connection.EndWait();
            IsReading = false;
        }

        RejectionReason why = Take(read.Buffer, to, max);
        if (why == RejectionReason.None && !IsAtEnd)
        {
            if (read.IsCompleted)
                why = RejectionReason.IncompleteRequest;
            else if (expired != Wait.None)
                why = connection.BodyWasSlow ? RejectionReason.RequestBodyTooSlow : RejectionReason.RequestTimeout;
        }

        return Rejection = why;
    }

    /// <summary>Reads away what nobody read; false where the connection had better be closed.</summary>
    public async ValueTask<bool> DrainAsync()
    {
        if (MustClose)
            return false;
        long max = Received + Limits.MaxDrain;
        while (!IsAtEnd && Received <= max)
            if (await ReadOnAsync(null, Math.Max(max, Framing.Length), CancellationToken.None).ConfigureAwait(false) != RejectionReason.None)
                return false;
        return IsAtEnd;
    }

    public void End()
    {
        if (_held is { } end)
            Input.AdvanceTo(end);
        _held = null;
        _bytes?.Clear();
        _pipe?.End();
    }

    private void ReadOnce()
    {
        if (_isRead)
            throw new InvalidOperationException("A body is read once.");
        _isRead = true;
    }

    // Where all of the body is there in one piece, it is not copied.
    private bool TryHold(out ReadOnlyMemory<byte> body)
    {
        body = default;
        if (!Input.TryRead(out ReadResult read))
            return false;
        ReadOnlySequence<byte> buffer = read.Buffer;
        if (buffer.First.Length < _left)
        {
            Input.AdvanceTo(buffer.Start);
            return false;
        }

        body = buffer.First[..(int)_left];
        _held = buffer.GetPosition(_left);
        Received = _left;
        _left = 0;
        IsAtEnd = true;
        return true;
    }

    private async ValueTask<RequestBody> CollectAsync(long max, CancellationToken cancel)
    {
        _bytes ??= new RentedBuffer();
        while (!IsAtEnd)
        {
            RejectionReason why = await ReadOnAsync(_bytes, max, cancel).ConfigureAwait(false);
            if (why != RejectionReason.None)
                return new RequestBody(why);
        }

        return new RequestBody(_bytes.Written);
    }

    // RFC 9110 section 10.1.1: the client waits for this before it sends the body; one that sent it already does not.
    private async ValueTask ContinueAsync(CancellationToken cancel)
    {
        _awaitsContinue = false;
        if (Input.TryRead(out ReadResult read))
        {
            Input.AdvanceTo(read.Buffer.Start);
            if (!read.Buffer.IsEmpty)
                return;
        }

        if (connection.Exchange.Response.HasStarted)
            return;
        connection.Transport.Output.Write(ResponseHeadWriter.Continue);
        await connection.Transport.Output.FlushAsync(cancel).ConfigureAwait(false);
    }

    private RejectionReason Take(in ReadOnlySequence<byte> input, IBufferWriter<byte>? to, long max)
    {
        if (Framing.Kind == BodyFramingKind.Length)
        {
            ReadOnlySequence<byte> taken = input.Slice(0, Math.Min(_left, input.Length));
            foreach (ReadOnlyMemory<byte> piece in taken)
                to?.Write(piece.Span);
            _left -= taken.Length;
            Received += taken.Length;
            IsAtEnd = _left == 0;
            Input.AdvanceTo(taken.End);
            return RejectionReason.None;
        }

        var reader = new SequenceReader<byte>(input);
        OperationStatus status = _chunks!.Read(ref reader, to, max, out RejectionReason why);
        Received += reader.Consumed;
        IsAtEnd = status == OperationStatus.Done;
        Input.AdvanceTo(reader.Position, IsAtEnd ? reader.Position : input.End);
        return why;
    }
}
