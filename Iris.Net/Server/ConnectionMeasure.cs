using Iris.Net.Diagnostics;
using Iris.Net.Transport;

namespace Iris.Net.Server;

/// <summary>What one connection tells whoever listens.</summary>
internal readonly struct ConnectionMeasure
{
    private static long _last;

    private readonly bool _isCounted;   // listeners come and go

    private ConnectionMeasure(Connection connection)
    {
        Number = Interlocked.Increment(ref _last);
        if (HttpInstruments.Connections.Enabled)
        {
            _isCounted = true;
            Count(connection, 1);
        }

        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.ConnectionStart(Number, TransportOf(connection));
    }

    /// <summary>Names the connection in events.</summary>
    public long Number { get; }

    public static ConnectionMeasure Begin(Connection connection) => new(connection);

    public void End(Connection connection)
    {
        if (_isCounted)
            Count(connection, -1);
        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.ConnectionStop(Number);
    }

    private static void Count(Connection connection, int change) => HttpInstruments.Connections.Add(
        change, new KeyValuePair<string, object?>(HttpInstruments.Transport, TransportOf(connection)));

    private static string TransportOf(Connection connection) => connection.IsUnix ? "unix" : "tcp";
}
