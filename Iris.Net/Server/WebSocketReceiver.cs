using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Iris.Net.Transport;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>What comes in over a WebSocket: messages are handed on, pings are answered, the end is kept.</summary>
/// <param name="transport">The peer.</param>
/// <param name="protocol">Reads the frames.</param>
/// <param name="sender">Takes the pongs.</param>
/// <param name="closing">Hears of the peer's close.</param>
/// <param name="gate">Over the protocol and the output.</param>
/// <param name="deadlines">The clock.</param>
/// <param name="mostPongs">How many bytes may wait to be sent before pings are read no further.</param>
internal sealed class WebSocketReceiver(
    Connection transport, WebSocketProtocol protocol, WebSocketSender sender, WebSocketClosing closing, Lock gate, Deadlines deadlines,
    long mostPongs)
{
    private WebSocketCloseCode? _end;
    private PeerPulse _pulse = new(deadlines.Now);
    private WebSocketMessageKind _kind;     // of the message that was taken
    private bool _isReceiving;
    private bool _hasReplied;   // since output was last waited for

    /// <summary>Whether the end was received.</summary>
    public bool HasEnded => _end is not null;

    /// <summary>Waits for the next message, or the next part of one; after the end it brings the end again.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<WebSocketMessage> ReceiveAsync(bool inParts, CancellationToken cancel)
    {
        if (Interlocked.Exchange(ref _isReceiving, true))
            throw new InvalidOperationException("Somebody receives already.");
        try
        {
            lock (gate)
            {
                if (protocol.IsBetweenParts && !inParts && _end is null)
                    throw new InvalidOperationException("A message that comes in parts is unfinished.");
                protocol.IsInParts = inParts;
                protocol.ReleaseMessage();
            }

            while (_end is null)
            {
                // A peer that reads no pongs is not read either; one that is busy sending gets some time for them.
                if (_hasReplied && transport.Unsent > mostPongs)
                    await sender.FlushAsync(cancel).ConfigureAwait(false);
                _hasReplied = false;
                if (Take(await transport.Input.ReadAsync(cancel).ConfigureAwait(false)))
                    break;
            }

            return _end is { } code
                ? new WebSocketMessage(code)
                : new WebSocketMessage(_kind, protocol.Message, isLast: !protocol.IsBetweenParts);
        }
        finally
        {
            Volatile.Write(ref _isReceiving, false);
        }
    }

    /// <summary>Looks whether the peer is still there.</summary>
    public PulseCheck Tick(long now, WebSocketOptions options) => _pulse.Check(now, Volatile.Read(ref _isReceiving), options);

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
        lock (gate)
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
