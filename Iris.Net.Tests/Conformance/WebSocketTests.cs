using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a connection's messages mean, beyond the turns that they run.</summary>
public sealed class WebSocketTests
{
    private Channel _channel = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _channel = await Channel.StartAsync(Programs.Echo);

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    [Test]
    public async Task A_message_that_left_together_with_the_handshake_is_read()
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url, RawWebSocket.TextFrame("[1]"));
        Assert.That(await OutputAsync(socket), Is.EqualTo("[1]"));
    }

    [TestCase("\"token\"")]
    [TestCase("\"\"")]
    public async Task The_first_message_may_carry_no_token(string token)
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        foreach (int _ in (int[])[1, 2])
        {
            await socket.SendAsync($$"""{"continuationToken":{{token}}}""");
            Assert.That((await ErrorAsync(socket)).Message, Is.EqualTo("present no continuationToken to start a session"));
        }

        await socket.SendAsync("""{"a":1}""");
        Assert.That(await OutputAsync(socket), Is.EqualTo("""{"a":1}"""), "the connection stays open");
    }

    [Test]
    public async Task A_later_message_may_carry_the_current_token_and_no_other()
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync("{}");
        string spent = (await OutcomeAsync(socket)).GetProperty("continuationToken").GetString()!;
        await socket.SendAsync(Programs.WithToken("""{"a":1}""", spent));
        JsonElement second = await OutcomeAsync(socket);
        Assert.That(second.GetProperty("output").GetRawText(), Is.EqualTo("""{"a":1}"""));
        foreach (string wrong in (string[])[spent, "wrong"])
        {
            await socket.SendAsync(Programs.WithToken("{}", wrong));
            Assert.That(await ErrorAsync(socket), Is.EqualTo(("stale or invalid continuationToken", "stale-token")));
        }

        await socket.SendAsync("""{"continuationToken":5,"b":2}""");
        Assert.That(await OutputAsync(socket), Is.EqualTo("""{"b":2}"""), "what is no string is no token");
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("hello")]
    [TestCase("{")]
    [TestCase("{}{}")]
    [TestCase("\ufeff{}")]
    [TestCase("\ufeff")]
    [TestCase("\"\\ud800\"")]
    [TestCase("{\"\\udc00\":1}")]
    [TestCase("[1,]")]
    public async Task What_is_not_JSON_is_a_malformed_frame_and_no_more(string message)
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync(message);
        Assert.That(await ErrorAsync(socket), Is.EqualTo(("malformed JSON frame", "malformed-json")));
        await socket.SendAsync("1");
        Assert.That(await OutputAsync(socket), Is.EqualTo("1"));
        await socket.SendAsync(message);
        Assert.That(await ErrorAsync(socket), Is.EqualTo(("malformed JSON frame", "malformed-json")));
        await socket.SendAsync("2");
        Assert.That(await OutputAsync(socket), Is.EqualTo("2"));
    }

    [TestCase(64, true)]
    [TestCase(65, false)]
    public async Task A_message_is_64_deep_at_most(int depth, bool isBody)
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync(new string('[', depth) + new string(']', depth));
        if (isBody)
            Assert.That(await TextAsync(socket), Does.Contain("outcome").And.Contain(new string('[', depth)));
        else
            Assert.That((await ErrorAsync(socket)).Message, Is.EqualTo("malformed JSON frame"));
    }

    [Test]
    public async Task A_start_that_throws_leaves_its_session_bound_to_the_connection()
    {
        List<(string Session, long Turn, int Attempt)> seen = [];
        await using Channel channel = await Channel.StartAsync((turn, _) =>
        {
            seen.Add((turn.SessionId, turn.Number, turn.Attempt));
            return seen.Count < 4 ? throw new InvalidOperationException("boom") : Programs.Finish(JsonValue.Create(turn.Number));
        });
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        foreach (string body in (string[])["{}", "{}", "[]"])
        {
            await socket.SendAsync(body);
            Assert.That(await ErrorAsync(socket), Is.EqualTo(("turn failed", "turn-failed")));
        }

        await socket.SendAsync("[]");
        JsonElement outcome = await OutcomeAsync(socket);
        Assert.That(outcome.GetProperty("output").GetRawText(), Is.EqualTo("1"));
        string id = outcome.GetProperty("sessionId").GetString()!;
        Assert.That(seen, Is.EqualTo([(id, 1L, 1), (id, 1L, 2), (id, 1L, 1), (id, 1L, 2)]));
    }

    [Test]
    public async Task Two_messages_at_once_are_one_turn_and_one_error()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            await gate.PassAsync();
            return TurnOutcome.Finished(turn.Body);
        });
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.WriteAsync([.. RawWebSocket.TextFrame("1"), .. RawWebSocket.TextFrame("2"), .. RawWebSocket.TextFrame("3")]);
        Assert.That(await ErrorAsync(socket), Is.EqualTo(("a turn is already in flight for this session", "in-flight")));
        Assert.That(await ErrorAsync(socket), Is.EqualTo(("a turn is already in flight for this session", "in-flight")));
        await socket.SendAsync("{");
        Assert.That((await ErrorAsync(socket)).Message, Is.EqualTo("malformed JSON frame"));
        gate.Open();
        Assert.That(await OutputAsync(socket), Is.EqualTo("1"));
    }

    [Test]
    public async Task A_session_that_another_client_moved_on_is_continued_from_where_it_is()
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync("{}");
        JsonElement outcome = await OutcomeAsync(socket);
        await using HttpSessionClient other = HttpSessionClient.Of(
            _channel.Url, streams: false, outcome.GetProperty("sessionId").GetString()!, outcome.GetProperty("continuationToken").GetString()!);
        await other.SendAsync("{}");
        await socket.SendAsync(Programs.WithToken("{}", outcome.GetProperty("continuationToken").GetString()!));
        Assert.That((await ErrorAsync(socket)).Code, Is.EqualTo("stale-token"));
        await socket.SendAsync("3");
        Assert.That(await OutputAsync(socket), Is.EqualTo("3"));
    }

    [Test]
    public async Task A_message_in_fragments_with_a_ping_between_is_one_message()
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync(RawWebSocket.Message, "[\"a"u8, final: false);
        await socket.SendAsync(RawWebSocket.Ping, "hey"u8);
        await socket.SendAsync(RawWebSocket.Continuation, "\u00e9"u8[..1], final: false);
        RawFrame pong = await socket.ReceiveAsync();
        Assert.That((pong.Opcode, pong.Text), Is.EqualTo((RawWebSocket.Pong, "hey")));
        await socket.SendAsync(RawWebSocket.Continuation, "\u00e9"u8[1..], final: false);
        await socket.SendAsync(RawWebSocket.Continuation, "\"]"u8);
        Assert.That(await OutputAsync(socket), Is.EqualTo("[\"aé\"]"));
    }

    [Test]
    public async Task A_ping_is_answered_while_a_turn_runs()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate));
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("{}");
        await gate.ReachedAsync();
        await socket.SendAsync(RawWebSocket.Ping, "still there?"u8);
        Assert.That((await socket.ReceiveAsync()).ToString(), Is.EqualTo("opcode 10: still there?"));
        gate.Open();
        await OutcomeAsync(socket);
    }

    // Opcode, payload in Latin-1, what the server closes with.
    [TestCase(RawWebSocket.Binary, "{}", 1003)]
    [TestCase(RawWebSocket.Message, "\"\u00ff\"", 1007)]
    [TestCase(RawWebSocket.Message, "\u00c3", 1007)]
    [TestCase(RawWebSocket.Continuation, "{}", 1002)]
    [TestCase(3, "", 1002)]
    [TestCase(11, "", 1002)]
    [TestCase(RawWebSocket.Close, "\u0003\u00e8", 1000)]
    [TestCase(RawWebSocket.Close, "x", 1002)]
    [TestCase(RawWebSocket.Close, "\u0003\u00ed", 1002)]
    [TestCase(RawWebSocket.Close, "\u0003\u00e8\u00ff", 1007)]
    public async Task The_connection_is_closed_with_the_code_that_says_why(int opcode, string latin, int code)
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync((byte)opcode, System.Text.Encoding.Latin1.GetBytes(latin));
        RawFrame close = await socket.ReceiveAsync();
        Assert.That((close.Opcode, close.CloseCode), Is.EqualTo((RawWebSocket.Close, code)));
        await socket.SendCloseAsync(1000);
        Assert.That(await socket.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task A_frame_without_mask_is_a_protocol_error()
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync(RawWebSocket.Message, "{}"u8, masked: false);
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1002));
    }

    [Test]
    public async Task A_ping_of_126_bytes_is_a_protocol_error()
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync(RawWebSocket.Ping, new byte[126]);
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1002));
    }

    [Test]
    public async Task A_client_that_closes_in_a_turn_does_not_end_it()
    {
        using Gate gate = new();
        TaskCompletionSource<bool> cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Channel channel = await Channel.StartAsync(async (_, cancel) =>
        {
            await gate.PassAsync();
            cancelled.SetResult(cancel.IsCancellationRequested);
            return TurnOutcome.Finished();
        });
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("{}");
        await gate.ReachedAsync();
        await socket.SendCloseAsync(1000);
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1000));
        await socket.ReadToEndAsync();
        gate.Open();
        Assert.That(await cancelled.Task.Within(), Is.False);
    }

    [TestCase(1_048_576, true)]
    [TestCase(1_048_577, false)]
    public async Task A_message_is_a_mebibyte_at_most(int size, bool isBody)
    {
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(_channel.Url);
        await socket.SendAsync($"\"{new string('x', size - 2)}\"");
        if (isBody)
            Assert.That((await OutputAsync(socket)).Length, Is.EqualTo(size));
        else
            Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1009));
    }

    private static async Task<string> TextAsync(RawWebSocket socket)
    {
        while (true)
        {
            string text = await socket.ReceiveTextAsync();
            if (!text.StartsWith("{\"type\":\"record\"", StringComparison.Ordinal))
                return text;
        }
    }

    private static async Task<JsonElement> OutcomeAsync(RawWebSocket socket)
    {
        JsonElement outcome = JsonElement.Parse(await TextAsync(socket));
        Assert.That(outcome.GetProperty("type").GetString(), Is.EqualTo("outcome"), outcome.GetRawText());
        WireForm.CheckOutcome(outcome, isEvent: true);
        return outcome;
    }

    private static async Task<string> OutputAsync(RawWebSocket socket) => (await OutcomeAsync(socket)).GetProperty("output").GetRawText();

    private static async Task<(string Message, string Code)> ErrorAsync(RawWebSocket socket)
    {
        JsonElement error = JsonElement.Parse(await TextAsync(socket));
        Assert.That(error.GetProperty("type").GetString(), Is.EqualTo("error"), error.GetRawText());
        WireForm.CheckError(error);
        return (error.GetProperty("message").GetString()!, error.GetProperty("code").GetString()!);
    }
}
