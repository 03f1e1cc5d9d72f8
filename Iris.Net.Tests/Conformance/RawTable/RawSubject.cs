using System.Text;
using Iris.Net.Server;
using Iris.Net.Tests.Server;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>The server that is asked: its limits are small, and it says what it was asked.</summary>
internal sealed class RawSubject
{
    public const int RequestLine = 120, Headers = 300, HeaderCount = 10, EmptyLines = 3, Body = 60, ChunkOverhead = 40;

    private int _runs;

    /// <summary>How many requests came to their end in a handler since the last time.</summary>
    public int TakeRuns() => Interlocked.Exchange(ref _runs, 0);

    public Task<TestServer> StartAsync() => TestServer.StartAsync(
        router => router
            .Map("GET", "/", RunAsync).Map("POST", "/", RunAsync)
            .Map("GET", "/{a}", RunAsync).Map("POST", "/{a}", RunAsync)
            .Map("GET", "/{a}/{b}", RunAsync),
        new HttpServerOptions
        {
            Limits = new HttpServerLimits
            {
                MaxRequestLineSize = RequestLine,
                MaxRequestHeadersTotalSize = Headers,
                MaxRequestHeaderCount = HeaderCount,
                MaxLeadingEmptyLines = EmptyLines,
                MaxRequestBodySize = Body,
                MaxChunkOverhead = ChunkOverhead,
                DrainTimeout = TimeSpan.FromMinutes(1),
            },
        });

    private async ValueTask RunAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        HttpRequest request = exchange.Request;
        string path = Text(request.Path);
        string said = $"{request.Method} {path}{(request.Query.IsEmpty ? "" : "?")}{Text(request.Query)}";
        foreach (ReadOnlySpan<byte> value in request.Headers.ValuesOf("x"u8))
            said += $" x={Text(value)}";
        if (path != "/unread")
        {
            RequestBody body = await request.ReadBodyAsync(cancel: disconnected);
            if (!body.IsComplete)
                return;
            if (!body.Bytes.IsEmpty)
                said += $" [{Text(body.Bytes.Span)}]";
        }

        Interlocked.Increment(ref _runs);
        exchange.Response.Headers.Add("Ran"u8, "yes"u8);
        byte[] bytes = Encoding.Latin1.GetBytes(said);
        if (path == "/stream")
        {
            ResponseBody body = exchange.Response.Start();
            System.Buffers.BuffersExtensions.Write(body, bytes);
            return;
        }

        exchange.Response.Status = path switch { "/none" => 204, "/same" => 304, _ => 200 };
        await exchange.Response.SendAsync(bytes, disconnected);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
}
