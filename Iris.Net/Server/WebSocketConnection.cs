using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using Iris.Net.Diagnostics;
using Iris.Net.Transport;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>An open WebSocket (RFC 6455). One caller receives; any number send. Pings, pongs and closes are answered while
/// somebody receives.</summary>
public sealed class WebSocketConnection
{
    private const long NotClosing = -1;

    private readonly Lock _lock = new();        // over the protocol's state and the output
    private readonly HttpConnection _connection;
    private readonly WebSocketUpgrade _upgrade;
    private readonly WebSocketProtocol _protocol;
    private readonly MessageDeflater? _deflater;
    private readonly FlushOnce _flush;
    private WebSocketMessage? _end;
    private bool _isReceiving;
    private PeerPulse _pulse;
    private long _closingSince = NotClosing;
    private bool _closeExpired;

    internal WebSocketConnection(HttpConnection connection, WebSocketUpgrade upgrade)
    {
        _connection = connection;
        _upgrade = upgrade;
        _flush = new FlushOnce(Transport.Output, _lock);
        MessageInflater? inflater = null;
        if (upgrade.Deflate is { } agreed)
        {
            _deflater = new MessageDeflater(Options.Compression!, agreed.ServerForgets);
            inflater = new MessageInflater(agreed.ClientForgets);
        }

        _protocol = new WebSocketProtocol(upgrade.Route.Limits, inflater);
        _pulse = new PeerPulse(Now);
    }

    /// <summary>Who asked, as <see cref="HttpServerOptions.Before"/> found out.</summary>
    public string? Principal => _upgrade.Principal;

    /// <summary>What <see cref="HttpServerOptions.Before"/> handed on.</summary>
    public object? State => _upgrade.State;

    /// <summary>The first of <see cref="WebSocketOptions.Subprotocols"/> that the client offered; null for none.</summary>
    public string? Subprotocol => _upgrade.Subprotocol;

    /// <summary>The peer's address; null on a Unix socket.</summary>
    public EndPoint? RemoteEndPoint => Transport.Remote;

    /// <summary>Bytes queued and not yet handed to the system.</summary>
    public long Unsent => Transport.Unsent;

    /// <summary>Whether a reply is due. A server that stops closes a busy connection only when its grace is over.</summary>
    public bool IsBusy
    {
        get;
        set
        {
            field = value;
            if (!value && _connection.Server.IsStopping)
                CloseWhereIdle();
        }
    }

    private WebSocketOptions Options => _upgrade.Route.Options;

    private Connection Transport => _connection.Transport;

    private long Now => _connection.Server.Deadlines.Now;

    /// <summary>Waits for the next whole message. After the end it brings the end again. The peer's close is answered when the
    /// handler returns, so that it can send what is still due; <see cref="WebSocketOptions.CloseTimeout"/> later at the latest.</summary>
    /// <param name="cancel">Ends the wait; no message is lost.</param>
    /// <exception cref="InvalidOperationException">Somebody receives already.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<WebSocketMessage> ReceiveAsync(CancellationToken cancel = default)
    {
        if (Interlocked.Exchange(ref _isReceiving, true))
            throw new InvalidOperationException("Somebody receives already.");
        try
        {
            lock (_lock)
                _protocol.ReleaseMessage();
            while (_end is null)
            {
                ReadResult read = await Transport.Input.ReadAsync(_connection.Beside(cancel)).ConfigureAwait(false);
                WebSocketMessage? message = Take(read, out bool hasReplied);
                if (hasReplied)
                    await _flush.RunAsync(_connection.Beside(cancel)).ConfigureAwait(false);
                if (message is { } received)
                    return received;
            }

            return _end.Value;
        }
        finally
        {
            Volatile.Write(ref _isReceiving, false);
        }
    }

    /// <summary>Adds one text message to what the next flush sends; waits for nothing. From any thread. After the close or the
    /// peer's end it does nothing.</summary>
    /// <param name="text">Valid UTF-8.</param>
    public void Queue(ReadOnlySpan<byte> text) => Queue(Opcode.Text, text);

    /// <summary>Sends all that was queued in one send, and waits until the system took it. Several callers wait for one send.</summary>
    /// <param name="cancel">Ends the wait, not the send.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancel = default) => _flush.RunAsync(_connection.Beside(cancel));

    /// <summary>Queues one text message and flushes.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="cancel">Ends the wait; the message stays queued.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask SendTextAsync(ReadOnlySpan<byte> text, CancellationToken cancel = default)
    {
        Queue(Opcode.Text, text);
        return _flush.RunAsync(_connection.Beside(cancel));
    }

    /// <summary>Queues one binary message and flushes.</summary>
    /// <param name="payload">Any bytes.</param>
    /// <param name="cancel">Ends the wait; the message stays queued.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask SendBinaryAsync(ReadOnlySpan<byte> payload, CancellationToken cancel = default)
    {
        Queue(Opcode.Binary, payload);
        return _flush.RunAsync(_connection.Beside(cancel));
    }

    /// <summary>Sends what was queued and a close frame; nothing is sent afterwards. Whoever receives goes on until the peer's
    /// close came, <see cref="WebSocketOptions.CloseTimeout"/> at most. A peer that closed first gets its own code back.</summary>
    /// <param name="code">1000 to 1003, 1007 to 1014, or 3000 to 4999.</param>
    /// <param name="reason">At most 123 bytes of UTF-8.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="ArgumentException">The code or the reason may not be sent.</exception>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask CloseAsync(WebSocketCloseCode code, string reason = "", CancellationToken cancel = default)
    {
        lock (_lock)
        {
            if (_protocol.WriteClose(Transport.Output, code, reason))
                BeginClosing();
        }

        return _flush.RunAsync(_connection.Beside(cancel));
    }

