using System.Net.WebSockets;
using System.Text;
using Iris.Net.Server;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.Server;

[Parallelizable(ParallelScope.All)]
public class WebSocketTests
{
    private const string Upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    // Masked with a key of zeros, so that the payload stands as it is.
    private static string Frame(byte first, string payload) =>
        Encoding.Latin1.GetString([first, (byte)(0x80 | payload.Length), 0, 0, 0, 0]) + payload;

    private static string Text(string text) => Frame(0x81, text);

    private static string Close(ushort code) => Frame(0x88, $"{(char)(code >> 8)}{(char)(code & 0xFF)}");

    private static string Answer(byte first, string payload) => $"{(char)first}{(char)payload.Length}{payload}";

    private static string CloseAnswer(ushort code) => Answer(0x88, $"{(char)(code >> 8)}{(char)(code & 0xFF)}");

    private static async ValueTask EchoAsync(WebSocketConnection socket, CancellationToken disconnected)
    {
        while (await socket.ReceiveAsync(disconnected) is { Kind: not WebSocketMessageKind.Closed } message)
        {
            await socket.SendAsync(message.Kind, message.Payload, disconnected);
        }
    }

    private static Task<TestServer> StartAsync(
        WebSocketHandler handler, WebSocketOptions? options = null, HttpServerOptions? server = null) =>
        TestServer.StartAsync(router => router.MapWebSocket("/ws", handler, options).Map("POST", "/ws", TestServer.EchoAsync), server);

    private static async Task<RawClient> UpgradeAsync(TestServer server, string more = "")
    {
        RawClient client = await server.ConnectAsync();
        await client.SendAsync(Upgrade + more);
        RawResponse response = await client.ReadAsync();
        Assert.That((response.Status, response["Sec-WebSocket-Accept"]), Is.EqualTo((101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
        return client;
    }

    [Test]
    public async Task The_client_of_the_base_library_holds_a_conversation()
    {
        await using TestServer server = await StartAsync(EchoAsync);
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri($"ws://{server.Url.Authority}/ws"), CancellationToken.None);
        byte[] buffer = new byte[300_000];
        foreach (int length in new[] { 0, 1, 125, 126, 65535, 65536, 250_000 })
        {
            string text = new('x', length);
            await client.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);
            int count = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await client.ReceiveAsync(buffer.AsMemory(count), CancellationToken.None);
                count += result.Count;
            }
            while (!result.EndOfMessage);
            Assert.That(Encoding.UTF8.GetString(buffer, 0, count), Is.EqualTo(text));
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "bye", CancellationToken.None);
        Assert.That(client.CloseStatus, Is.EqualTo(WebSocketCloseStatus.NormalClosure));
    }

    [Test]
    public async Task Frames_that_come_with_the_handshake_are_not_lost_and_pings_are_answered_in_order()
    {
        await using TestServer server = await StartAsync(EchoAsync);
        using RawClient client = await UpgradeAsync(server, Text("one") + Frame(0x89, "p") + Text("two") + Close(1000) + Text("three"));
        Assert.That(await client.ReadToEndAsync(),
            Is.EqualTo(Answer(0x81, "one") + Answer(0x8A, "p") + Answer(0x81, "two") + CloseAnswer(1000)));
        Assert.That(server.Errors, Is.Empty);
    }

    [Test]
    public async Task A_message_may_be_split_at_each_position()
    {
        await using TestServer server = await StartAsync(EchoAsync);
        string sent = Frame(0x01, "ab") + Frame(0x80, "cd");
        using RawClient client = await UpgradeAsync(server);
        for (int split = 1; split < sent.Length; split++)
        {
            await client.SendAsync(sent[..split]);
            await Task.Yield();
            await client.SendAsync(sent[split..]);
            Assert.That(await client.ReadBytesAsync(6), Is.EqualTo(Answer(0x81, "abcd")), $"split at {split}");
        }
    }

