using System.Diagnostics;
using Iris.Net.Diagnostics;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>What one request tells whoever listens. Where nobody does, nothing is taken down.</summary>
internal struct RequestMeasure
{
    private static readonly object?[] Statuses = new object?[600];   // boxed once

    private long _started;
    private bool _isTimed;
    private bool _isActive;     // whether it was counted in: listeners come and go
    private string? _error;
    private Activity? _span;

    /// <summary>Begins with a request whose head was read; a span becomes the current one.</summary>
    public static RequestMeasure Begin(HttpExchange exchange)
    {
        RequestMeasure measure = default;
        IrisEventSource events = IrisEventSource.Log;
        if (events.IsEnabled())
            events.RequestStart(exchange.Connection.Number, MethodOf(exchange));
        if (HttpInstruments.Duration.Enabled || events.IsEnabled())
        {
            measure._isTimed = true;
            measure._started = TimeOf(exchange).GetTimestamp();
        }

        if (HttpInstruments.ActiveRequests.Enabled)
        {
            measure._isActive = true;
            Count(exchange, 1);
        }

        if (Telemetry.Source.HasListeners())
        {
            TraceContext.TryRead(exchange.Head.Headers, out ActivityContext parent);
            string method = MethodOf(exchange);
            measure._span = Telemetry.Source.StartActivity(method, ActivityKind.Server, parent);
            measure._span?.SetTag(HttpInstruments.Method, method).SetTag(HttpInstruments.Scheme, SchemeOf(exchange));
        }

        return measure;
    }

    /// <summary>Takes down what was thrown, by its type alone.</summary>
    public void Failed(Exception e)
    {
        if (_isTimed || _span is not null)
            _error = e.GetType().FullName;
    }

    /// <summary>Tells how it ended. The span of a WebSocket goes on with it.</summary>
    public void End(HttpExchange exchange, WebSocketUpgrade? upgrade)
    {
        if (_isActive)
            Count(exchange, -1);
        if (!_isTimed && _span is null)
            return;
        HttpResponse response = exchange.Response;
        int status = upgrade is not null ? 101 : response.HasStarted ? response.Status : 0;
        if (status >= 500)
            _error ??= status.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (_isTimed)
            Measure(exchange, status);
        if (_span is null)
            return;
        Describe(_span, exchange, status);
        if (upgrade is null)
            _span.Dispose();
        else
            upgrade.Span = _span;
    }

    private readonly void Measure(HttpExchange exchange, int status)
    {
        TimeSpan elapsed = TimeOf(exchange).GetElapsedTime(_started);
        if (HttpInstruments.Duration.Enabled)
        {
            TagList tags = new()
            {
                { HttpInstruments.Method, MethodOf(exchange) },
                { HttpInstruments.Scheme, SchemeOf(exchange) },
                { HttpInstruments.Version, VersionOf(exchange) },
            };
            if (exchange.Route.Template is { } route)
                tags.Add(HttpInstruments.Route, route);
            if (status != 0)
                tags.Add(HttpInstruments.Status, Boxed(status));
            if (_error is not null)
                tags.Add(HttpInstruments.Error, _error);
            HttpInstruments.Duration.Record(elapsed.TotalSeconds, tags);
        }

        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.RequestStop(
                exchange.Connection.Number, MethodOf(exchange), exchange.Route.Template ?? "", status, elapsed.TotalMilliseconds);
    }

    private readonly void Describe(Activity span, HttpExchange exchange, int status)
    {
        if (exchange.Route.Template is { } route)
        {
            string method = MethodOf(exchange);
            span.DisplayName = $"{(method == "_OTHER" ? "HTTP" : method)} {route}";
            span.SetTag(HttpInstruments.Route, route);
        }

        span.SetTag(HttpInstruments.Version, VersionOf(exchange));
        if (status != 0)
            span.SetTag(HttpInstruments.Status, Boxed(status));
        if (_error is not null)
            span.SetTag(HttpInstruments.Error, _error).SetStatus(ActivityStatusCode.Error);
    }

    private static void Count(HttpExchange exchange, int change) => HttpInstruments.ActiveRequests.Add(
        change,
        new KeyValuePair<string, object?>(HttpInstruments.Method, MethodOf(exchange)),
        new KeyValuePair<string, object?>(HttpInstruments.Scheme, SchemeOf(exchange)));

    private static string MethodOf(HttpExchange exchange) => HttpInstruments.NameOf(exchange.Head.Method);

    private static string SchemeOf(HttpExchange exchange) => exchange.IsSecure ? "https" : "http";

    private static string VersionOf(HttpExchange exchange) => exchange.Head.Version == ProtocolVersion.Http10 ? "1.0" : "1.1";

    private static TimeProvider TimeOf(HttpExchange exchange) => exchange.Connection.Server.Options.Time;

    private static object Boxed(int status) => Statuses[status] ??= status;
}
