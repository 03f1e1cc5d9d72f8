using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Iris.Net.Http;
using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>One connection's requests, one after the other (RFC 9112 section 9.3). While a handler runs, nobody reads ahead.</summary>
internal sealed class HttpConnection : Timed
{
    private readonly HttpServerLimits _limits;
    private ConnectionDeadline _deadline;
    private CancellationTokenSource? _disconnected;
    private long _requestStart;
    private long _lastSent;
    private long _stalledSince;
    private int _slowTicks;
    private WebSocketConnection? _webSocket;

    public HttpConnection(HttpServer server, Connection transport)
    {
        Server = server;
        Transport = transport;
        _limits = server.Options.Limits;
        Exchange = new HttpExchange(this);
    }

    private enum Step
    {
        Wait,
        Serve,
        Refuse,
        End,
    }

    public HttpServer Server { get; }

    public Connection Transport { get; }

    public HttpExchange Exchange { get; private set; }

    /// <summary>Whether another request may follow this one.</summary>
    public bool IsPersistent { get; set; }

    /// <summary>Whether the wait for a body expired because too little of it came.</summary>
    public bool BodyWasSlow { get; private set; }

    /// <summary>What the connection waits for from its peer.</summary>
    public Wait WaitsFor => _deadline.Get().For;

    private PipeReader Input => Transport.Input;

    public async Task RunAsync()
    {
        bool drain = true;
        try
        {
            if (!Server.TryAdd(this))
            {
                await RefuseAsync(RejectionReason.TooManyConnections, isHeadRead: false).ConfigureAwait(false);
                return;
            }

            Wait wait = Wait.FirstByte;
            while (true)
            {
                Await(wait);
                if (Server.IsStopping)
                    CloseWhereIdle();
                ReadResult read = await Input.ReadAsync().ConfigureAwait(false);
                Step step = Judge(read, EndWait(), ref wait, out RejectionReason why);
                if (step == Step.Serve)
                {
                    await ServeAsync().ConfigureAwait(false);
                    wait = Wait.NextRequest;
                    if (_webSocket is not null)
                        await _webSocket.RunAsync(_disconnected!.Token).ConfigureAwait(false);
                    if (!IsPersistent)
                        return;
                }
                else if (step == Step.Refuse)
                {
                    await RefuseAsync(why, isHeadRead: false).ConfigureAwait(false);
                    return;
                }
                else if (step == Step.End)
                {
                    drain = false;
                    return;
                }
            }
        }
        catch (IOException)
        {
            // The peer is gone.
            drain = false;
        }
        catch (Exception e)
        {
            Server.Report(e);
            Abort();
        }
        finally
        {
            await CloseAsync(drain).ConfigureAwait(false);
        }
    }

    /// <summary>Leaves out the connection's own token: its end ends every wait in any case, and a registration costs memory for as
    /// long as a connection is idle.</summary>
    public CancellationToken Beside(CancellationToken cancel) =>
        _disconnected is { } disconnected && cancel == disconnected.Token ? CancellationToken.None : cancel;

    /// <summary>Begins a wait for the peer.</summary>
    public void Await(Wait wait)
    {
        long now = Server.Deadlines.Now;
        BodyWasSlow = false;
        _deadline.Set(wait, wait switch
        {
            Wait.FirstByte => Deadlines.After(now, _limits.FirstByteTimeout),
            Wait.NextRequest => Deadlines.After(now, _limits.KeepAliveTimeout),
            Wait.Head => Deadlines.After(_requestStart, _limits.RequestHeadersTimeout),
            Wait.Body => Deadlines.After(_requestStart, _limits.RequestTimeout),
            _ => Deadlines.After(now, _limits.DrainTimeout),
        });
    }

    /// <summary>Ends the wait; tells which one had expired.</summary>
    public Wait EndWait() => _deadline.Clear();

