using Iris.Net.Diagnostics;
using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>A connection with its deadlines: how long its peer may take to send, and to take what is sent.</summary>
internal abstract class TimedConnection(HttpServer server, Connection transport) : Timed, IPeer
{
    private readonly HttpServerLimits _limits = server.Options.Limits;
    private ConnectionDeadline _deadline;
    private CancellationTokenSource? _disconnected;
    private long _lastSent;
    private long _stalledSince;
    private int _slowTicks;

    public HttpServer Server => server;

    public Connection Transport => transport;

    /// <inheritdoc/>
    public Wait WaitsFor => _deadline.Get().For;

    /// <summary>Whether the wait for a body expired because too little of it came.</summary>
    public bool BodyWasSlow { get; private set; }

    /// <summary>Cancelled once the connection is known to be gone.</summary>
    public CancellationToken Disconnected
    {
        get
        {
            if (_disconnected is null)
            {
                Volatile.Write(ref _disconnected, new CancellationTokenSource());
                if (transport.IsAborted)
                    _ = _disconnected.CancelAsync();
            }

            return _disconnected.Token;
        }
    }

    /// <summary>Bytes of the body that is being read. Anybody may ask.</summary>
    public abstract long BodyReceived { get; }

    /// <summary>How long input is read away at the end.</summary>
    protected virtual TimeSpan DrainTimeout => _limits.DrainTimeout;

    /// <summary>When the request began.</summary>
    protected long RequestStart { get; private set; }

    /// <summary>Leaves out the connection's own token: its end ends every wait in any case, and a registration costs memory for as
    /// long as a connection is idle.</summary>
    public CancellationToken Beside(CancellationToken cancel) =>
        _disconnected is { } disconnected && cancel == disconnected.Token ? CancellationToken.None : cancel;

    /// <summary>Begins a wait for the peer.</summary>
    public void Await(Wait wait)
    {
        BodyWasSlow = false;
        (long start, TimeSpan timeout) = wait switch
        {
            Wait.FirstByte => (server.Deadlines.Now, _limits.FirstByteTimeout),
            Wait.NextRequest => (server.Deadlines.Now, _limits.KeepAliveTimeout),
            Wait.Head => (RequestStart, _limits.RequestHeadersTimeout),
            Wait.Body => (RequestStart, _limits.RequestTimeout),
            _ => (server.Deadlines.Now, DrainTimeout),
        };
        _deadline.Set(wait, Deadlines.After(start, timeout));
    }

    /// <summary>Ends the wait; tells which one had expired.</summary>
    public Wait EndWait() => _deadline.Clear();

    /// <inheritdoc/>
    public virtual void CloseWhereIdle()
    {
        (Wait For, long Until) wait = _deadline.Get();
        if (wait.For is Wait.FirstByte or Wait.NextRequest)
            Expire(wait);
    }

    /// <inheritdoc/>
    public virtual void GoAway() => Abort();

    /// <inheritdoc/>
    public void Abort()
    {
        transport.Abort();
        _ = _disconnected?.CancelAsync();
    }

    public override void Tick(long now)
    {
        if (!transport.IsSending || transport.Sent != _lastSent)
            (_lastSent, _stalledSince) = (transport.Sent, now);
        else if (now - _stalledSince >= _limits.ResponseStallTimeout.TotalMilliseconds && !transport.IsAborted)
        {
            Telemetry.Breached(nameof(HttpServerLimits.ResponseStallTimeout));
            Abort();
        }

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
    }

    /// <summary>A request has begun to arrive.</summary>
    /// <param name="start">When.</param>
    protected void BeginRequest(long start)
    {
        RequestStart = start;
        _slowTicks = 0;
    }

    /// <summary>Tells whoever is still at work for the peer that it is gone.</summary>
    protected Task TellDisconnectedAsync() => _disconnected?.CancelAsync() ?? Task.CompletedTask;

    private void Expire((Wait For, long Until) wait)
    {
        if (_deadline.TryExpire(wait))
            transport.Input.CancelPendingRead();
    }

    // Only the time counts in which the server waits for the body.
    private bool IsBodySlow()
    {
        double seconds = ++_slowTicks * Deadlines.Interval.TotalSeconds;
        return seconds > _limits.BodyRateGrace.TotalSeconds && BodyReceived < seconds * _limits.MinRequestBodyDataRate;
    }
}
