using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Iris.Net.Diagnostics;

/// <summary>The one meter and the one source of spans, and what every floor counts. Nothing that is told names a secret:
/// no token, no body, no field value, no path.</summary>
internal static class Telemetry
{
    public const string Name = "Iris.Net";

    private static readonly string? LibraryVersion = typeof(Telemetry).Assembly.GetName().Version?.ToString(3);
    private static readonly Counter<long> Breaches;

    static Telemetry()
    {
        Meter = new Meter(Name, LibraryVersion);
        Source = new ActivitySource(Name, LibraryVersion);
        Breaches = Meter.CreateCounter<long>("iris.limit.breaches", "{breach}", "How often a client ran into a limit.");
    }

    public static Meter Meter { get; }

    public static ActivitySource Source { get; }

    /// <summary>Counts that a limit cut something off.</summary>
    /// <param name="limit">Its name, as the options or the documents give it.</param>
    public static void Breached(string limit)
    {
        if (Breaches.Enabled)
            Breaches.Add(1, new KeyValuePair<string, object?>("iris.limit", limit));
        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.LimitBreached(limit);
    }
}