    /// <summary>Runs the handler, then the closing handshake. The span of the upgrade request lasts until the end.</summary>
    internal async ValueTask RunAsync(CancellationToken disconnected)
    {
        using Activity? span = _upgrade.Span;
        if (span is not null)
            Activity.Current = span;
        bool isCounted = HttpInstruments.WebSockets.Enabled;
        if (isCounted)
            HttpInstruments.WebSockets.Add(1);
        WebSocketCloseCode code = WebSocketCloseCode.NormalClosure;
        try
        {
            await HandleAsync(disconnected).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            code = WebSocketCloseCode.InternalError;
            if (!Transport.IsAborted)
                _connection.Server.ReportHandler(e);
        }

        try
        {
            await CloseAsync(code, cancel: CancellationToken.None).ConfigureAwait(false);
            while (_end is null)
                await ReceiveAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            if (isCounted)
                HttpInstruments.WebSockets.Add(-1);
            lock (_lock)
            {
                _protocol.Dispose();
                _deflater?.Dispose();
            }
        }
    }

    /// <summary>Says goodbye where no reply is due.</summary>
    internal void CloseWhereIdle()
    {
        if (!IsBusy)
            GoAway();
    }

    internal void GoAway() => CloseSoon(WebSocketCloseCode.GoingAway);

    internal void Tick(long now)
    {
        if (_connection.Server.IsStopping)
            CloseWhereIdle();
        long closingSince = Volatile.Read(ref _closingSince);
        if (closingSince != NotClosing)
        {
            if (now - closingSince >= Options.CloseTimeout.TotalMilliseconds)
            {
                if (!_closeExpired)
                    Telemetry.Breached("WebSocketCloseTimeout");
                EndWithoutAnswer();
            }

            return;
        }

        switch (_pulse.Check(now, Volatile.Read(ref _isReceiving), Options))
        {
            case PulseCheck.Ping:
                Queue(Opcode.Ping, default);
                _flush.Start();
                break;
            case PulseCheck.Lost:
                Telemetry.Breached("WebSocketPongTimeout");
                CloseSoon(WebSocketCloseCode.InternalError);
                break;
            case PulseCheck.Fine:
                break;
        }
    }

    private ValueTask HandleAsync(CancellationToken disconnected)
    {
        using (Transport.Enter())
            return _upgrade.Route.Handler(this, disconnected);
    }

    private void Queue(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        lock (_lock)
        {
            if (!_protocol.IsCloseWritten)
                Write(opcode, payload);
        }
    }

    private void Write(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        if (opcode is Opcode.Text or Opcode.Binary
            && _deflater?.TryDeflate(payload, out ReadOnlySpan<byte> compressed) == true)
            FrameWriter.Write(Transport.Output, opcode, compressed, isCompressed: true);
        else
            FrameWriter.Write(Transport.Output, opcode, payload);
        _deflater?.Release();
    }

    private void CloseSoon(WebSocketCloseCode code)
    {
        lock (_lock)
        {
            if (!_protocol.WriteClose(Transport.Output, code))
                return;
            BeginClosing();
        }

        _flush.Start();
    }

    private void BeginClosing()
    {
        if (_closingSince == NotClosing)
            Volatile.Write(ref _closingSince, Now);
    }

    // The peer had its time to answer our close, or we had ours to answer the peer's.
    private void EndWithoutAnswer()
    {
        CloseSoon(WebSocketCloseCode.NormalClosure);
        _closeExpired = true;
        Transport.Input.CancelPendingRead();
    }

    private WebSocketMessage? Take(in ReadResult read, out bool hasReplied)
    {
        hasReplied = false;
        ReadOnlySequence<byte> buffer = read.Buffer;
        if (!buffer.IsEmpty)
            _pulse.Hear(Now);
        var reader = new SequenceReader<byte>(buffer);
        lock (_lock)
        {
            while (true)
            {
                switch (_protocol.Read(ref reader, Transport.Output, Now))
                {
                    case WebSocketEvent.TextMessage:
                        Transport.Input.AdvanceTo(reader.Position);
                        return new WebSocketMessage(WebSocketMessageKind.Text, _protocol.Message);
                    case WebSocketEvent.BinaryMessage:
                        Transport.Input.AdvanceTo(reader.Position);
                        return new WebSocketMessage(WebSocketMessageKind.Binary, _protocol.Message);
                    case WebSocketEvent.Ping:
                        hasReplied = true;
                        break;
                    case WebSocketEvent.Pong:
                        break;
                    case WebSocketEvent.Close or WebSocketEvent.Failed:
                        Transport.Input.AdvanceTo(reader.Position);
                        BeginClosing();
                        HttpInstruments.Broken(_protocol.Broken);
                        return _end = new WebSocketMessage(_protocol.CloseCode);
                    case WebSocketEvent.None:
                        Transport.Input.AdvanceTo(reader.Position, buffer.End);
                        if (read.IsCompleted || _closeExpired)
                            _end = new WebSocketMessage(WebSocketCloseCode.AbnormalClosure);
                        return _end;
                    default:
                        throw new InvalidOperationException("Unknown event.");
                }
            }
        }
    }
}
