using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Iris.Net.Transport;
using Iris.Net.WebSockets;
using ReadAwaiter = System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable<System.IO.Pipelines.ReadResult>.ConfiguredValueTaskAwaiter;

namespace Iris.Net.Server;

/// <summary>What comes in over a WebSocket: messages are handed on, pings are answered, the end is kept. It is its callers' wait itself,
/// as it may be a long one of many.</summary>
/// <param name="transport">The peer.</param>
/// <param name="protocol">Reads the frames.</param>
/// <param name="sender">Takes the pongs; locked over the protocol and the output.</param>
/// <param name="closing">Hears of the peer's close.</param>
/// <param name="deadlines">The clock.</param>
/// <param name="mostPongs">How many bytes may wait to be sent before pings are read no further.</param>
internal sealed class WebSocketReceiver(
    Connection transport, WebSocketProtocol protocol, WebSocketSender sender, WebSocketClosing closing, Deadlines deadlines,
    long mostPongs) : IValueTaskSource, IValueTaskSource<WebSocketMessage>
{
    private WebSocketCloseCode? _end;
    private PeerPulse _pulse = new(deadlines.Now);
    private WebSocketMessageKind _kind;     // of the message that was taken
    private bool _isReceiving;
    private bool _hasReplied;   // since output was last waited for
    private ManualResetValueTaskSourceCore<bool> _wait;
    private ReadAwaiter _read;      // the input that is waited for
    private CancellationToken _cancel;
    private Action? _onRead;

    /// <summary>Whether the end was received.</summary>
    public bool HasEnded => _end is not null;

    /// <summary>What came last: a message, a part of one, or the end.</summary>
    public WebSocketMessage Received => _end is { } code
        ? new WebSocketMessage(code)
        : new WebSocketMessage(_kind, protocol.Message, isLast: !protocol.IsBetweenParts);

    /// <summary>Waits for the next message, or the next part of one; after the end it brings the end again.</summary>
    public ValueTask<WebSocketMessage> ReceiveAsync(bool inParts, CancellationToken cancel) =>
        TryBegin(inParts, cancel, out short wait) ? new(Received) : new(this, wait);

    /// <summary>The same, which leaves it to the caller to look at what came.</summary>
    public ValueTask WaitAsync(bool inParts, CancellationToken cancel) =>
        TryBegin(inParts, cancel, out short wait) ? default : new(this, wait);

    void IValueTaskSource.GetResult(short token) => ((IValueTaskSource<WebSocketMessage>)this).GetResult(token);

    WebSocketMessage IValueTaskSource<WebSocketMessage>.GetResult(short token)
    {
        try
        {
            _wait.GetResult(token);
            return Received;
        }
        finally
        {
            Volatile.Write(ref _isReceiving, false);
        }
    }

    public ValueTaskSourceStatus GetStatus(short token) => _wait.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    /// <summary>Looks whether the peer is still there.</summary>
    public PulseCheck Tick(long now, WebSocketOptions options) => _pulse.Check(now, Volatile.Read(ref _isReceiving), options);

    // True where it is there already.
    private bool TryBegin(bool inParts, CancellationToken cancel, out short wait)
    {
        if (Interlocked.Exchange(ref _isReceiving, true))
            throw new InvalidOperationException("Somebody receives already.");
        _wait.Reset();
        wait = _wait.Version;
        try
        {
            lock (sender)
            {
                if (protocol.IsBetweenParts && !inParts && _end is null)
                    throw new InvalidOperationException("A message that comes in parts is unfinished.");
                protocol.IsInParts = inParts;
                protocol.ReleaseMessage();
            }

            _cancel = cancel;
            if (!TryReceive())
                return false;
        }
        catch (Exception e)
        {
            _wait.SetException(e);
            return false;
        }

        Volatile.Write(ref _isReceiving, false);
        return true;
    }

    // False where it waits: then the rest is for OnRead, which may have begun.
    private bool TryReceive()
    {
        while (_end is null)
        {
            if (MustWait(ReadAsync()))
                return false;
            if (TakeRead())
                break;
        }

        return true;
    }

    private bool MustWait(ValueTask<ReadResult> read)
    {
        _read = read.ConfigureAwait(false).GetAwaiter();
        if (_read.IsCompleted)
            return false;
        _read.UnsafeOnCompleted(_onRead ??= OnRead);
        return true;
    }

    // A peer that reads no pongs is not read either; one that is busy sending gets some time for them.
    private ValueTask<ReadResult> ReadAsync() =>
        _hasReplied && transport.Unsent > mostPongs ? FlushAndReadAsync() : transport.Input.ReadAsync(_cancel);

    private async ValueTask<ReadResult> FlushAndReadAsync()
    {
        await sender.FlushAsync(_cancel).ConfigureAwait(false);
        return await transport.Input.ReadAsync(_cancel).ConfigureAwait(false);
    }

    private void OnRead()
    {
        try
        {
            if (!TakeRead() && !TryReceive())
                return;
        }
        catch (Exception e)
        {
            _wait.SetException(e);
            return;
        }

        _wait.SetResult(true);
    }

    private bool TakeRead()
    {
        ReadAwaiter read = _read;
        _read = default;
        _hasReplied = false;
        return Take(read.GetResult());
    }

    private bool Take(in ReadResult read)
    {
        bool isTaken = Read(read);
        if (_hasReplied)
            sender.BeginFlush();
        return isTaken;
    }

    // False where there is neither a message nor the end yet.
    private bool Read(in ReadResult read)
    {
        ReadOnlySequence<byte> buffer = read.Buffer;
        if (!buffer.IsEmpty)
            _pulse.Hear(deadlines.Now);
        var reader = new SequenceReader<byte>(buffer);
        lock (sender)
        {
            while (true)
            {
                WebSocketEvent what = protocol.Read(ref reader, transport.Output, deadlines.Now);
                switch (what)
                {
                    case WebSocketEvent.TextMessage or WebSocketEvent.TextPart:
                        transport.Input.AdvanceTo(reader.Position);
                        _kind = WebSocketMessageKind.Text;
                        return true;
                    case WebSocketEvent.BinaryMessage or WebSocketEvent.BinaryPart:
                        transport.Input.AdvanceTo(reader.Position);
                        _kind = WebSocketMessageKind.Binary;
                        return true;
                    case WebSocketEvent.Ping:
                        _hasReplied = true;
                        break;
                    case WebSocketEvent.Pong:
                        break;
                    case WebSocketEvent.Close or WebSocketEvent.Failed:
                        transport.Input.AdvanceTo(reader.Position);
                        closing.Begin();
                        HttpInstruments.Broken(protocol.Broken);
                        _end = protocol.CloseCode;
                        return true;
                    case WebSocketEvent.None:
                        transport.Input.AdvanceTo(reader.Position, buffer.End);
                        if (read.IsCompleted || closing.HasExpired)
                            _end = WebSocketCloseCode.AbnormalClosure;
                        return HasEnded;
                    default:
                        throw new InvalidOperationException("Unknown event.");
                }
            }
        }
    }
}
