using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores.Files;
using RawClient = Iris.Net.Tests.Server.RawClient;

namespace Iris.Net.Tests.Conformance;

/// <summary>WebSockets that follow a session: <c>{"$iris":"attach"}</c>.</summary>
public sealed class AttachTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    private static readonly byte[] Upgrade = RawRequest.Get("/v1/ws", RawWebSocket.HandshakeFields).Bytes(new Uri("http://localhost"));

    private static string Attach(string session, string? token, string? after = null)
    {
        JsonObject message = new() { ["$iris"] = "attach", ["sessionId"] = session };
        if (token is not null)
            message["continuationToken"] = token;
        if (after is not null)
            message["after"] = after;
        return message.ToJsonString();
    }

    private static async Task<(string Id, string Token)> StartAsync(Channel channel, string body = "{}")
    {
        RawResponse reply = await channel.AskAsync(RawRequest.Post("/v1/session", body));
        Assert.That(reply.Status, Is.EqualTo(200), reply.Text);
        return reply.Session;
    }

    private static async Task<string> SendAsync(Channel channel, string id, string token, string body = "{}")
    {
        RawResponse reply = await channel.AskAsync(
            RawRequest.Post($"/v1/session/{id}/message", body, $"X-Continuation-Token: {token}"));
        Assert.That(reply.Status, Is.EqualTo(200), reply.Text);
        return reply.Json.GetProperty("continuationToken").GetString()!;
    }

    private static async Task<RawWebSocket> AttachAsync(Channel channel, string id, string token, string? after = null)
    {
        RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync(Attach(id, token, after));
        Assert.That(await socket.ReceiveTextAsync(), Does.StartWith("{\"type\":\"attached\""));
        return socket;
    }

    private static string TypeOf(string message) => JsonElement.Parse(message).GetProperty("type").GetString()!;

    [TestCase(false, false)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public async Task A_client_that_is_cut_after_every_event_and_changes_its_transport_misses_nothing(bool isPaced, bool isDurable)
    {
        using TempDirectory directory = new();
        await using FileStateStore? store = isDurable ? new FileStateStore(directory.Path) : null;
        using SemaphoreSlim pace = new(0);
        await using Channel channel = await Channel.StartAsync(ResumeTests.Talk(isPaced ? pace : null), o => o with { Store = store });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(1);
        for (int i = 0; client.Outcome is null; i++)
        {
            Assert.That(i, Is.LessThan(400));
            if (isPaced)
                pace.Release();
            if (i % 2 == 0)
                await client.AttachAsync(1);
            else
                Assert.That(await client.ResumeAsync(1), Is.EqualTo(200));
        }

        ResumeTests.CheckWhole(client);
        Assert.That(await client.ResumeAsync(), Is.EqualTo(204), "there is nothing more");
    }

    [Test]
    public async Task A_client_that_is_cut_within_any_frame_and_changes_its_transport_misses_nothing()
    {
        Random random = new(4711);
        await using Channel channel = await Channel.StartAsync(ResumeTests.Talk());
        ResumingClient client = new(channel.Url);
        await client.StartAsync(1);
        for (int i = 0; client.Outcome is null; i++)
        {
            Assert.That(i, Is.LessThan(4000));
            if (i % 2 == 0)
            {
                await client.ResumeAsync(random.Next(1, 5));
                continue;
            }

            using RawClient socket = await RawClient.ConnectAsync(channel.Url);
            await socket.SendAsync((byte[])[.. Upgrade, .. RawWebSocket.TextFrame(client.AttachMessage())]);
            byte[] read = Encoding.Latin1.GetBytes(await socket.ReadUntilAsync("\"outcome\"", random.Next(300, 2500)));
            foreach (string message in Frames(read))
                if (message.Contains("\"overloaded\"", StringComparison.Ordinal))
                    break;   // the server has still to notice that others are gone
                else if (TypeOf(message) != "attached")
                    client.TakeMessage(message);
        }

        ResumeTests.CheckWhole(client);
    }

    // The whole frames of what was read.
    private static IEnumerable<string> Frames(byte[] read)
    {
        int at = read.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        while (at >= 4 && read.Length >= at + 4)
        {
            bool isLong = read[at + 1] == 126;
            int start = at + (isLong ? 4 : 2), length = isLong ? (read[at + 2] << 8) | read[at + 3] : read[at + 1];
            at = start + length;
            if (at <= read.Length)
                yield return Encoding.UTF8.GetString(read, start, length);
        }
    }

    [Test]
    public async Task A_client_goes_on_over_both_when_the_server_was_restarted_in_the_middle()
    {
        using TempDirectory directory = new();
        using SemaphoreSlim pace = new(0), freed = new(ResumeTests.Rounds);
        Func<RestChannelOptions, RestChannelOptions> With(FileStateStore store) => o => o with { Store = store, ShutdownGrace = TimeSpan.Zero };
        ResumingClient client;
        await using (FileStateStore store = new(directory.Path))
        await using (Channel channel = await Channel.StartAsync(ResumeTests.Talk(pace), With(store)))
        {
            client = new(channel.Url);
            await client.StartAsync(1);
            for (int i = 0; i < 60; i++)
            {
                if (i % 2 == 0)
                    pace.Release();
                await (i % 4 < 2 ? client.AttachAsync(1) : client.ResumeAsync(1));
            }
        }

        await using FileStateStore reopened = new(directory.Path);
        await using Channel next = await Channel.StartAsync(ResumeTests.Talk(freed), With(reopened));
        client.MoveTo(next.Url);
        await SendAsync(next, client.SessionId, client.Token);
        for (int i = 0; client.Outcome is null; i++)
        {
            Assert.That(i, Is.LessThan(400));
            await (i % 2 == 0 ? client.AttachAsync(1) : client.ResumeAsync(1));
        }

        Assert.That(client.Gaps.Select(gap => gap.GetProperty("lost").GetString()), Has.All.AnyOf("delta", "attempt"));
        Assert.That(client.Gaps, Is.Not.Empty);
        Assert.That(client.Records, Has.Count.EqualTo((2 * ResumeTests.Rounds) + 1).And.Unique);
        Assert.That(
            client.Records.Select(r => JsonElement.Parse(r).GetProperty("record").GetProperty("seq").GetInt64()), Is.Ordered.Ascending);
        Assert.That(client.Outcome?.GetProperty("output").GetString(), Is.EqualTo("end"));
    }

    [Test]
    public async Task All_that_follow_a_turn_get_the_same_with_the_same_ids()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            if (turn.Number == 1)
                return TurnOutcome.ParkedOnUser();
            await gate.PassAsync();
            for (int i = 0; i < 20; i++)
            {
                await turn.DeltaAsync($"{i} ", cancel);
                await Programs.StepAsync(turn, "s", () => i);
            }

            return TurnOutcome.Finished();
        });
        (string id, string token) = await StartAsync(channel);
        await using RawWebSocket one = await AttachAsync(channel, id, token), other = await AttachAsync(channel, id, token);
        await one.ReceiveToOutcomeAsync();
        await other.ReceiveToOutcomeAsync();
        Task<RawResponse> posted = channel.AskAsync(RawRequest.Post(
            $"/v1/session/{id}/message", "{}", $"X-Continuation-Token: {token}", "Accept: text/event-stream"));
        await gate.ReachedAsync();
        gate.Open();
        List<string> first = await one.ReceiveToOutcomeAsync();
        Assert.That(await other.ReceiveToOutcomeAsync(), Is.EqualTo(first));
        ResumingClient stream = new(channel.Url), socket = new(channel.Url);
        foreach (string frame in (await posted).Text.Split("\n\n")[..^1])
            stream.Take(new RawEvent(frame));
        first.ForEach(socket.TakeMessage);
        Assert.That(socket.Ids, Is.EqualTo(stream.Ids));
        Assert.That((socket.Records, socket.Text), Is.EqualTo((stream.Records, stream.Text)));
        Assert.That(socket.Outcome?.GetRawText(), Is.EqualTo(stream.Outcome?.GetRawText()));
        Assert.That(socket.Records, Has.Count.EqualTo(41));
        ResumeTests.CheckRising(socket.Ids);
    }

    [TestCase("\"sessionId\":\"nowhere\",\"continuationToken\":\"T\"", "unknown session 'nowhere'", "unknown-session")]
    [TestCase("\"sessionId\":\"S\"", "missing continuationToken", "missing-token")]
    [TestCase("\"sessionId\":\"S\",\"continuationToken\":\"\"", "missing continuationToken", "missing-token")]
    [TestCase("\"sessionId\":\"S\",\"continuationToken\":5", "missing continuationToken", "missing-token")]
    [TestCase("\"sessionId\":\"S\",\"continuationToken\":\"wrong\"", "stale or invalid continuationToken", "stale-token")]
    [TestCase("\"continuationToken\":\"T\"", "bad request", "bad-request")]
    [TestCase("\"sessionId\":7,\"continuationToken\":\"T\"", "bad request", "bad-request")]
    [TestCase("\"sessionId\":\"S\",\"continuationToken\":\"T\",\"after\":\"x\"", "bad request", "bad-request")]
    [TestCase("\"sessionId\":\"S\",\"continuationToken\":\"T\",\"after\":5", "bad request", "bad-request")]
    [TestCase("\"sessionId\":\"S\",\"continuationToken\":\"T\",\"after\":\"3.1.0.abcdef\"", "bad request", "bad-request")]
    public async Task The_third_failed_attach_ends_the_connection(string members, string text, string code)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        (string id, string token) = await StartAsync(channel);
        string message = $$"""{"$iris":"attach","$ref":1,{{members.Replace("\"S\"", $"\"{id}\"").Replace("\"T\"", $"\"{token}\"")}}}""";
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        for (int i = 0; i < 3; i++)
        {
            await socket.SendAsync(message);
            Assert.That(
                await socket.ReceiveTextAsync(), Is.EqualTo($$"""{"type":"error","message":"{{text}}","code":"{{code}}","ref":1}"""));
        }

        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1008));
    }

    [Test]
    public async Task After_two_that_failed_a_third_may_attach_and_a_long_id_is_not_echoed()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        (string id, string token) = await StartAsync(channel);
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync(Attach(new string('x', 129), token));
        Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo("""{"type":"error","message":"unknown session","code":"unknown-session"}"""));
        await socket.SendAsync(Attach(id, "no"));
        await socket.ReceiveTextAsync();
        await socket.SendAsync(Attach(id, token));
        Assert.That(await socket.ReceiveTextAsync(), Does.StartWith($$"""{"type":"attached","sessionId":"{{id}}","turn":1,"live":false,"id":"1."""));
        List<string> replayed = await socket.ReceiveToOutcomeAsync();
        Assert.That(replayed.Select(TypeOf), Is.EqualTo((string[])["gap", "record", "outcome"]), "whether there was text is not known");
        Assert.That(replayed[^1], Does.Contain($"\"continuationToken\":\"{token}\""));
        await socket.SendAsync(Attach(id, token));
        Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo("""{"type":"error","message":"bad request","code":"bad-request"}"""));
    }

    [Test]
    public async Task Only_the_first_message_attaches()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        (string id, string token) = await StartAsync(channel);
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("{}");
        await socket.ReceiveToOutcomeAsync();
        for (int i = 0; i < 4; i++)
        {
            await socket.SendAsync(Attach(id, token));
            Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo("""{"type":"error","message":"bad request","code":"bad-request"}"""));
        }

        await SendAsync(channel, id, token);
        await socket.SendAsync("{}");
        Assert.That((await socket.ReceiveToOutcomeAsync())[^1], Does.Contain("\"output\":2").And.Not.Contain(id), "it is bound to its own");
    }

    [Test]
    public async Task An_attached_connection_sees_every_turn_and_the_ref_of_its_own()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        await using RawWebSocket plain = await RawWebSocket.OpenAsync(channel.Url);
        await plain.SendAsync("{}");
        JsonElement start = JsonElement.Parse((await plain.ReceiveToOutcomeAsync())[^1]);
        string id = start.GetProperty("sessionId").GetString()!, token = start.GetProperty("continuationToken").GetString()!;
        await using RawWebSocket one = await AttachAsync(channel, id, token), other = await AttachAsync(channel, id, token);
        await one.ReceiveToOutcomeAsync();
        await other.ReceiveToOutcomeAsync();

        await one.SendAsync("""{"$ref":"mine"}""");
        List<string> own = await one.ReceiveToOutcomeAsync(), seen = await other.ReceiveToOutcomeAsync();
        Assert.That(own, Has.All.Contain(",\"ref\":\"mine\",\"id\":\"2."));
        Assert.That(seen, Is.EqualTo(own.Select(message => message.Replace(",\"ref\":\"mine\"", ""))));
        token = JsonElement.Parse(own[^1]).GetProperty("continuationToken").GetString()!;

        await plain.SendAsync("""{"$ref":"plain"}""");
        Assert.That((await plain.ReceiveToOutcomeAsync())[^1], Does.Contain("\"output\":3"), "it was told of no turn but its own");
        token = JsonElement.Parse((await one.ReceiveToOutcomeAsync())[^1]).GetProperty("continuationToken").GetString()!;
        await SendAsync(channel, id, token);
        Assert.That((await one.ReceiveToOutcomeAsync())[^1], Does.Contain("\"output\":4").And.Not.Contain("ref"));
        List<string> both = [.. await other.ReceiveToOutcomeAsync(), .. await other.ReceiveToOutcomeAsync()];
        Assert.That(string.Concat(both), Does.Contain("\"output\":3").And.Contain("\"output\":4").And.Not.Contain("\"ref\""));
    }

    [Test]
    public async Task One_that_attached_with_the_spent_token_reads_and_acts_once_it_presents_the_current_one()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            if (turn.Number == 4)
                await gate.PassAsync().WaitAsync(cancel);
            return await Programs.Count(turn, cancel);
        });
        (string id, string spent) = await StartAsync(channel);
        string token = await SendAsync(channel, id, spent);
        await using RawWebSocket socket = await AttachAsync(channel, id, spent);
        Assert.That((await socket.ReceiveToOutcomeAsync())[^1], Does.Contain("\"output\":2"));
        await socket.SendAsync("{}");
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("\"missing-token\""));
        await socket.SendAsync("""{"$iris":"cancel"}""");
        Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo("""{"type":"idle"}"""));
        await socket.SendAsync($$"""{"continuationToken":"{{spent}}"}""");
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("\"stale-token\""));
        await socket.SendAsync($$"""{"continuationToken":"{{token}}"}""");
        Assert.That((await socket.ReceiveToOutcomeAsync())[^1], Does.Contain("\"output\":3"));
        await socket.SendAsync("{}");
        await gate.ReachedAsync();
        await socket.SendAsync("""{"$iris":"cancel"}""");
        List<string> rest = await socket.ReceiveToOutcomeAsync();
        if (!rest.Contains("""{"type":"cancelling","turn":4}"""))
            rest.Add(await socket.ReceiveTextAsync());
        Assert.That(rest, Does.Contain("""{"type":"cancelling","turn":4}"""));
        Assert.That(string.Concat(rest), Does.Contain("\"reason\":\"cancelled\""));
    }

    [Test]
    public async Task A_reader_that_may_not_act_cannot_cancel_a_later_turn()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            if (turn.Number == 3)
                await gate.PassAsync();
            return await Programs.Count(turn, cancel);
        });
        (string id, string spent) = await StartAsync(channel);
        string token = await SendAsync(channel, id, spent);
        await using RawWebSocket socket = await AttachAsync(channel, id, spent);
        await socket.ReceiveToOutcomeAsync();
        Task<string> running = SendAsync(channel, id, token);
        await gate.ReachedAsync();
        await socket.SendAsync("""{"$iris":"cancel"}""");
        Assert.That(await socket.ReceiveTextAsync(), Does.Contain("\"stale-token\""));
        gate.Open();
        await running;
        Assert.That((await socket.ReceiveToOutcomeAsync())[^1], Does.Contain("\"output\":3"));
    }

    [Test]
    public async Task Whoever_reads_too_slowly_is_told_1013()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            for (int i = 0; turn.Number > 1 && i < 2000; i++)
                await turn.DeltaAsync(new string('d', 8192), cancel);
            return TurnOutcome.ParkedOnUser();
        });
        (string id, string token) = await StartAsync(channel);
        using RawClient late = await RawClient.ConnectAsync(channel.Url, receiveBuffer: 4096);
        await late.SendAsync(Upgrade);
        await late.SendAsync(RawWebSocket.TextFrame(Attach(id, token)));
        await late.ReadUntilAsync("\"outcome\"");
        await SendAsync(channel, id, token);
        string all = await late.ReadToEndAsync();
        Assert.That(all, Does.EndWith("\u0088\u0002\u0003\u00f5"));
    }

    [Test]
    public async Task A_session_that_is_deleted_ends_what_follows_it()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        (string id, string token) = await StartAsync(channel);
        await using RawWebSocket socket = await AttachAsync(channel, id, token);
        await socket.ReceiveToOutcomeAsync();
        await using RawConnection stream = await RawConnection.OpenAsync(channel.Url);
        await stream.WriteAsync(RawRequest.Get($"/v1/session/{id}/stream?follow=1", $"X-Continuation-Token: {token}").Bytes(channel.Url));
        await stream.ReadHeadAsync();
        RawResponse deleted = await channel.AskAsync(
            new RawRequest("DELETE", $"/v1/session/{id}", $"X-Continuation-Token: {token}"));
        Assert.That(deleted.Status, Is.EqualTo(204));
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1000));
        RawEventStream events = new(stream);
        while (await events.NextAsync() is not null)
        {
        }
    }

    [Test]
    public async Task A_server_that_stops_lets_the_turn_end_and_says_1001()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate), o => o with { ShutdownGrace = TimeSpan.FromSeconds(20) });
        JsonElement begun = (await channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Prefer: respond-async"))).Json;
        await gate.ReachedAsync();
        await using RawWebSocket socket = await AttachAsync(
            channel, begun.GetProperty("sessionId").GetString()!, begun.GetProperty("continuationToken").GetString()!);
        Task stopped = channel.StopAsync();
        gate.Open();
        await socket.ReceiveToOutcomeAsync();
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1001));
        await socket.SendCloseAsync(1001);
        socket.ShutdownSend();
        await stopped.Within();
    }

    [Test]
    public async Task One_that_ended_its_side_gets_its_turn_before_the_close()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number > 1)
                await gate.PassAsync();
            return TurnOutcome.Finished();
        });
        (string id, string token) = await StartAsync(channel);
        await using RawWebSocket socket = await AttachAsync(channel, id, token), idle = await AttachAsync(channel, id, token);
        await socket.ReceiveToOutcomeAsync();
        await socket.SendAsync("{}");
        await gate.ReachedAsync();
        socket.ShutdownSend();
        gate.Open();
        await socket.ReceiveToOutcomeAsync();
        Assert.That((await socket.ReceiveAsync()).CloseCode, Is.EqualTo(1000));
        await idle.ReceiveToOutcomeAsync();
        await idle.ReceiveToOutcomeAsync();
        idle.ShutdownSend();
        Assert.That((await idle.ReceiveAsync()).CloseCode, Is.EqualTo(1000));
    }

    [Test]
    public async Task Attached_connections_are_counted_among_the_readers()
    {
        await using Channel channel = await Channel.StartAsync(
            Programs.Count, o => o with { Limits = o.Limits with { MaxReadersPerSession = 2 } });
        (string id, string token) = await StartAsync(channel);
        RawWebSocket one = await AttachAsync(channel, id, token);
        await using RawWebSocket two = await AttachAsync(channel, id, token), late = await RawWebSocket.OpenAsync(channel.Url);
        RawRequest stream = RawRequest.Get($"/v1/session/{id}/stream", $"X-Continuation-Token: {token}");
        WireForm.CheckRefusal(await channel.AskAsync(stream), 503, "overloaded", "overloaded");
        for (int i = 0; i < 4; i++)
        {
            await late.SendAsync(Attach(id, token));
            Assert.That(await late.ReceiveTextAsync(), Does.Contain("\"code\":\"overloaded\""));
        }

        await one.DisposeAsync();
        await Patience.Until(async () => (await channel.AskAsync(stream)).Status == 200);
        await Patience.Until(async () =>
        {
            await late.SendAsync(Attach(id, token));
            return TypeOf(await late.ReceiveTextAsync()) == "attached";
        });
    }

    [Test]
    public async Task One_principal_s_session_is_unknown_to_another()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with
        {
            Authorize = (exchange, _) => ValueTask.FromResult(
                exchange.Request.Headers.TryGet("authorization"u8, out ReadOnlySpan<byte> who)
                    ? AuthorizeResult.Allow(Encoding.UTF8.GetString(who)) : AuthorizeResult.Refuse()),
        });
        RawResponse reply = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Authorization: me"));
        string id = reply.Json.GetProperty("sessionId").GetString()!, token = reply.Json.GetProperty("continuationToken").GetString()!;
        await using RawWebSocket other = await RawWebSocket.OpenAsync(channel.Url, ["Authorization: other"], []);
        await other.SendAsync(Attach(id, token));
        Assert.That(await other.ReceiveTextAsync(), Does.Contain($"unknown session '{id}'"));
        await using RawWebSocket mine = await RawWebSocket.OpenAsync(channel.Url, ["Authorization: me"], []);
        await mine.SendAsync(Attach(id, token));
        Assert.That(TypeOf(await mine.ReceiveTextAsync()), Is.EqualTo("attached"));
    }

    // Connections that attach at any moment of turns that begin and commit without a pause.
    [Test, Category("Long")]
    public async Task Whoever_attaches_while_turns_commit_sees_every_later_turn_once_and_in_order()
    {
        int rounds = IsLong ? 300 : 10, turns = 12;
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync($"a{turn.Number} ", cancel);
            await Programs.StepAsync(turn, "s", () => 1);
            await turn.DeltaAsync($"b{turn.Number} ", cancel);
            return await Programs.Count(turn, cancel);
        });
        for (int round = 0; round < rounds; round++)
        {
            (string id, string token) = await StartAsync(channel);
            string[] tokens = [token];
            Task<List<string>>[] readers = [.. Enumerable.Range(0, 3).Select(i => Task.Run(async () =>
            {
                List<string> events = [];
                RawWebSocket? socket = null;
                while (socket is null)
                {
                    RawWebSocket tried = await RawWebSocket.OpenAsync(channel.Url);
                    await tried.SendAsync(Attach(id, Volatile.Read(ref tokens[0])));
                    if (TypeOf(await tried.ReceiveTextAsync()) == "attached")
                        socket = tried;
                    else
                        await tried.DisposeAsync();   // the token went by
                }

                await using (socket)
                    while (events.Count == 0 || TypeOf(events[^1]) != "outcome" || !events[^1].Contains($"\"output\":{turns}", StringComparison.Ordinal))
                        events.Add(await socket.ReceiveTextAsync());
                return events;
            }))];
            for (int turn = 2; turn <= turns; turn++)
                Volatile.Write(ref tokens[0], await SendAsync(channel, id, tokens[0]));
            foreach (List<string> events in await Task.WhenAll(readers).Within())
            {
                ResumingClient client = new(channel.Url);
                events.ForEach(client.TakeMessage);
                string[] outcomes = [.. events.Where(e => TypeOf(e) == "outcome")];
                int first = JsonElement.Parse(outcomes[0]).GetProperty("output").GetInt32();
                Assert.That(
                    outcomes.Select(e => JsonElement.Parse(e).GetProperty("output").GetInt32()),
                    Is.EqualTo(Enumerable.Range(first, turns - first + 1)), $"round {round}");
                Assert.That(client.Records, Has.Count.EqualTo(3 * outcomes.Length).And.Unique, $"round {round}");
                string text = client.Text;
                string all = string.Join("\n", events.Select(e => e.Length > 160 ? e[..60] + "…" + e[^60..] : e));
                // Of the turn that was attached to, text may be gone, which is said; of later ones none is.
                Assert.That(text, Does.EndWith(string.Concat(Enumerable.Range(first + 1, turns - first).Select(t => $"a{t} b{t} "))), $"round {round}\n{all}");
                Assert.That(client.Gaps, Has.Count.LessThanOrEqualTo(1), $"round {round}");
            }
        }
    }
}
