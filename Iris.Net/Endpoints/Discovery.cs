using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>What a client can find out without a session: whether the server lives and takes turns, what it can do, and how to
/// talk to it.</summary>
/// <param name="wire">How to answer.</param>
/// <param name="servesSockets">Whether the host has WebSockets.</param>
/// <param name="extensions">What the server does beyond the base protocol.</param>
/// <param name="limits">What a client may consume, by name.</param>
internal sealed class Discovery(
    ChannelWire wire, bool servesSockets, IEnumerable<string> extensions, IEnumerable<(string Name, long Value)> limits)
{
    private static readonly byte[] Ok = "{\"status\":\"ok\"}"u8.ToArray();

    private static readonly Lazy<byte[]> OpenApi = new(() =>
    {
        using Stream stream = typeof(Discovery).Assembly.GetManifestResourceStream("Iris.Net.openapi.json")!;
        byte[] json = new byte[stream.Length];
        stream.ReadExactly(json);
        return json;
    });

    private readonly byte[] _about = About(servesSockets, extensions, limits);

    /// <summary><c>GET /v1</c></summary>
    public ValueTask AboutAsync(HttpExchange exchange, CancellationToken disconnected) =>
        ChannelWire.SendJsonAsync(exchange.Response, 200, _about, disconnected);

    /// <summary><c>GET /v1/health</c></summary>
    public ValueTask HealthAsync(HttpExchange exchange, CancellationToken disconnected) =>
        ChannelWire.SendJsonAsync(exchange.Response, 200, Ok, disconnected);

    /// <summary><c>GET /v1/ready</c></summary>
    public ValueTask ReadyAsync(HttpExchange exchange, CancellationToken disconnected) => wire.Sessions.Running.IsDraining
        ? wire.RefuseAsync(exchange, RefusalCode.Draining, cancel: disconnected)
        : ChannelWire.SendJsonAsync(exchange.Response, 200, Ok, disconnected);

    /// <summary><c>GET /v1/openapi.json</c></summary>
    public ValueTask OpenApiAsync(HttpExchange exchange, CancellationToken disconnected) =>
        ChannelWire.SendJsonAsync(exchange.Response, 200, OpenApi.Value, disconnected);

    private static byte[] About(bool servesSockets, IEnumerable<string> extensions, IEnumerable<(string Name, long Value)> limits) =>
        JsonText.Object(json =>
        {
            json.WriteString("protocol"u8, "iris-rest/1"u8);
            json.WriteStartArray("extensions"u8);
            foreach (string extension in extensions)
                json.WriteStringValue(extension);
            json.WriteEndArray();
            json.WriteStartObject("limits"u8);
            foreach ((string name, long value) in limits)
                json.WriteNumber(name, value);
            json.WriteEndObject();
            json.WriteBoolean("websockets"u8, servesSockets);
        });
}
