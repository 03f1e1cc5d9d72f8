using System.Diagnostics.Metrics;
using Iris.Net.Diagnostics;

namespace Iris.Net.Endpoints;

/// <summary>What is measured of refusals.</summary>
internal static class RefusalInstruments
{
    private static readonly Counter<long> Refusals = Telemetry.Meter.CreateCounter<long>(
        "iris.refusals", "{refusal}", "What clients were refused, by code.");

    public static void Refused(RefusalCode code)
    {
        if (Refusals.Enabled)
            Refusals.Add(1, new KeyValuePair<string, object?>("iris.refusal.code", RefusalText.CodeOf(code)));
        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.Refused(RefusalText.CodeOf(code));
    }
}
