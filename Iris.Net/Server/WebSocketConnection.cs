using System.Buffers;
using System.Diagnostics;
using System.Net;
using Iris.Net.Diagnostics;
using Iris.Net.Transport;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>An open WebSocket (RFC 6455). One caller receives; any number send. Pings, pongs and closes are answered while
/// somebody receives.</summary>
public sealed class WebSocketConnection
{
    private readonly HttpConnection _connection;
    private readonly WebSocketUpgrade _upgrade;
    private readonly WebSocketProtocol _protocol;
    private readonly MessageDeflater? _deflater;
    private readonly WebSocketSender _sender;
    private readonly WebSocketClosing _closing;
    private readonly WebSocketReceiver _receiver;
    private bool _isCounted;    // listeners come and go

    internal WebSocketConnection(HttpConnection connection, WebSocketUpgrade upgrade)
    {
        _connection = connection;
        _upgrade = upgrade;
        Deadlines deadlines = connection.Server.Deadlines;
        MessageInflater? inflater = null;
        if (upgrade.Deflate is { } agreed)
        {
            _deflater = new MessageDeflater(Options.Compression!, agreed.ServerForgets);
            inflater = new MessageInflater(agreed.ClientForgets);
        }

        _protocol = new WebSocketProtocol(upgrade.Route.Limits, inflater);
        _sender = new WebSocketSender(Transport.Output, _protocol, _deflater);
        _closing = new WebSocketClosing(_sender, deadlines);
        _receiver = new WebSocketReceiver(
            Transport, _protocol, _sender, _closing, deadlines, mostPongs: upgrade.Route.Options.MaxMessageSize);
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

    /// <summary>Whether the connection was reset: nothing that is sent arrives any more.</summary>
    public bool IsAborted => Transport.IsAborted;

    internal WebSocketMessage Received => _receiver.Received;

    internal WebSocketOptions Options => _upgrade.Route.Options;

    private Connection Transport => _connection.Transport;

    /// <summary>Waits for the next whole message. After the end it brings the end again. The peer's close is answered when the
    /// handler returns, so that it can send what is still due; <see cref="WebSocketOptions.CloseTimeout"/> later at the latest.
    /// A peer that ended its side without a close (1006) may still read.</summary>
    /// <param name="cancel">Ends the wait; no message is lost.</param>
    /// <exception cref="InvalidOperationException">Somebody receives already, or a message that comes in parts is
    /// unfinished.</exception>
    public ValueTask<WebSocketMessage> ReceiveAsync(CancellationToken cancel = default) =>
        _receiver.ReceiveAsync(inParts: false, _connection.Beside(cancel));

    /// <summary>The same, for <see cref="Received"/>: a wait without a value takes less memory.</summary>
    internal ValueTask WaitAsync(CancellationToken cancel) => _receiver.WaitAsync(inParts: false, _connection.Beside(cancel));

    /// <summary>Waits for the next part of a message: a fragment, or some 64 KiB of a larger one; so a message may be larger than
    /// memory. Text is judged as it comes: a part may end within a character. Otherwise as <see cref="ReceiveAsync"/>.</summary>
    /// <param name="cancel">Ends the wait; nothing is lost.</param>
    /// <exception cref="InvalidOperationException">Somebody receives already.</exception>
    public ValueTask<WebSocketMessage> ReceivePartAsync(CancellationToken cancel = default) =>
        _receiver.ReceiveAsync(inParts: true, _connection.Beside(cancel));

    /// <summary>Adds one text message to what the next flush sends; waits for nothing. From any thread. After the close or the
    /// peer's end it does nothing.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <exception cref="InvalidOperationException">A message that goes out in parts is unfinished.</exception>
    public void Queue(ReadOnlySpan<byte> text) => _sender.Queue(Opcode.Text, text);

    /// <summary>Sends all that was queued in one send, and waits until the system took it. Several callers wait for one send.</summary>
    /// <param name="cancel">Ends the wait, not the send.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancel = default) => _sender.FlushAsync(_connection.Beside(cancel));

    /// <summary>Queues one text message and flushes.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="cancel">Ends the wait; the message stays queued.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    /// <exception cref="InvalidOperationException">A message that goes out in parts is unfinished.</exception>
    public ValueTask SendTextAsync(ReadOnlySpan<byte> text, CancellationToken cancel = default)
    {
        _sender.Queue(Opcode.Text, text);
        return FlushAsync(cancel);
    }

    /// <summary>Queues one binary message and flushes.</summary>
    /// <param name="payload">Any bytes.</param>
    /// <param name="cancel">Ends the wait; the message stays queued.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    /// <exception cref="InvalidOperationException">A message that goes out in parts is unfinished.</exception>
    public ValueTask SendBinaryAsync(ReadOnlySpan<byte> payload, CancellationToken cancel = default)
    {
        _sender.Queue(Opcode.Binary, payload);
        return FlushAsync(cancel);
    }

    /// <summary>Queues one message in one frame and flushes. The payload is copied at once.</summary>
    /// <param name="kind">Text, which must be valid UTF-8, or binary.</param>
    /// <param name="payload">The message.</param>
    /// <param name="cancel">Ends the wait; the message stays queued.</param>
    /// <exception cref="ArgumentOutOfRangeException">The kind is neither.</exception>
    /// <exception cref="IOException">The peer is gone.</exception>
    /// <exception cref="InvalidOperationException">A message that goes out in parts is unfinished.</exception>
    public ValueTask SendAsync(WebSocketMessageKind kind, in ReadOnlySequence<byte> payload, CancellationToken cancel = default)
    {
        _sender.Queue(OpcodeOf(kind), payload);
        return FlushAsync(cancel);
    }

    /// <summary>Queues one fragment of a message and flushes; the first one begins the message. No other message begins until the
    /// last fragment was sent.</summary>
    /// <param name="kind">Text, which must be valid UTF-8 as a whole, or binary.</param>
    /// <param name="payload">The fragment.</param>
    /// <param name="isLast">Whether the message ends with it.</param>
    /// <param name="cancel">Ends the wait; the fragment stays queued.</param>
    /// <exception cref="ArgumentOutOfRangeException">The kind is neither.</exception>
    /// <exception cref="IOException">The peer is gone.</exception>
    /// <exception cref="InvalidOperationException">A message of the other kind is unfinished.</exception>
    public ValueTask SendPartAsync(
        WebSocketMessageKind kind, in ReadOnlySequence<byte> payload, bool isLast, CancellationToken cancel = default)
    {
        _sender.QueuePart(OpcodeOf(kind), payload, isLast);
        return FlushAsync(cancel);
    }

    /// <summary>Sends what was queued and a close frame; nothing is sent afterwards. Whoever receives goes on until the peer's
    /// close came, <see cref="WebSocketOptions.CloseTimeout"/> at most. A peer that closed first gets its own code back.</summary>
    /// <param name="code">1000 to 1003, 1007 to 1014, or 3000 to 4999.</param>
    /// <param name="reason">At most 123 bytes of UTF-8.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <exception cref="ArgumentException">The code or the reason may not be sent.</exception>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask CloseAsync(WebSocketCloseCode code, string reason = "", CancellationToken cancel = default) =>
        _closing.CloseAsync(code, reason, _connection.Beside(cancel));

    /// <summary>Sends what was queued, without waiting.</summary>
    internal void BeginFlush() => _sender.BeginFlush();

    /// <summary>Runs the handler; <see cref="EndAsync"/> follows. The span of the upgrade request lasts until then.</summary>
    internal ValueTask HandleAsync(CancellationToken disconnected)
    {
        if (_upgrade.Span is { } span)
            Activity.Current = span;
        _isCounted = HttpInstruments.WebSockets.Enabled;
        if (_isCounted)
            HttpInstruments.WebSockets.Add(1);
        using (Transport.Enter())
            return _upgrade.Route.Handler(this, disconnected);
    }

    /// <summary>Closes, and waits for the peer's close.</summary>
    /// <param name="failure">What the handler threw; null where it returned.</param>
    /// <exception cref="IOException">The peer is gone.</exception>
    internal async ValueTask EndAsync(Exception? failure)
    {
        using Activity? span = _upgrade.Span;
        if (failure is not null && !Transport.IsAborted)
            _connection.Server.ReportHandler(failure);
        try
        {
            await CloseAsync(
                failure is null ? WebSocketCloseCode.NormalClosure : WebSocketCloseCode.InternalError,
                cancel: CancellationToken.None).ConfigureAwait(false);
            while (!_receiver.HasEnded)
                await _receiver.ReceiveAsync(inParts: true, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            if (_isCounted)
                HttpInstruments.WebSockets.Add(-1);
            lock (_sender)
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

    internal void GoAway() => _closing.CloseSoon(WebSocketCloseCode.GoingAway);

    internal void Tick(long now)
    {
        if (_connection.Server.IsStopping)
            CloseWhereIdle();
        if (_closing.Tick(now, Options.CloseTimeout))
        {
            if (_closing.HasExpired)
                Transport.Input.CancelPendingRead();
            return;
        }

        switch (_receiver.Tick(now, Options))
        {
            case PulseCheck.Ping:
                _sender.Queue(Opcode.Ping, default(ReadOnlySpan<byte>));
                _sender.BeginFlush();
                break;
            case PulseCheck.Lost:
                Telemetry.Breached("WebSocketPongTimeout");
                _closing.CloseSoon(WebSocketCloseCode.InternalError);
                break;
            case PulseCheck.Fine:
                break;
        }
    }

    private static Opcode OpcodeOf(WebSocketMessageKind kind) => kind switch
    {
        WebSocketMessageKind.Text => Opcode.Text,
        WebSocketMessageKind.Binary => Opcode.Binary,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
