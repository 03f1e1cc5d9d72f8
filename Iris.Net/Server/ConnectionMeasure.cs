using Iris.Net.Diagnostics;

namespace Iris.Net.Server;

/// <summary>What one connection tells whoever listens.</summary>
internal readonly struct ConnectionMeasure
{
    private static long _last;

    private readonly bool _isCounted;   // listeners come and go

    private ConnectionMeasure(bool isUnix)
    {
        Number = Interlocked.Increment(ref _last);
        if (HttpInstruments.Connections.Enabled)
        {
            _isCounted = true;
            Count(isUnix, 1);
        }

        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.ConnectionStart(Number, TransportOf(isUnix));
    }

    /// <summary>Names the connection in events.</summary>
    public long Number { get; }

    public static ConnectionMeasure Begin(bool isUnix) => new(isUnix);

    public void End(bool isUnix)
    {
        if (_isCounted)
            Count(isUnix, -1);
        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.ConnectionStop(Number);
    }

    private static void Count(bool isUnix, int change) => HttpInstruments.Connections.Add(
        change, new KeyValuePair<string, object?>(HttpInstruments.Transport, TransportOf(isUnix)));

    private static string TransportOf(bool isUnix) => isUnix ? "unix" : "tcp";
}
