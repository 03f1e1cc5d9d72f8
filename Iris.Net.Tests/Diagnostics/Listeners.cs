using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;
using System.Globalization;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Diagnostics;

/// <summary>One measurement.</summary>
internal sealed record Measured(string Name, double Value, IReadOnlyDictionary<string, object?> Tags)
{
    public override string ToString() =>
        $"{Name} {Value.ToString(CultureInfo.InvariantCulture)} {string.Join(' ', Tags.OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}"))}";
}

/// <summary>Listens to all that the library tells: meter, spans, events.</summary>
internal sealed class Listeners : IDisposable
{
    private readonly ConcurrentQueue<Measured> _measured = [];
    private readonly ConcurrentQueue<Activity> _spans = [];
    private readonly MeterListener _meter = new();
    private readonly ActivityListener _activities;
    private readonly Events _events = new();

    public Listeners()
    {
        _meter.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Iris.Net")
                listener.EnableMeasurementEvents(instrument);
        };
        _meter.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meter.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _meter.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Iris.Net",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _spans.Enqueue,
        };
        ActivitySource.AddActivityListener(_activities);
    }

    public IEnumerable<Measured> Measured => _measured;

    public IEnumerable<Activity> Spans => _spans;

    public IEnumerable<string> Written => _events.Written;

    /// <summary>The measurements of an instrument, as text, once there are as many.</summary>
    public async Task<string[]> TextsAsync(string instrument, int count)
    {
        await Patience.Until(() => _measured.Count(m => m.Name == instrument) >= count, $"{count} of {instrument}");
        return [.. _measured.Where(m => m.Name == instrument).Select(m => m.ToString())];
    }

    public async Task<Activity> SpanAsync(Func<Activity, bool> which)
    {
        await Patience.Until(() => _spans.Any(which), "the span");
        return _spans.Single(which);
    }

    public async Task EventAsync(string text) =>
        await Patience.Until(() => _events.Written.Contains(text), $"'{text}' among {string.Join(", ", Written)}");

    /// <summary>All that was told, as text.</summary>
    public string Everything() => string.Join('\n',
    [
        .. _measured.Select(m => m.ToString()),
        .. _spans.Select(span => $"{span.DisplayName} {span.Id} {span.TraceStateString} {span.StatusDescription} "
            + string.Join(' ', span.TagObjects.Concat(span.Baggage.Select(b => KeyValuePair.Create(b.Key, (object?)b.Value))))
            + string.Join(' ', span.Events.Select(e => $"{e.Name} {string.Join(' ', e.Tags)}"))),
        .. _events.Written,
    ]);

    public void Dispose()
    {
        _meter.Dispose();
        _activities.Dispose();
        _events.Dispose();
    }

    private void Add<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        where T : IConvertible =>
        _measured.Enqueue(new Measured(
            instrument.Name, value.ToDouble(CultureInfo.InvariantCulture), tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value)));

    private sealed class Events : EventListener
    {
        private readonly ConcurrentQueue<string> _written = [];     // before the base is made, which begins to listen

        public IEnumerable<string> Written => _written;

        protected override void OnEventSourceCreated(EventSource source)
        {
            if (source.Name == "Iris-Net")
                EnableEvents(source, EventLevel.Verbose);
        }

        protected override void OnEventWritten(EventWrittenEventArgs written) => _written.Enqueue(
            string.Join(' ', [written.EventName, .. written.Payload!.Select(value => Convert.ToString(value, CultureInfo.InvariantCulture))]));
    }
}
