using System.Diagnostics.Metrics;
using Iris.Net.Diagnostics;
using Iris.Net.Http;
using Iris.Net.WebSockets;

namespace Iris.Net.Server;

/// <summary>What is measured of connections, requests and WebSockets, by OpenTelemetry's names where it has one.</summary>
internal static class HttpInstruments
{
    public const string Method = "http.request.method", Scheme = "url.scheme", Route = "http.route",
        Status = "http.response.status_code", Version = "network.protocol.version", Error = "error.type",
        Transport = "network.transport", Reason = "iris.rejection.reason";

    private static readonly Counter<long> Rejections = Telemetry.Meter.CreateCounter<long>(
        "iris.server.rejections", "{rejection}", "Requests that the HTTP server itself refused, by reason.");

    public static Histogram<double> Duration { get; } = Telemetry.Meter.CreateHistogram(
        "http.server.request.duration", "s", "Duration of HTTP server requests.", tags: null, new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        });

    public static UpDownCounter<long> ActiveRequests { get; } = Telemetry.Meter.CreateUpDownCounter<long>(
        "http.server.active_requests", "{request}", "HTTP requests that are being served.");

    public static UpDownCounter<long> Connections { get; } = Telemetry.Meter.CreateUpDownCounter<long>(
        "iris.server.connections", "{connection}", "Open connections, WebSockets too.");

    public static UpDownCounter<long> WebSockets { get; } = Telemetry.Meter.CreateUpDownCounter<long>(
        "iris.server.websockets", "{websocket}", "Open WebSockets.");

    /// <summary>A method as a tag: peers may make up as many as they like, tags may not.</summary>
    public static string NameOf(ReadOnlySpan<byte> method) => method switch
    {
        [.. var name] when name.SequenceEqual("GET"u8) => "GET",
        [.. var name] when name.SequenceEqual("POST"u8) => "POST",
        [.. var name] when name.SequenceEqual("PUT"u8) => "PUT",
        [.. var name] when name.SequenceEqual("HEAD"u8) => "HEAD",
        [.. var name] when name.SequenceEqual("PATCH"u8) => "PATCH",
        [.. var name] when name.SequenceEqual("DELETE"u8) => "DELETE",
        [.. var name] when name.SequenceEqual("OPTIONS"u8) => "OPTIONS",
        [.. var name] when name.SequenceEqual("TRACE"u8) => "TRACE",
        [.. var name] when name.SequenceEqual("CONNECT"u8) => "CONNECT",
        _ => "_OTHER",
    };

    /// <summary>Counts what the server itself refuses.</summary>
    public static void Rejected(RejectionReason reason)
    {
        if (Rejections.Enabled)
            Rejections.Add(1, new KeyValuePair<string, object?>(Reason, Enum.GetName(reason)));
        if (IrisEventSource.Log.IsEnabled())
            IrisEventSource.Log.Rejected(Enum.GetName(reason)!);
        if (LimitOf(reason) is { } limit)
            Telemetry.Breached(limit);
    }

    /// <summary>Counts the limit that ended a WebSocket.</summary>
    public static void Broken(MessageLimit limit)
    {
        if (limit != MessageLimit.None)
            Telemetry.Breached(LimitOf(limit));
    }

    private static string? LimitOf(RejectionReason reason) => reason switch
    {
        RejectionReason.RequestLineTooLong or RejectionReason.MethodTooLong => nameof(HttpServerLimits.MaxRequestLineSize),
        RejectionReason.HeadersTooLarge => nameof(HttpServerLimits.MaxRequestHeadersTotalSize),
        RejectionReason.TooManyHeaders => nameof(HttpServerLimits.MaxRequestHeaderCount),
        RejectionReason.TooManyLeadingEmptyLines => nameof(HttpServerLimits.MaxLeadingEmptyLines),
        RejectionReason.BodyTooLarge => nameof(HttpServerLimits.MaxRequestBodySize),
        RejectionReason.ChunkOverheadTooLarge => nameof(HttpServerLimits.MaxChunkOverhead),
        RejectionReason.RequestHeadTimeout => nameof(HttpServerLimits.RequestHeadersTimeout),
        RejectionReason.RequestBodyTooSlow => nameof(HttpServerLimits.MinRequestBodyDataRate),
        RejectionReason.RequestTimeout => nameof(HttpServerLimits.RequestTimeout),
        RejectionReason.TooManyConnections => nameof(HttpServerLimits.MaxConcurrentConnections),
        _ => null,
    };

    private static string LimitOf(MessageLimit limit) => limit switch
    {
        MessageLimit.MessageSize => "MaxWebSocketMessageSize",
        MessageLimit.Fragments => nameof(WebSocketOptions.MaxFragmentsPerMessage),
        MessageLimit.ControlFrames => "WebSocketControlFrames",
        _ => throw new ArgumentOutOfRangeException(nameof(limit)),
    };
}