    [TestCase(1002, 0xC1, "x", TestName = "A reserved bit is told 1002")]
    [TestCase(1007, 0x81, "\u00C3\u0028", TestName = "Text that is not UTF-8 is told 1007")]
    [TestCase(1003, 0x82, "x", TestName = "Binary where none is accepted is told 1003")]
    [TestCase(1009, 0x81, "12345678901", TestName = "A message over the limit is told 1009")]
    public async Task A_peer_that_breaks_a_rule_gets_the_code_after_all_that_was_due(int code, int first, string payload)
    {
        await using TestServer server = await StartAsync(EchoAsync, new WebSocketOptions { AcceptBinary = false, MaxMessageSize = 10 });
        using RawClient client = await UpgradeAsync(server);
        await client.SendAsync(Text("due") + Frame((byte)first, payload) + new string('x', 30_000));
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo(Answer(0x81, "due") + CloseAnswer((ushort)code)));
    }

    [Test]
    public async Task A_reply_that_is_due_goes_out_before_the_peers_close_is_answered()
    {
        await using TestServer server = await StartAsync(async (socket, disconnected) =>
        {
            await socket.ReceiveAsync(disconnected);
            Assert.That((await socket.ReceiveAsync(disconnected)).CloseCode, Is.EqualTo(WebSocketCloseCode.GoingAway));
            await socket.SendTextAsync("due"u8, disconnected);
        });
        using RawClient client = await UpgradeAsync(server, Text("x") + Close(1001));
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo(Answer(0x81, "due") + CloseAnswer(1001)));
    }

    [Test]
    public async Task A_handler_that_returns_closes_with_1000_and_one_that_throws_with_1011()
    {
        await using TestServer server = await TestServer.StartAsync(router => router
            .MapWebSocket("/ws", (_, _) => default)
            .MapWebSocket("/{bad}", (_, _) => throw new InvalidOperationException("bad")));
        using RawClient good = await UpgradeAsync(server);
        Assert.That(await good.ReadBytesAsync(4), Is.EqualTo(CloseAnswer(1000)));
        await good.SendAsync(Close(1000));
        Assert.That(await good.ReadToEndAsync(), Is.Empty);

        using RawClient bad = await server.ConnectAsync();
        await bad.SendAsync(Upgrade.Replace("/ws", "/bad", StringComparison.Ordinal) + Close(1000));
        Assert.That((await bad.ReadAsync()).Status, Is.EqualTo(101));
        Assert.That(await bad.ReadToEndAsync(), Is.EqualTo(CloseAnswer(1011)));
        Assert.That(server.Errors.Single().Message, Is.EqualTo("bad"));
    }

    [Test]
    public async Task Many_threads_may_queue_and_every_message_arrives_whole()
    {
        const int threads = 4, each = 500;
        await using TestServer server = await StartAsync(async (socket, disconnected) =>
        {
            await Task.WhenAll(Enumerable.Range(0, threads).Select(thread => Task.Run(
                async () =>
                {
                    for (int i = 0; i < each; i++)
                    {
                        socket.Queue(Encoding.ASCII.GetBytes($"{thread}:{i:D4}"));
                        if (i % 7 == 0)
                            await socket.FlushAsync(disconnected);
                    }

                    await socket.FlushAsync(disconnected);
                },
                disconnected)));
        });
        using RawClient client = await UpgradeAsync(server);
        int[] next = new int[threads];
        for (int i = 0; i < threads * each; i++)
        {
            string frame = await client.ReadBytesAsync(8);
            Assert.That(frame[..2], Is.EqualTo("\u0081\u0006"));
            int thread = frame[2] - '0';
            Assert.That(frame[4..], Is.EqualTo($"{next[thread]++:D4}"));
        }
    }

    [TestCase("/ws", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Key: short\r\n", 400)]
    [TestCase("/ws", "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Version: 8\r\n", 426)]
    [TestCase("/ws", "Sec-WebSocket-Version: 13\r\n", "", 426)]
    [TestCase("/other", "", "", 404)]
    [TestCase("/ws", "Upgrade: websocket\r\n", "Upgrade: h2c\r\n", 405)]
    [TestCase("/ws", "Connection: keep-alive, Upgrade\r\n", "", 405)]
    public async Task A_handshake_is_refused(string path, string from, string to, int status)
    {
        await using TestServer server = await StartAsync(EchoAsync, server: new HttpServerOptions
        {
            OnUpgradeRefused = (_, response) => response.Headers.Add("X-Why"u8, "upgrade"u8),
        });
        string request = Upgrade.Replace("/ws", path, StringComparison.Ordinal);
        RawResponse response = await server.AskAsync(from.Length > 0 ? request.Replace(from, to, StringComparison.Ordinal) : request);
        Assert.That(response.Status, Is.EqualTo(status));
        if (status == 405)
            return;
        Assert.That((response.Body, response["X-Why"]), Is.EqualTo(("", "upgrade")));
        if (status == 426)
            Assert.That((response["Upgrade"], response["Connection"], response["Sec-WebSocket-Version"]),
                Is.EqualTo(("websocket", "Upgrade", "13")));
    }

    [Test]
    public async Task What_runs_before_knows_who_asks_and_can_refuse()
    {
        await using TestServer server = await StartAsync(
            async (socket, disconnected) =>
                await socket.SendTextAsync(Encoding.UTF8.GetBytes($"{socket.Principal} {socket.State}"), disconnected),
            server: new HttpServerOptions
            {
                Before = async (exchange, disconnected) =>
                {
                    exchange.Principal = "ann";
                    exchange.State = 7;
                    Assert.That(exchange.Route.IsWebSocket, Is.True);
                    if (exchange.Request.Headers.TryGet("origin"u8, out _))
                    {
                        exchange.Response.Status = 403;
                        await exchange.Response.SendAsync("no"u8, disconnected);
                    }
                },
            });
        using RawClient client = await UpgradeAsync(server, Close(1000));
        Assert.That(await client.ReadToEndAsync(), Does.StartWith(Answer(0x81, "ann 7")));
        RawResponse refused = await server.AskAsync(Upgrade.Replace("Host: a", "Host: a\r\nOrigin: b", StringComparison.Ordinal));
        Assert.That((refused.Status, refused.Body), Is.EqualTo((403, "no")));
    }

    [Test]
    public async Task A_silent_peer_is_pinged_and_one_that_does_not_answer_is_cut()
    {
        var time = new ManualTime();
        await using TestServer server = await StartAsync(EchoAsync, server: new HttpServerOptions { Time = time });
        using RawClient client = await UpgradeAsync(server, Text("x"));
        await client.ReadBytesAsync(3);
        for (int round = 0; round < 3; round++)
        {
            Task<string> ping = client.ReadBytesAsync(2);
            for (int second = 1; !ping.IsCompleted; second++)
            {
                time.Advance(1);
                await Task.WhenAny(ping, Task.Delay(second < 19 ? 1 : 200));   // at 20 s it comes, and 20 s later it is too late to answer
            }

            Assert.That(await ping, Is.EqualTo(Answer(0x89, "")));
            if (round == 2)
                break;
            await client.SendAsync(Frame(0x8A, ""));
            await client.SendAsync(Text("y"));
            Assert.That(await client.ReadBytesAsync(3), Is.EqualTo(Answer(0x81, "y")));
        }

        Task<string> end = client.ReadToEndAsync();
        while (!end.IsCompleted)
        {
            time.Advance(1);
            await Task.Delay(1);
        }

        Assert.That(await end, Is.EqualTo(CloseAnswer(1011)));
    }

    [Test]
    public async Task A_peer_that_never_answers_the_close_is_left()
    {
        var time = new ManualTime();
        await using TestServer server = await StartAsync((_, _) => default, server: new HttpServerOptions { Time = time });
        using RawClient client = await UpgradeAsync(server);
        Assert.That(await client.ReadBytesAsync(4), Is.EqualTo(CloseAnswer(1000)));
        Task<string> end = client.ReadToEndAsync();
        while (!end.IsCompleted)
        {
            time.Advance(1);
            await Task.Delay(1);
        }

        Assert.That(await end, Is.Empty);
    }

    [Test]
    public async Task A_peer_that_is_gone_ends_the_handler()
    {
        TaskCompletionSource<WebSocketMessage> ended = new(TaskCreationOptions.RunContinuationsAsynchronously),
            cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await StartAsync(async (socket, disconnected) =>
        {
            disconnected.Register(() => cancelled.SetResult(default));
            ended.SetResult(await socket.ReceiveAsync(disconnected));
        });
        using (RawClient client = await UpgradeAsync(server))
            client.Reset();
        WebSocketMessage last = await ended.Task;
        Assert.That((last.Kind, last.CloseCode), Is.EqualTo((WebSocketMessageKind.Closed, WebSocketCloseCode.AbnormalClosure)));
        await cancelled.Task;
        Assert.That(server.Errors, Is.Empty);
    }

    [Test]
    public async Task A_message_may_come_and_go_in_parts()
    {
        await using TestServer server = await StartAsync(async (socket, disconnected) =>
        {
            while (await socket.ReceivePartAsync(disconnected) is { Kind: not WebSocketMessageKind.Closed } part)
            {
                if (!part.IsLast)
                    Assert.That(async () => await socket.ReceiveAsync(disconnected), Throws.InvalidOperationException);
                await socket.SendPartAsync(part.Kind, part.Payload, part.IsLast, disconnected);
                if (!part.IsLast)
                    Assert.That(() => socket.Queue("x"u8), Throws.InvalidOperationException);
            }
        });
        using RawClient client = await UpgradeAsync(server);
        await client.SendAsync(Frame(0x01, "\u00C3"));
        Assert.That(await client.ReadBytesAsync(3), Is.EqualTo(Answer(0x01, "\u00C3")), "before the message is whole");
        await client.SendAsync(Frame(0x89, "p") + Frame(0x00, "\u00A9b") + Frame(0x80, "c") + Text("whole") + Frame(0x02, "x") + Frame(0x80, ""));
        Assert.That(await client.ReadBytesAsync(3 + 4 + 3 + 7 + 3 + 2), Is.EqualTo(
            Answer(0x8A, "p") + Answer(0x00, "\u00A9b") + Answer(0x80, "c") + Answer(0x81, "whole") + Answer(0x02, "x") + Answer(0x80, "")));
        await client.SendAsync(Frame(0x01, "\u00C3") + Frame(0x80, "("));
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo(Answer(0x01, "\u00C3") + CloseAnswer(1007)));
        Assert.That(server.Errors, Is.Empty);
    }

    [Test]
    public async Task A_large_frame_comes_in_parts_and_is_never_in_memory_at_once()
    {
        const int size = 1_000_000;
        List<int> parts = [];
        await using TestServer server = await StartAsync(async (socket, disconnected) =>
        {
            WebSocketMessage part;
            do
            {
                part = await socket.ReceivePartAsync(disconnected);
                parts.Add((int)part.Payload.Length);
            }
            while (!part.IsLast);
            await socket.ReceiveAsync(disconnected);
        });
        using RawClient client = await UpgradeAsync(server);
        await client.SendAsync((byte[])[0x82, 0xFF, 0, 0, 0, 0, 0, 0x0F, 0x42, 0x40, 0, 0, 0, 0, .. new byte[size], .. Encoding.Latin1.GetBytes(Close(1000))]);
        Assert.That(await client.ReadToEndAsync(), Is.EqualTo(CloseAnswer(1000)));
        Assert.That((parts.Sum(), parts.Max() <= 64 * 1024), Is.EqualTo((size, true)));
    }

    [Test]
    public async Task More_WebSockets_than_the_limit_are_refused_with_503_and_a_closed_one_makes_room()
    {
        await using TestServer server = await StartAsync(
            EchoAsync, server: new HttpServerOptions { Limits = new HttpServerLimits { MaxConcurrentWebSockets = 1 } });
        using (RawClient first = await UpgradeAsync(server))
        {
            Assert.That((await server.AskAsync(Upgrade)).Status, Is.EqualTo(503));
            Assert.That((await server.AskAsync("POST /ws HTTP/1.1\r\nHost: a\r\n\r\n")).Status, Is.EqualTo(200), "others are served");
            await first.SendAsync(Text("still") + Close(1000));
            Assert.That(await first.ReadToEndAsync(), Is.EqualTo(Answer(0x81, "still") + CloseAnswer(1000)));
        }

        Assert.That(async () => (await server.AskAsync(Upgrade)).Status, Is.EqualTo(101).After(60_000, 10));
    }
}
