using System.Net.WebSockets;
using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Tests.Server;

/// <summary>Subprotocols and compression through sockets.</summary>
[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed class CompressionTests
{
    private const string Deflate = "Sec-WebSocket-Extensions: permessage-deflate";

    // "Hello" and "Hello" again, referring to the first (RFC 7692 section 7.2.3.2), masked with a key of zeros.
    private const string Hello = "\u00C1\u0087\0\0\0\0\u00F2\u0048\u00CD\u00C9\u00C9\u0007\u0000";
    private const string HelloAgain = "\u00C1\u0085\0\0\0\0\u00F2\u0000\u0011\u0000\u0000";
    private const string Close = "\u0088\u0082\0\0\0\0\u0003\u00E8";
    private const string CloseAnswer = "\u0088\u0002\u0003\u00E8";
    private const string Answer = "\u0081\u0005Hello";

    private static string Upgrade(params string[] fields) =>
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + string.Concat(fields.Select(field => field + "\r\n")) + "\r\n";

    private static async ValueTask EchoAsync(WebSocketConnection socket, CancellationToken disconnected)
    {
        while (await socket.ReceiveAsync(disconnected) is { Kind: not WebSocketMessageKind.Closed } message)
            await socket.SendAsync(message.Kind, message.Payload, disconnected);
    }

    private static Task<TestServer> StartAsync(WebSocketOptions options, WebSocketHandler? handler = null) =>
        TestServer.StartAsync(router => router.MapWebSocket("/ws", handler ?? EchoAsync, options));

    private static WebSocketOptions Compressing(bool takeover = false) =>
        new() { Compression = new WebSocketCompression { ContextTakeover = takeover } };

    [TestCase("", null)]
    [TestCase("Sec-WebSocket-Protocol: c", null)]
    [TestCase("Sec-WebSocket-Protocol: b", "b")]
    [TestCase("Sec-WebSocket-Protocol: b, a", "a")]
    [TestCase("Sec-WebSocket-Protocol: c,b ,\tB", "b")]
    [TestCase("Sec-WebSocket-Protocol: c\r\nsec-websocket-protocol: d, a", "a")]
    [TestCase("Sec-WebSocket-Protocol: A", null)]
    public async Task The_first_subprotocol_of_the_route_that_is_offered_is_chosen_and_told(string offer, string? chosen)
    {
        await using TestServer server = await StartAsync(
            new WebSocketOptions { Subprotocols = ["a", "b"] },
            async (socket, disconnected) => await socket.SendTextAsync(Encoding.ASCII.GetBytes($"<{socket.Subprotocol}>"), disconnected));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync((offer.Length > 0 ? Upgrade(offer) : Upgrade()) + Close);
        RawResponse response = await client.ReadAsync();
        Assert.That((response.Status, response["Sec-WebSocket-Protocol"]), Is.EqualTo((101, chosen)));
        Assert.That(await client.ReadToEndAsync(), Does.Contain($"<{chosen}>"));
    }

    [TestCase("Sec-WebSocket-Protocol: a b")]
    [TestCase("Sec-WebSocket-Protocol: a, a")]
    [TestCase("Sec-WebSocket-Protocol: ")]
    [TestCase("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=\"10")]
    public async Task A_malformed_offer_is_told_400(string field)
    {
        await using TestServer server = await StartAsync(Compressing() with { Subprotocols = ["a"] });
        RawResponse response = await server.AskAsync(Upgrade(field));
        Assert.That((response.Status, response.Body), Is.EqualTo((400, "")));
    }

    [Test]
    public void A_subprotocol_of_the_route_must_be_a_token() =>
        Assert.That(() => new WebSocketOptions { Subprotocols = ["a", "b c"] }, Throws.ArgumentException);

    [TestCase(false, Deflate, "permessage-deflate; server_no_context_takeover; client_no_context_takeover")]
    [TestCase(true, Deflate, "permessage-deflate")]
    [TestCase(true, Deflate + "; client_no_context_takeover; client_max_window_bits",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits=15")]
    [TestCase(true, Deflate + "; server_max_window_bits=9, permessage-deflate; server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover")]
    [TestCase(true, "Sec-WebSocket-Extensions: x\r\n" + Deflate, "permessage-deflate")]
    [TestCase(true, Deflate + "; server_max_window_bits=9", null)]
    [TestCase(true, "Host-Id: a", null)]
    public async Task Compression_is_agreed_on(bool takeover, string offer, string? answer)
    {
        await using TestServer server = await StartAsync(Compressing(takeover));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Upgrade(offer) + (answer is null ? "" : Hello) + Close);
        Assert.That((await client.ReadAsync())["Sec-WebSocket-Extensions"], Is.EqualTo(answer));
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo((answer is null ? "" : Answer) + CloseAnswer));
    }

    [Test]
    public async Task Without_the_option_the_offer_is_passed_over_and_RSV1_is_told_1002()
    {
        await using TestServer server = await StartAsync(new WebSocketOptions());
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Upgrade(Deflate) + Hello);
        Assert.That((await client.ReadAsync())["Sec-WebSocket-Extensions"], Is.Null);
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo("\u0088\u0002\u0003\u00EA"));
    }

    [TestCase(true, Answer + Answer + CloseAnswer)]
    [TestCase(false, Answer + "\u0088\u0002\u0003\u00EF")]
    public async Task Messages_refer_to_one_another_where_that_was_agreed_on(bool takeover, string answer)
    {
        await using TestServer server = await StartAsync(Compressing(takeover));
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Upgrade(Deflate) + Hello + HelloAgain + Close);
        await client.ReadAsync();
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo(answer));
    }

    [Test]
    public async Task Only_what_gets_smaller_is_sent_compressed()
    {
        byte[] noise = new byte[1000];
        new Random(1).NextBytes(noise);
        await using TestServer server = await StartAsync(Compressing(), async (socket, disconnected) =>
        {
            await socket.SendTextAsync(new byte[255], disconnected);
            await socket.SendBinaryAsync(noise, disconnected);
            await socket.SendBinaryAsync(new byte[256], disconnected);
        });
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(Upgrade(Deflate) + Close);
        await client.ReadAsync();
        Assert.That(await client.ReadBytesAsync(4 + 255), Does.StartWith("\u0081\u007E\u0000\u00FF\0\0\0"));
        Assert.That(await client.ReadBytesAsync(4 + 1000), Is.EqualTo("\u0082\u007E\u0003\u00E8" + Encoding.Latin1.GetString(noise)));
        string rest = await client.ReadToEndAsync();
        Assert.That((rest[0], rest.EndsWith(CloseAnswer, StringComparison.Ordinal)), Is.EqualTo(('\u00C2', true)));
        Assert.That((int)rest[1], Is.LessThan(20).And.EqualTo(rest.Length - 2 - CloseAnswer.Length));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_compressed_message_may_come_and_go_in_parts(bool takeover)
    {
        await using TestServer server = await StartAsync(Compressing(takeover), async (socket, disconnected) =>
        {
            while (await socket.ReceivePartAsync(disconnected) is { Kind: not WebSocketMessageKind.Closed } part)
                await socket.SendPartAsync(part.Kind, part.Payload, part.IsLast, disconnected);
        });
        using var client = new ClientWebSocket();
        client.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        await client.ConnectAsync(new Uri($"ws://{server.Url.Authority}/ws"), CancellationToken.None);
        byte[] sent = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 60_000).Select(i => $"{i * 7919 % 1000}\u20AC")));
        byte[] buffer = new byte[sent.Length];
        for (int turn = 0; turn < 3; turn++)
        {
            Task sending = client.SendAsync(sent, WebSocketMessageType.Text, true, CancellationToken.None);
            int count = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await client.ReceiveAsync(buffer.AsMemory(count), CancellationToken.None);
                count += result.Count;
            }
            while (!result.EndOfMessage);
            await sending;
            Assert.That(buffer.AsSpan(0, count).SequenceEqual(sent), Is.True);
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
    }

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public async Task The_client_of_the_base_library_holds_a_conversation_of_100_turns(bool compresses, bool takeover)
    {
        await using TestServer server = await StartAsync(compresses ? Compressing(takeover) : new WebSocketOptions());
        using var client = new ClientWebSocket();
        if (compresses)
            client.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        await client.ConnectAsync(new Uri($"ws://{server.Url.Authority}/ws"), CancellationToken.None);
        byte[] buffer = new byte[100_000];
        for (int turn = 0; turn < 100; turn++)
        {
            string text = string.Concat(Enumerable.Range(0, turn * turn / 4).Select(i => $"{i ^ turn}\u20AC"));
            byte[] sent = Encoding.UTF8.GetBytes(text);
            await client.SendAsync(sent.AsMemory(0, sent.Length / 2), WebSocketMessageType.Text, false, CancellationToken.None);
            await client.SendAsync(sent.AsMemory(sent.Length / 2), WebSocketMessageType.Text, true, CancellationToken.None);
            int count = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await client.ReceiveAsync(buffer.AsMemory(count), CancellationToken.None);
                count += result.Count;
            }
            while (!result.EndOfMessage);
            Assert.That(Encoding.UTF8.GetString(buffer, 0, count), Is.EqualTo(text), $"turn {turn}");
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
        Assert.That(client.CloseStatus, Is.EqualTo(WebSocketCloseStatus.NormalClosure));
        Assert.That(server.Errors, Is.Empty);
    }
}