    /// <summary>Closes the connection where it is between two requests.</summary>
    public void CloseWhereIdle()
    {
        (Wait For, long Until) wait = _deadline.Get();
        if (wait.For is Wait.FirstByte or Wait.NextRequest)
            Expire(wait);
        _webSocket?.CloseWhereIdle();
    }

    /// <summary>Ends the connection at the end of a stopping server's grace; a WebSocket is told so first.</summary>
    public void GoAway()
    {
        if (_webSocket is { } socket)
            socket.GoAway();
        else
            Abort();
    }

    public void Abort()
    {
        Transport.Abort();
        _ = _disconnected?.CancelAsync();
    }

    public override void Tick(long now)
    {
        if (!Transport.IsSending || Transport.Sent != _lastSent)
            (_lastSent, _stalledSince) = (Transport.Sent, now);
        else if (now - _stalledSince >= _limits.ResponseStallTimeout.TotalMilliseconds)
            Abort();

        (Wait For, long Until) wait = _deadline.Get();
        if (wait.For == Wait.Body && IsBodySlow())
        {
            BodyWasSlow = true;
            Expire(wait);
        }
        else if (wait.For != Wait.None && now >= wait.Until)
        {
            Expire(wait);
        }

        _webSocket?.Tick(now);
    }

    private void Expire((Wait For, long Until) wait)
    {
        if (_deadline.TryExpire(wait))
            Input.CancelPendingRead();
    }

    // Only the time counts in which the server waits for the body.
    private bool IsBodySlow()
    {
        double seconds = ++_slowTicks * Deadlines.Interval.TotalSeconds;
        return seconds > _limits.BodyRateGrace.TotalSeconds
            && Exchange.Content.Received < seconds * _limits.MinRequestBodyDataRate;
    }

