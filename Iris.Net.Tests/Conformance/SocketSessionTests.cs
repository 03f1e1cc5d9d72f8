using System.Text.Json;
using System.Text.RegularExpressions;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>What is due to a client over a WebSocket: references, the replies before a close, and bounds.</summary>
public sealed class SocketSessionTests
{
    private const string Id = ",\"id\":\"[0-9]+\\.[0-9]+\\.[0-9]+\\.[A-Za-z0-9_-]{6}\"";

    [TestCase("\"a1\"", "\"a1\"")]
    [TestCase("7", "7")]
    [TestCase("{ \"x\" : [ 1, \" \" ] }", "{\"x\":[1,\" \"]}")]
    [TestCase("null", "null")]
    public async Task A_ref_is_cut_from_the_body_and_stands_last_on_every_event_that_it_causes(string sent, string echoed)
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("live", cancel);
            return TurnOutcome.Finished(turn.Body);
        });
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync($$"""{"$ref": {{sent}}, "a": 1}""");
        List<string> types = [];
        while (!types.Contains("outcome"))
        {
            string text = await socket.ReceiveTextAsync();
            Assert.That(text, Does.Match($",\"ref\":{Regex.Escape(echoed)}{Id}}}$"));
            JsonElement json = JsonElement.Parse(text);
            types.Add(json.GetProperty("type").GetString()!);
            if (types[^1] == "outcome")
                Assert.That(json.GetProperty("output").GetRawText(), Is.EqualTo("""{"a":1}"""));
        }

        Assert.That(types, Is.EqualTo((string[])["delta", "record", "outcome"]));
        await socket.SendAsync("""{"$ref":"wrong","continuationToken":"no"}""");
        Assert.That(await socket.ReceiveTextAsync(),
            Is.EqualTo("""{"type":"error","message":"stale or invalid continuationToken","code":"stale-token","ref":"wrong"}"""));
        await socket.SendAsync("2");
        Assert.That(await socket.ReceiveTextAsync(), Does.Not.Contain("ref"), "a message without one gets none");
    }

    [Test]
    public async Task An_error_says_where_the_missed_reply_is_and_why_a_session_is_gone()
    {
        await using Channel channel = await Channel.StartAsync((_, _) => ValueTask.FromResult(TurnOutcome.Finished()));
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("1");
        JsonElement first = await OutcomeAsync(socket);
        string id = first.GetProperty("sessionId").GetString()!, spent = first.GetProperty("continuationToken").GetString()!;
        await socket.SendAsync("2");
        string token = (await OutcomeAsync(socket)).GetProperty("continuationToken").GetString()!;
        await socket.SendAsync($$"""{"$ref":"again","continuationToken":"{{spent}}"}""");
        Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo(
            "{\"type\":\"error\",\"message\":\"stale or invalid continuationToken\",\"code\":\"stale-token\","
            + $"\"recover\":\"/v1/session/{id}/turn\",\"ref\":\"again\"}}"));
        RawResponse deleted = await channel.AskAsync(new RawRequest("DELETE", $"/v1/session/{id}", $"X-Continuation-Token: {token}"));
        Assert.That(deleted.Status, Is.EqualTo(204));
        await using RawWebSocket late = await RawWebSocket.OpenAsync(channel.Url);
        await late.SendAsync($$"""{"$iris":"attach","sessionId":"{{id}}","continuationToken":"{{token}}"}""");
        Assert.That(await late.ReceiveTextAsync(), Is.EqualTo(
            $"{{\"type\":\"error\",\"message\":\"unknown session '{id}'\",\"code\":\"unknown-session\",\"reason\":\"deleted\"}}"));

        static async Task<JsonElement> OutcomeAsync(RawWebSocket socket) =>
            JsonElement.Parse((await socket.ReceiveToOutcomeAsync())[^1]);
    }

    [Test]
    public async Task Each_of_two_messages_gets_its_own_ref()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate));
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("""{"$ref":1}""");
        await gate.ReachedAsync();
        await socket.SendAsync("""{"$ref":2}""");
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("in-flight").And.EndsWith(",\"ref\":2}"));
        gate.Open();
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("record").And.Match($",\"ref\":1{Id}}}$"));
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("outcome").And.Match($",\"ref\":1{Id}}}$"));
    }

    [TestCase("""{"$iris":"what"}""", "")]
    [TestCase("""{"$iris":5,"$ref":"r"}""", ",\"ref\":\"r\"")]
    [TestCase("""{"a":1,"\u0024iris":null}""", "")]
    public async Task An_unknown_control_message_is_a_bad_request_and_starts_nothing(string message, string rest)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Echo);
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync(message);
        Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo($$"""{"type":"error","message":"bad request","code":"bad-request"{{rest}}}"""));
        await socket.SendAsync("""{"a":{"$iris":1,"$ref":2}}""");
        string text;
        while (!(text = await socket.ReceiveTextAsync()).Contains("outcome"))
        {
        }

        Assert.That(text, Does.Contain("""{"a":{"$iris":1,"$ref":2}}"""), "deeper they mean nothing");
    }

    [TestCase(510, true)]
    [TestCase(511, false)]
    public async Task A_ref_has_512_bytes_at_most(int characters, bool isTaken)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Echo);
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        string reference = $"\"{new string('r', characters)}\"";
        await socket.SendAsync($$"""{"$ref":{{reference}}}""");
        Assert.That(await socket.ReceiveTextAsync(), isTaken ? Does.Match($"{reference}{Id}}}$") : Does.Contain("bad-request"));
    }

    [Test]
    public async Task To_the_base_protocol_both_are_members_of_a_body()
    {
        await using Channel channel = await Channel.StartAsync(
            (turn, _) => ValueTask.FromResult<TurnOutcome>(TurnOutcome.Finished(turn.Body)),
            options => options with { Compatibility = Compatibility.SeedExact });
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("""{"$ref":1,"$iris":"attach"}""");
        await socket.ReceiveTextAsync();
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("""output":{"$ref":1,"$iris":"attach"}""").And.Not.Contain("\"ref\""));
    }

    [Test]
    public async Task A_client_that_ended_its_side_gets_the_events_of_its_turn_before_the_close()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("early", cancel);
            await gate.PassAsync();
            return TurnOutcome.Finished();
        });
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("{}");
        await gate.ReachedAsync();
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("early"));
        socket.ShutdownSend();
        gate.Open();
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("finish"));
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("outcome"));
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1000));
        Assert.That(await socket.ReadToEndAsync(), Is.Empty);
    }

    [TestCase(RawWebSocket.Binary, "", 1003)]
    [TestCase(RawWebSocket.Message, "ff", 1007)]
    [TestCase(3, "", 1002)]
    [TestCase(RawWebSocket.Close, "03e9", 1001)]
    public async Task What_ends_the_connection_comes_after_the_reply_that_was_due(int opcode, string payload, int code)
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await Task.Yield();
            return TurnOutcome.Finished();
        });
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.WriteAsync([
            .. RawWebSocket.TextFrame("{}"), .. RawWebSocket.Frame((byte)opcode, Convert.FromHexString(payload))]);
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("finish"));
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("outcome"));
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(code));
        Assert.That(await socket.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task A_mistake_while_a_long_turn_runs_does_not_wait_for_it()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate));
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("{}");
        await gate.ReachedAsync();
        await socket.SendAsync(3, []);
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1002));
        Assert.That(await socket.ReadToEndAsync(), Is.Empty);
        gate.Open();
    }
}
