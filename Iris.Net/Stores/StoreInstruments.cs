using System.Diagnostics.Metrics;
using Iris.Net.Diagnostics;

namespace Iris.Net.Stores;

/// <summary>What is measured of the stores.</summary>
internal static class StoreInstruments
{
    private static readonly Counter<long> Evictions = Telemetry.Meter.CreateCounter<long>(
        "iris.store.evictions", "{session}", "Sessions that went from memory: they made room, or were not used for a day.");

    private static readonly Counter<long> Syncs = Telemetry.Meter.CreateCounter<long>(
        "iris.store.syncs", "{sync}", "Syncs of the log in files; one answers every turn that waits for the disk.");

    public static void Synced() => Syncs.Add(1);

    public static void Evicted() => Evictions.Add(1);
}
