using System.Buffers;
using System.Text;
using System.Text.Json;
using Iris.Net.Http;
using Iris.Net.Server;

namespace Iris.Http;

/// <summary>What is answered. A handler that found the body incomplete just returns: the server refuses the request.</summary>
internal static class Answers
{
    public static async ValueTask GreetAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if ((await exchange.Request.ReadBodyAsync(cancel: disconnected)).IsComplete)
            await SendAsync(exchange.Response, "text/plain; charset=utf-8"u8, "Hello from Iris.\n"u8.ToArray(), disconnected);
    }

    public static async ValueTask RepeatAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        RequestBody body = await exchange.Request.ReadBodyAsync(cancel: disconnected);
        if (body.IsComplete)
            await SendAsync(exchange.Response, "application/octet-stream"u8, body.Bytes, disconnected);
    }

    public static ValueTask AllowAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        exchange.Response.Status = 204;
        exchange.Response.Headers.Add("Allow"u8, exchange.Route.Allow);
        return exchange.Response.SendAsync(ReadOnlyMemory<byte>.Empty, disconnected);
    }

    public static async ValueTask EchoHeadersAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (!(await exchange.Request.ReadBodyAsync(cancel: disconnected)).IsComplete)
            return;
        ArrayBufferWriter<byte> lines = new();
        HeaderList headers = exchange.Request.Headers;
        for (int i = 0; i < headers.Count; i++)
        {
            lines.Write(headers[i].Name);
            lines.Write(": "u8);
            lines.Write(headers[i].Value);
            lines.Write("\n"u8);
        }

        await SendAsync(exchange.Response, "text/plain"u8, lines.WrittenMemory, disconnected);
    }

    // RFC 6265 section 4.2.1: pairs, separated by semicolons.
    public static async ValueTask ListCookiesAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        if (!(await exchange.Request.ReadBodyAsync(cancel: disconnected)).IsComplete)
            return;
        ArrayBufferWriter<byte> lines = new();
        foreach (ReadOnlySpan<byte> field in exchange.Request.Headers.ValuesOf("cookie"u8))
        {
            foreach (Range at in field.Split((byte)';'))
            {
                ReadOnlySpan<byte> pair = field[at].Trim(" \t"u8);
                if (pair.IndexOf((byte)'=') < 1)
                    continue;
                lines.Write(pair);
                lines.Write("\n"u8);
            }
        }

        await SendAsync(exchange.Response, "text/plain"u8, lines.WrittenMemory, disconnected);
    }

    /// <summary>Tells how the server understood the request, whatever it is.</summary>
    public static async ValueTask DumpAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        HttpRequest request = exchange.Request;
        RequestBody body = await request.ReadBodyAsync(cancel: disconnected);
        if (!body.IsComplete)
            return;
        ArrayBufferWriter<byte> text = new();
        using Utf8JsonWriter json = new(text);
        json.WriteStartObject();
        json.WriteString("method", request.Method);
        json.WriteString("target", Encoding.Latin1.GetString(request.Target));
        json.WriteString("version", request.Version == ProtocolVersion.Http10 ? "HTTP/1.0" : "HTTP/1.1");
        json.WriteStartArray("headers");
        for (int i = 0; i < request.Headers.Count; i++)
        {
            json.WriteStartArray();
            json.WriteStringValue(Encoding.Latin1.GetString(request.Headers[i].Name));
            json.WriteStringValue(Encoding.Latin1.GetString(request.Headers[i].Value));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteBase64String("body", body.Bytes.Span);
        json.WriteEndObject();
        json.Flush();
        await SendAsync(exchange.Response, "application/json"u8, text.WrittenMemory, disconnected);
    }

    /// <summary>Sends every message back; pings are answered by the server.</summary>
    public static async ValueTask EchoMessagesAsync(WebSocketConnection socket, CancellationToken disconnected)
    {
        while (await socket.ReceiveAsync(disconnected) is { Kind: not WebSocketMessageKind.Closed } message)
            await socket.SendAsync(message.Kind, message.Payload, disconnected);
    }

    private static ValueTask SendAsync(
        HttpResponse response, ReadOnlySpan<byte> type, ReadOnlyMemory<byte> body, CancellationToken disconnected)
    {
        response.Headers.Add("Content-Type"u8, type);
        return response.SendAsync(body, disconnected);
    }
}
