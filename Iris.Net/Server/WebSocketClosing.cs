using Iris.Net.Diagnostics;
using Iris.Net.Transport;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>A WebSocket's closing handshake and its time (RFC 6455 section 7).</summary>
internal sealed class WebSocketClosing(WebSocketSender sender, Deadlines deadlines)
{
    private const long NotYet = -1;
    private long _since = NotYet;

    /// <summary>Whether the peer had its time to answer our close, or we had ours to answer the peer's.</summary>
    public bool HasExpired { get; private set; }

    /// <summary>One side has closed, or the peer broke a rule.</summary>
    public void Begin() => Interlocked.CompareExchange(ref _since, deadlines.Now, NotYet);

    /// <summary>Closes, and waits until the system took it.</summary>
    public ValueTask CloseAsync(WebSocketCloseCode code, string reason, CancellationToken cancel)
    {
        if (sender.TryQueueClose(code, reason))
            Begin();
        return sender.FlushAsync(cancel);
    }

    /// <summary>Closes without waiting.</summary>
    public void CloseSoon(WebSocketCloseCode code)
    {
        if (!sender.TryQueueClose(code, ""))
            return;
        Begin();
        sender.BeginFlush();
    }

    /// <summary>Looks at the clock; false where nobody closes yet.</summary>
    public bool Tick(long now, TimeSpan timeout)
    {
        long since = Volatile.Read(ref _since);
        if (since == NotYet)
            return false;
        if (now - since >= timeout.TotalMilliseconds)
        {
            if (!HasExpired)
                Telemetry.Breached("WebSocketCloseTimeout");
            CloseSoon(WebSocketCloseCode.NormalClosure);
            HasExpired = true;
        }

        return true;
    }
}
