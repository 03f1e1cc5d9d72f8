using System.Diagnostics;
using System.Diagnostics.Metrics;
using Iris.Net.Diagnostics;

namespace Iris.Net.Sessions;

/// <summary>What is measured of turns. A session is named by its digest alone.</summary>
internal static class SessionInstruments
{
    private const string Outcome = "iris.turn.outcome", AbortedFor = "iris.turn.abort_reason", Error = "error.type";

    private static readonly Counter<long> Turns = Telemetry.Meter.CreateCounter<long>(
        "iris.turns", "{turn}", "Attempts at turns that ended, by outcome.");

    private static readonly Histogram<double> Duration = Telemetry.Meter.CreateHistogram(
        "iris.turn.duration", "s", "Duration of attempts at turns.", tags: null, new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900],
        });

    private static readonly UpDownCounter<long> Running = Telemetry.Meter.CreateUpDownCounter<long>(
        "iris.active_turns", "{turn}", "Attempts at turns that run.");

    /// <summary>Where the caller's span is needed: one of a program begins on another thread.</summary>
    public static ActivityContext Caller => Telemetry.Source.HasListeners() ? Activity.Current?.Context ?? default : default;

    /// <summary>Counts a turn in; true where it is to be counted out.</summary>
    public static bool Begin(RunningTurn turn)
    {
        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.TurnStart(SessionDigest.Of(turn.SessionId.Value), turn.Number, turn.Attempt);
        if (!Running.Enabled)
            return false;
        Running.Add(1);
        return true;
    }

    /// <summary>Begins the turn's span, which the program then has as its current one; null where nobody wants it.</summary>
    public static Activity? StartSpan(RunningTurn turn, ActivityContext parent)
    {
        if (!Telemetry.Source.HasListeners())
            return null;
        Activity? span = Telemetry.Source.StartActivity("iris.turn", ActivityKind.Internal, parent);
        if (span is { IsAllDataRequested: true })
            span.SetTag("iris.session", SessionDigest.Of(turn.SessionId.Value))
                .SetTag("iris.turn.number", turn.Number)
                .SetTag("iris.turn.attempt", turn.Attempt);
        return span;
    }

    /// <summary>Tells how a turn ended.</summary>
    public static void End(RunningTurn turn, TurnEnd end, bool isCounted, Activity? span, TimeSpan elapsed)
    {
        if (isCounted)
            Running.Add(-1);
        string outcome = NameOf(end.Status);
        if (Turns.Enabled || Duration.Enabled)
        {
            TagList tags = new() { { Outcome, outcome } };
            if (end.Status == TurnStatus.Aborted)
                tags.Add(AbortedFor, NameOf(end.Reason));
            if (end.Error is { } error)
                tags.Add(Error, error.GetType().FullName);
            Turns.Add(1, tags);
            Duration.Record(elapsed.TotalSeconds, tags);
        }

        if (end.Reason == AbortReason.Timeout)
            Telemetry.Breached(nameof(SessionSettings.TurnTimeout));
        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.TurnStop(SessionDigest.Of(turn.SessionId.Value), turn.Number, outcome, elapsed.TotalMilliseconds);
        if (span is null)
            return;
        span.SetTag(Outcome, outcome);
        if (end.Status == TurnStatus.Aborted)
            span.SetTag(AbortedFor, NameOf(end.Reason));
        if (end.IsError)
            span.SetTag(Error, end.Error?.GetType().FullName ?? outcome).SetStatus(ActivityStatusCode.Error);
        span.Dispose();
    }

    private static string NameOf(TurnStatus status) => status switch
    {
        TurnStatus.Finished => "finished",
        TurnStatus.Parked => "parked",
        TurnStatus.Contended => "contended",
        TurnStatus.Aborted => "aborted",
        TurnStatus.Failed => "failed",
        TurnStatus.Overloaded => "overloaded",
        TurnStatus.StoreUnavailable => "store_unavailable",
        _ => throw new ArgumentOutOfRangeException(nameof(status)),
    };

    private static string NameOf(AbortReason reason) => reason switch
    {
        AbortReason.Timeout => "timeout",
        AbortReason.LeaseLost => "lease_lost",
        AbortReason.Cancelled => "cancelled",
        AbortReason.Stopped => "stopped",
        _ => "aborted",
    };
}
