using System.Diagnostics.Metrics;
using Iris.Net.Diagnostics;

namespace Iris.Net.Stores;

/// <summary>What is measured of the store in memory.</summary>
internal static class StoreInstruments
{
    private static readonly Counter<long> Evictions = Telemetry.Meter.CreateCounter<long>(
        "iris.store.evictions", "{session}", "Sessions that went from memory: they made room, or were not used for a day.");

    public static void Evicted() => Evictions.Add(1);
}
