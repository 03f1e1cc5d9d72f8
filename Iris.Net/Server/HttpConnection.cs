using System.Buffers;
using System.IO.Pipelines;
using Iris.Net.Diagnostics;
using Iris.Net.Http;
using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>One connection's requests, one after the other (RFC 9112 section 9.3). While a handler runs, nobody reads ahead.</summary>
internal sealed class HttpConnection(HttpServer server, Connection transport, ConnectionMeasure measure)
    : TimedConnection(server, transport)
{
    private readonly ConnectionMeasure _measure = measure;
    private HttpExchange? _exchange;
    private WebSocketConnection? _webSocket;

    private enum Step
    {
        Wait,
        Serve,
        Refuse,
        End,
    }

    /// <summary>The exchange that every request of the connection uses. Only for whoever serves the connection: the first to ask
    /// makes it.</summary>
    public HttpExchange Exchange => _exchange ??= new HttpExchange(this, new RequestHead());

    /// <summary>Names the connection in events.</summary>
    public long Number => _measure.Number;

    /// <summary>Whether the connection is counted as a WebSocket.</summary>
    public bool IsWebSocket { get; set; }

    /// <summary>Whether another request may follow this one.</summary>
    public bool IsPersistent { get; set; }

    /// <inheritdoc/>
    public override long BodyReceived => _exchange?.Content.Received ?? 0;

    protected override TimeSpan DrainTimeout => _webSocket?.Options.CloseTimeout ?? base.DrainTimeout;

    private PipeReader Input => Transport.Input;

    /// <summary>Serves a connection from its first byte to its end. It never throws.</summary>
    public Task RunAsync() => Server.TryAdd(this)
        ? RunAsync(Step.Wait, RejectionReason.None, Wait.FirstByte)
        : RunAsync(Step.Refuse, RejectionReason.TooManyConnections, Wait.FirstByte);

    /// <summary>Serves a connection, whose first request has begun, to its end. It never throws.</summary>
    /// <param name="head">What was read of its head.</param>
    /// <param name="status">How that ended.</param>
    /// <param name="why">Why it is refused.</param>
    /// <param name="start">When it began.</param>
    public Task RunAsync(RequestHead head, OperationStatus status, RejectionReason why, long start)
    {
        _exchange = new HttpExchange(this, head);
        BeginRequest(start);
        return RunAsync(StepAfter(status), why, Wait.Head);
    }

    private async Task RunAsync(Step step, RejectionReason why, Wait wait)
    {
        bool isAnswered = false;     // what the peer has been told must reach it
        try
        {
            isAnswered = await ServeAsync(step, why, wait).ConfigureAwait(false);
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
    private async ValueTask<bool> ServeAsync(Step step, RejectionReason why, Wait wait)
    {
        while (true)
        {
            switch (step)
            {
                case Step.Serve:
                    if (await Responder.ServeAsync(this).ConfigureAwait(false) is { } upgrade)
                        BecomeWebSocket(upgrade);
                    if (!IsPersistent)
                        return true;
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

            Await(wait);
            if (Server.IsStopping)
                CloseWhereIdle();
            ReadResult read = await Input.ReadAsync().ConfigureAwait(false);
            step = Judge(read, EndWait(), ref wait, out why);
        }
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
            BeginRequest(Server.Deadlines.Now);
        OperationStatus status = RequestHeadReader.TryContinue(
            buffer, read.IsCompleted, Server.HeadLimits, Exchange.Head, out long consumed, out why);
        switch (status)
        {
            case OperationStatus.Done:
                Input.AdvanceTo(buffer.GetPosition(consumed));
                break;
            case OperationStatus.NeedMoreData:
                Input.AdvanceTo(buffer.Start, buffer.End);
                if (!buffer.IsEmpty)
                    wait = Wait.Head;
                if (!read.IsCompleted)
                    break;
                why = RejectionReason.IncompleteRequest;
                return buffer.IsEmpty || Transport.IsAborted ? Step.End : Step.Refuse;
            default:
                Input.AdvanceTo(buffer.End);
                break;
        }

        return StepAfter(status);
    }

    private static Step StepAfter(OperationStatus status) => status switch
    {
        OperationStatus.Done => Step.Serve,
        OperationStatus.NeedMoreData => Step.Wait,
        _ => Step.Refuse,
    };

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
            _measure.End(Transport.IsUnix);
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