    private Step Judge(in ReadResult read, Wait expired, ref Wait wait, out RejectionReason why)
    {
        ReadOnlySequence<byte> buffer = read.Buffer;
        RequestHead head = Exchange.Head;
        why = RejectionReason.None;
        if (expired != Wait.None)
        {
            Input.AdvanceTo(buffer.End);
            why = RejectionReason.RequestHeadTimeout;
            return expired == Wait.Head ? Step.Refuse : Step.End;
        }

        OperationStatus status = OperationStatus.NeedMoreData;
        if (wait != Wait.Head || read.IsCompleted || RequestHeadReader.CanDecide(buffer, head))
        {
            var reader = new SequenceReader<byte>(buffer);
            status = RequestHeadReader.TryRead(ref reader, Server.HeadLimits, head, out why);
            if (status == OperationStatus.Done)
                Input.AdvanceTo(reader.Position);
        }

        if (wait != Wait.Head && !buffer.IsEmpty)
            _requestStart = Server.Deadlines.Now;
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

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ServeAsync()
    {
        HttpExchange exchange = Exchange;
        RequestHead head = exchange.Head;
        IsPersistent = KeepAlive.IsPersistent(head);
        _slowTicks = 0;
        RejectionReason why = BodyFraming.TryDetermine(head, out BodyFraming framing);
        bool awaitsContinue = false;
        if (why == RejectionReason.None)
            why = Expectation.TryDetermine(head, out awaitsContinue);
        if (why != RejectionReason.None)
        {
            await RefuseAsync(why, isHeadRead: true).ConfigureAwait(false);
            return;
        }

        exchange.Content.Begin(framing, awaitsContinue);
        exchange.Begin();
        try
        {
            if (await AnswerAsync(exchange).ConfigureAwait(false) is { } upgrade)
                BecomeWebSocket(upgrade);
            else
                await CompleteAsync(exchange).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            await FailAsync(exchange, e).ConfigureAwait(false);
        }
        finally
        {
            exchange.End();
        }
    }

    // Gives the WebSocket that the request became, if it did.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<WebSocketUpgrade?> AnswerAsync(HttpExchange exchange)
    {
        CancellationToken disconnected = (_disconnected ??= new CancellationTokenSource()).Token;
        exchange.Request.Begin();
        WebSocketRoute? route = null;
        HttpHandler? handler = null;
        if (exchange.Request.IsWebSocketUpgrade)
            route = Server.Router.FindWebSocket(exchange.Head, exchange.Route);
        else
            handler = Server.Router.Find(exchange.Head, exchange.Route);

        if (Server.Options.Before is { } before)
        {
            await CallAsync(before, exchange, disconnected).ConfigureAwait(false);
            if (exchange.Response.HasStarted)
                return null;
        }

        if (handler is null)
            return await WebSocketUpgrade.TryAcceptAsync(exchange, route).ConfigureAwait(false);
        await CallAsync(handler, exchange, disconnected).ConfigureAwait(false);
        return null;
    }

    private ValueTask CallAsync(HttpHandler handler, HttpExchange exchange, CancellationToken disconnected)
    {
        using (Transport.Enter())
            return handler(exchange, disconnected);
    }

    // A handler may have left to the server what is always the same.
    private ValueTask CompleteAsync(HttpExchange exchange)
    {
        HttpResponse response = exchange.Response;
        RequestBodyReader content = exchange.Content;
        return response is { HasStarted: true, Streaming: null } && content.IsAtEnd && !Transport.IsSending
            ? default
            : CompleteSlowlyAsync(response, content);
    }

    private async ValueTask CompleteSlowlyAsync(HttpResponse response, RequestBodyReader content)
    {
        if (!response.HasStarted && content.Rejection != RejectionReason.None)
        {
            await response.RejectAsync(content.Rejection, Exchange.Request).ConfigureAwait(false);
            return;
        }

        if (!response.HasStarted)
            await response.SendAsync(default(ReadOnlySpan<byte>)).ConfigureAwait(false);
        else if (Transport.IsSending)
            throw new InvalidOperationException("A handler returned before its send ended.");
        else if (response.Streaming is { } body)
            await body.CompleteAsync().ConfigureAwait(false);
        if (IsPersistent)
            IsPersistent = await content.DrainAsync().ConfigureAwait(false);
    }

    // Where the answer has begun, only the connection's end can tell the client that it failed.
    private async ValueTask FailAsync(HttpExchange exchange, Exception e)
    {
        IsPersistent = false;
        if (!Transport.IsAborted)
            Server.Report(e);
        if (exchange.Response.HasStarted || Transport.IsAborted)
            Abort();
        else
            await exchange.Response.RejectAsync(RejectionReason.InternalError, exchange.Request).ConfigureAwait(false);
    }

    private async ValueTask RefuseAsync(RejectionReason why, bool isHeadRead)
    {
        IsPersistent = false;
        Exchange.Content.Begin(BodyFraming.None, awaitsContinue: false);
        Exchange.Begin();
        try
        {
            if (isHeadRead)
                Exchange.Request.Begin();
            await Exchange.Response.RejectAsync(why, isHeadRead ? Exchange.Request : null).ConfigureAwait(false);
        }
        finally
        {
            Exchange.End();
        }
    }

    private void BecomeWebSocket(WebSocketUpgrade upgrade)
    {
        IsPersistent = false;
        Exchange = null!;       // a WebSocket may live long, and needs none
        _webSocket = new WebSocketConnection(this, upgrade);
        if (Server.IsStopping)
            _webSocket.CloseWhereIdle();
    }

    private async ValueTask CloseAsync(bool drain)
    {
        if (drain && !Transport.IsAborted)
            await DrainAsync().ConfigureAwait(false);
        Server.Remove(this);
        Exchange?.Head.Clear();
        await Transport.DisposeAsync().ConfigureAwait(false);
        if (_disconnected is not null)
            await _disconnected.CancelAsync().ConfigureAwait(false);
    }

    // Input that nobody read would turn the close into a reset, which overtakes the answer: RFC 9112 section 9.6.
    private async ValueTask DrainAsync()
    {
        Transport.ShutdownSend();
        long drained = 0;
        Await(Wait.End);
        while (drained <= _limits.MaxDrain)
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
