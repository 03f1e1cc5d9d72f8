using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Server;

namespace Iris.Net.Tests.Conformance;

/// <summary>The base library's own clients hold a conversation.</summary>
public sealed class ClientTests
{
    private const int Turns = 100;

    [Test]
    public async Task HttpClient_and_SseParser_hold_a_conversation()
    {
        await using RestChannel channel = new(Program());
        using HttpClient http = new() { BaseAddress = await channel.ListenAsync() };
        string path = "v1/session", token = "";
        for (int turn = 1; turn <= Turns; turn++)
        {
            using HttpRequestMessage request = new(HttpMethod.Post, path)
            {
                Content = new StringContent($$"""{"message":"a {{turn}}","continuationToken":"{{token}}"}""", Encoding.UTF8, "application/json"),
            };
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            StringBuilder text = new();
            JsonElement last = default;
            await foreach (SseItem<string> item in SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync())
            {
                last = JsonSerializer.Deserialize<JsonElement>(item.Data);
                Assert.That(last.GetProperty("type").GetString(), Is.EqualTo(item.EventType));
                if (item.EventType == "delta")
                    text.Append(last.GetProperty("text").GetString());
            }

            Assert.That((last.GetProperty("output").GetInt64(), text.ToString()), Is.EqualTo(((long)turn, $"a {turn}")));
            path = $"v1/session/{last.GetProperty("sessionId").GetString()}/message";
            token = last.GetProperty("continuationToken").GetString()!;
        }
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public async Task ClientWebSocket_holds_a_conversation(bool compresses, bool takeover)
    {
        await using RestChannel channel = new(Program(), new RestChannelOptions
        {
            WebSocketCompression = compresses ? new WebSocketCompression { ContextTakeover = takeover, MinMessageSize = 1 } : null,
        });
        Uri url = await channel.ListenAsync();
        using ClientWebSocket socket = new();
        if (compresses)
            socket.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        socket.Options.CollectHttpResponseDetails = true;
        await socket.ConnectAsync(new Uri($"ws://{url.Authority}/v1/ws"), default);
        Assert.That(socket.HttpResponseHeaders!.ContainsKey("Sec-WebSocket-Extensions"), Is.EqualTo(compresses));
        byte[] buffer = new byte[4096];
        for (int turn = 1; turn <= Turns; turn++)
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes($$"""{"message":"a {{turn}}"}"""), WebSocketMessageType.Text, true, default);
            JsonElement said;
            do
            {
                WebSocketReceiveResult read = await socket.ReceiveAsync(buffer, default);
                said = JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, read.Count));
            }
            while (said.GetProperty("type").GetString() != "outcome");
            Assert.That(said.GetProperty("output").GetInt64(), Is.EqualTo(turn));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        Assert.That(socket.CloseStatus, Is.EqualTo(WebSocketCloseStatus.NormalClosure));
    }

    private static IHostAdapter Program() => HostAdapter.Create(async (turn, cancel) =>
    {
        foreach (char letter in turn.Body.GetProperty("message").GetString()!)
            await turn.DeltaAsync(letter.ToString(), cancel);
        return TurnOutcome.Finished(JsonValue.Create(turn.Number));
    });
}
