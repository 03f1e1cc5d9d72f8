using System.Buffers;
using System.IO.Pipelines;
using Iris.Net.Diagnostics;
using Iris.Net.Http;
using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>One connection's requests, one after the other (RFC 9112 section 9.3). While a handler runs, nobody reads ahead.</summary>
internal sealed class HttpConnection(HttpServer server, Connection transport) : TimedConnection(server, transport)
{
    private readonly ConnectionMeasure _measure = ConnectionMeasure.Begin(transport);
    private HttpExchange? _exchange;
    private WebSocketConnection? _webSocket;

    private enum Step
    {
        Wait,
        Serve,
        Refuse,
        End,
    }

    /// <summary>The exchange that every request of the connection uses.</summary>
    public HttpExchange Exchange => _exchange ??= new HttpExchange(this);

    /// <summary>Names the connection in events.</summary>
    public long Number => _measure.Number;

    /// <summary>Whether the connection is counted as a WebSocket.</summary>
    public bool IsWebSocket { get; set; }

    /// <summary>Whether another request may follow this one.</summary>
    public bool IsPersistent { get; set; }

    protected override long BodyReceived => Exchange.Content.Received;

    protected override TimeSpan DrainTimeout => _webSocket?.Options.CloseTimeout ?? base.DrainTimeout;

    private PipeReader Input => Transport.Input;

    /// <summary>Serves the connection to its end. It never throws.</summary>
    public async Task RunAsync()
    {
        bool isAnswered = false;     // what the peer has been told must reach it
        try
        {
            isAnswered = await ServeAsync().ConfigureAwait(false);
            if (_webSocket is { } socket)
            {
                Exception? failure = null;
                try
                {
                    await socket.HandleAsync(Disconnected).ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    failure = e;
                }

                await socket.EndAsync(failure).ConfigureAwait(false);
            }
        }
        catch (IOException)
        {
            // The peer is gone.
            isAnswered = false;
        }
        catch (Exception e)
        {
            Server.Report(e);
            Abort();
        }
        finally
        {
            await CloseAsync(isAnswered).ConfigureAwait(false);
        }
    }

    public override void CloseWhereIdle()
    {
        base.CloseWhereIdle();
        _webSocket?.CloseWhereIdle();
    }

    public override void GoAway()
    {
        if (_webSocket is { } socket)
            socket.GoAway();
        else
            base.GoAway();
    }

    public override void Tick(long now)
    {
        base.Tick(now);
        _webSocket?.Tick(now);
    }

    // False where the peer left without a word.
    private async ValueTask<bool> ServeAsync()
    {
        if (!Server.TryAdd(this))
        {
            await Responder.RefuseAsync(Exchange, RejectionReason.TooManyConnections).ConfigureAwait(false);
            return true;
        }

        Wait wait = Wait.FirstByte;
        do
        {
            Await(wait);
            if (Server.IsStopping)
                CloseWhereIdle();
            ReadResult read = await Input.ReadAsync().ConfigureAwait(false);
            switch (Judge(read, EndWait(), ref wait, out RejectionReason why))
            {
                case Step.Serve:
                    if (await Responder.ServeAsync(this).ConfigureAwait(false) is { } upgrade)
                        BecomeWebSocket(upgrade);
                    wait = Wait.NextRequest;
                    break;
                case Step.Refuse:
                    await Responder.RefuseAsync(Exchange, why).ConfigureAwait(false);
                    return true;
                case Step.End:
                    return false;
                case Step.Wait:
                    break;
            }
        }
        while (wait != Wait.NextRequest || IsPersistent);
        return true;
    }

    private Step Judge(in ReadResult read, Wait expired, ref Wait wait, out RejectionReason why)
    {
        ReadOnlySequence<byte> buffer = read.Buffer;
        why = RejectionReason.None;
        if (expired != Wait.None)
        {
            Input.AdvanceTo(buffer.End);
            why = RejectionReason.RequestHeadTimeout;
            if (expired != Wait.Head && !Server.IsStopping)
                Telemetry.Breached(NameOf(expired));
            return expired == Wait.Head ? Step.Refuse : Step.End;
        }

        if (wait != Wait.Head && !buffer.IsEmpty)
            BeginRequest();
        OperationStatus status = OperationStatus.NeedMoreData;
        if (wait != Wait.Head || read.IsCompleted || RequestHeadReader.CanDecide(buffer, Exchange.Head))
        {
            var reader = new SequenceReader<byte>(buffer);
            status = RequestHeadReader.TryRead(ref reader, Server.HeadLimits, Exchange.Head, out why);
            if (status == OperationStatus.Done)
                Input.AdvanceTo(reader.Position);
        }

        switch (status)
        {
            case OperationStatus.Done:
                return Step.Serve;
            case OperationStatus.NeedMoreData:
                Input.AdvanceTo(buffer.Start, buffer.End);
                if (!buffer.IsEmpty)
                    wait = Wait.Head;
                if (!read.IsCompleted)
                    return Step.Wait;
                why = RejectionReason.IncompleteRequest;
                return buffer.IsEmpty || Transport.IsAborted ? Step.End : Step.Refuse;
            default:
                Input.AdvanceTo(buffer.End);
                return Step.Refuse;
        }
    }

    private static string NameOf(Wait idle) =>
        idle == Wait.FirstByte ? nameof(HttpServerLimits.FirstByteTimeout) : nameof(HttpServerLimits.KeepAliveTimeout);

    // A WebSocket may live long, and needs no exchange.
    private void BecomeWebSocket(WebSocketUpgrade upgrade)
    {
        IsPersistent = false;
        _exchange = null;
        _webSocket = new WebSocketConnection(this, upgrade);
    }

    private async ValueTask CloseAsync(bool isAnswered)
    {
        try
        {
            if (isAnswered && !Transport.IsAborted)
                await DrainAsync().ConfigureAwait(false);
            Server.Remove(this);
            _measure.End(Transport);
            _exchange?.Head.Clear();
            await Transport.DisposeAsync().ConfigureAwait(false);
            await TellDisconnectedAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Server.Report(e);
            Abort();
        }
    }

    // Input that nobody read would turn the close into a reset, which overtakes the answer: RFC 9112 section 9.6.
    private async ValueTask DrainAsync()
    {
        Transport.ShutdownSend();
        Await(Wait.End);
        long drained = 0, most = _webSocket?.Options.MaxCloseDrain ?? Server.Options.Limits.MaxDrain;
        while (drained <= most)
        {
            ReadResult read = await Input.ReadAsync().ConfigureAwait(false);
            drained += read.Buffer.Length;
            Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted || read.IsCanceled)
                break;
        }

        EndWait();
    }
}
