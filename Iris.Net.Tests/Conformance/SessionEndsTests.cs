using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>Cancel, interrupt and deletion as clients see them.</summary>
public sealed class SessionEndsTests
{
    private static RawRequest Cancel(string id, string? token, string body = "") => RawRequest.Post(
        $"/v1/session/{id}/cancel", body, token is null ? [] : [$"X-Continuation-Token: {token}"]);

    private static RawRequest Send(string id, string token, params string[] fields) =>
        RawRequest.Post($"/v1/session/{id}/message", "{}", [$"X-Continuation-Token: {token}", .. fields]);

    private static RawRequest Delete(string id, string? token) =>
        new("DELETE", $"/v1/session/{id}", token is null ? [] : [$"X-Continuation-Token: {token}"]);

    // Turns but the first wait to be cancelled.
    private static Task<Channel> StartAsync(Gate gate) => Channel.StartAsync(async (turn, cancel) =>
    {
        if (turn.Number == 1)
            return TurnOutcome.ParkedOnUser();
        _ = gate.PassAsync();
        await Task.Delay(Timeout.Infinite, cancel);
        return TurnOutcome.Finished();
    });

    [TestCase(Face.Json)]
    [TestCase(Face.Sse)]
    public async Task A_cancelled_turn_ends_aborted(Face face)
    {
        using Gate gate = new();
        await using Channel channel = await StartAsync(gate);
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("{}");
        string id = client.SessionId!, token = client.Token!;
        RunningTurn running = await client.BeginAsync("{}");
        await gate.ReachedAsync();
        foreach (string body in (string[])["", "{}"])
        {
            RawResponse cancelled = await channel.AskAsync(Cancel(id, token, body));
            WireForm.CheckReply(cancelled);
            // The end may come between the two.
            Assert.That((cancelled.Status, cancelled.Text), Is
                .EqualTo((202, $$"""{"sessionId":"{{id}}","turn":2,"status":"cancelling"}"""))
                .Or.EqualTo((body == "" ? 202 : 200, $$"""{"sessionId":"{{id}}","status":"idle"}""")));
        }

        TurnReply end = await running.EndAsync();
        Assert.That(end.Token, Is.EqualTo(token));
        RawResponse receipt = await channel.AskAsync(RawRequest.Get($"/v1/session/{id}/turn", $"X-Continuation-Token: {token}"));
        Assert.That((receipt["Iris-Turn"], receipt["Iris-Outcome"], receipt.Text), Is.EqualTo(("2", "aborted",
            $$"""{"sessionId":"{{id}}","continuationToken":"{{token}}","status":"aborted","committed":false,"reason":"cancelled"}""")));
        RawResponse idle = await channel.AskAsync(Cancel(id, token));
        Assert.That((idle.Status, idle.Text), Is.EqualTo((200, $$"""{"sessionId":"{{id}}","status":"idle"}""")));
    }

    [Test]
    public async Task A_cancel_is_refused_as_a_message_is_and_the_spent_token_is_told_where_its_reply_is()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        (string id, string spent) = await channel.BeginAsync();
        string token = (await channel.AskAsync(Send(id, spent))).Json.GetProperty("continuationToken").GetString()!;
        WireForm.CheckRefusal(await channel.AskAsync(Cancel("no", token)), 404, "unknown session 'no'", "unknown-session");
        WireForm.CheckRefusal(await channel.AskAsync(Cancel("%ZZ", token)), 400, "malformed session id", "malformed-path");
        WireForm.CheckRefusal(await channel.AskAsync(Cancel(new string('x', 129), token)), 404, "unknown session", "unknown-session");
        WireForm.CheckRefusal(await channel.AskAsync(Cancel(id, null)), 400, "missing continuationToken", "missing-token");
        WireForm.CheckRefusal(await channel.AskAsync(Cancel(id, "x")), 409, "stale or invalid continuationToken", "stale-token");
        WireForm.CheckRefusal(await channel.AskAsync(Cancel(id, token, "{")), 400, "malformed JSON body", "malformed-json");
        RawResponse idle = await channel.AskAsync(Cancel(id, spent));
        Assert.That((idle.Status, idle.Text), Is.EqualTo(
            (200, $$"""{"sessionId":"{{id}}","status":"idle","recover":"/v1/session/{{id}}/turn"}""")));
        RawResponse get = await channel.AskAsync(RawRequest.Get($"/v1/session/{id}/cancel"));
        Assert.That((get.Status, get["Allow"]), Is.EqualTo((405, "POST")));
    }

    [Test]
    public async Task A_bound_connection_cancels_its_turn()
    {
        using Gate gate = new();
        await using Channel channel = await StartAsync(gate);
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync("""{"$iris":"cancel"}""");
        Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo("""{"type":"idle"}"""));
        await socket.SendAsync("{}");
        while (!(await socket.ReceiveTextAsync()).Contains("\"outcome\"", StringComparison.Ordinal))
        {
        }

        await socket.SendAsync("{}");
        await gate.ReachedAsync();
        await socket.SendAsync("""{"$iris":"cancel","$ref":7}""");
        List<string> received = [await socket.ReceiveTextAsync(), await socket.ReceiveTextAsync()];
        Assert.That(received, Has.Member("""{"type":"cancelling","turn":2,"ref":7}"""));
        Assert.That(received, Has.Some.Contains("\"status\":\"aborted\"").And.Contains("\"committed\":false,\"reason\":\"cancelled\""));
        await socket.SendAsync("""{"$iris":"cancel"}""");
        Assert.That(await socket.ReceiveTextAsync(), Is.EqualTo("""{"type":"idle"}"""));
    }

    [Test]
    public async Task A_message_that_interrupts_takes_the_place_of_the_one_that_runs()
    {
        using Gate gate = new();
        await using Channel channel = await StartAsync(gate);
        (string id, string token) = await channel.BeginAsync();
        Task<RawResponse> first = channel.AskAsync(Send(id, token));
        await gate.ReachedAsync();
        foreach (string field in (string[])["X: none", "Iris-If-Busy: reject"])
            WireForm.CheckRefusal(
                await channel.AskAsync(Send(id, token, field)), 409, "a turn is already in flight for this session", "in-flight");
        foreach (string[] wrong in (string[][])[["Iris-If-Busy: wait"], ["Iris-If-Busy: interrupt", "Iris-If-Busy: interrupt"], ["Iris-If-Busy: "]])
            WireForm.CheckRefusal(await channel.AskAsync(Send(id, token, wrong)), 400, "bad request", "bad-request");
        Task<RawResponse> second = channel.AskAsync(Send(id, token, "Iris-If-Busy: interrupt"));
        RawResponse ended = await first.Within("the end of the interrupted turn");
        Assert.That(ended.Text, Does.EndWith("\"status\":\"aborted\",\"committed\":false,\"reason\":\"cancelled\"}"));
        await Patience.Until(async () => (await channel.AskAsync(Cancel(id, token))).Status == 202, "the second turn's cancel");
        Assert.That((await second.Within("the end of the second")).Text, Does.Contain("\"reason\":\"cancelled\""));
    }

    [Test]
    public async Task A_deleted_session_is_unknown_and_why()
    {
        using Gate gate = new();
        await using Channel channel = await StartAsync(gate);
        (string id, string token) = await channel.BeginAsync();
        WireForm.CheckRefusal(await channel.AskAsync(Delete(id, null)), 400, "missing continuationToken", "missing-token");
        WireForm.CheckRefusal(await channel.AskAsync(Delete(id, "x")), 409, "stale or invalid continuationToken", "stale-token");
        WireForm.CheckRefusal(await channel.AskAsync(Delete("no", token)), 404, "unknown session 'no'", "unknown-session");
        Task<RawResponse> running = channel.AskAsync(Send(id, token));
        await gate.ReachedAsync();
        WireForm.CheckRefusal(await channel.AskAsync(Delete(id, token)), 409, "a turn is already in flight for this session", "in-flight");
        await channel.AskAsync(Cancel(id, token));
        await running;
        RawResponse deleted = await channel.AskAsync(Delete(id, token));
        Assert.That((deleted.Status, deleted.Text), Is.EqualTo((204, "")));
        foreach (RawRequest request in (RawRequest[])[
            Send(id, token), Delete(id, token), Cancel(id, token), Send(id, ""), RawRequest.Get($"/v1/session/{id}"),
            RawRequest.Get($"/v1/session/{id}/turn"), RawRequest.Get($"/v1/session/{id}/timeline"), Send(id, token, "Idempotency-Key: k")])
        {
            RawResponse refused = await channel.AskAsync(request);
            Assert.That((refused.Status, refused.Text), Is.EqualTo(
                (404, $$"""{"error":"unknown session '{{id}}'","code":"unknown-session","reason":"deleted"}""")));
        }
    }

    [Test]
    public async Task A_START_with_the_key_of_a_deleted_session_starts_none()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        RawRequest start = RawRequest.Post("/v1/session", "{}", "Idempotency-Key: twenty-characters-and-more");
        JsonElement started = (await channel.AskAsync(start)).Json;
        string id = started.GetProperty("sessionId").GetString()!;
        Assert.That((await channel.AskAsync(Delete(id, started.GetProperty("continuationToken").GetString()))).Status, Is.EqualTo(204));
        RawResponse again = await channel.AskAsync(start);
        Assert.That((again.Status, again.Text), Is.EqualTo(
            (404, $$"""{"error":"unknown session '{{id}}'","code":"unknown-session","reason":"deleted"}""")));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task With_its_session_a_connection_and_whoever_follows_it_end(bool expires)
    {
        ManualTime time = new();
        await using Channel channel = await Channel.StartAsync(
            Programs.Count, o => o with { Time = time, SessionTtl = expires ? TimeSpan.FromSeconds(10) : null });
        List<RawWebSocket> sockets = [];
        List<(string Id, string Token)> sessions = [];
        for (int i = 0; i < 3; i++)
        {
            RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
            sockets.Add(socket);
            await socket.SendAsync("{}");
            string told;
            while (!(told = await socket.ReceiveTextAsync()).Contains("\"outcome\"", StringComparison.Ordinal))
            {
            }

            JsonElement outcome = JsonElement.Parse(told);
            sessions.Add((outcome.GetProperty("sessionId").GetString()!, outcome.GetProperty("continuationToken").GetString()!));
        }

        sockets[2].Abort();
        List<RawEventStream> streams = [];
        foreach (string credential in (string[])[$"X-Continuation-Token: {sessions[0].Token}", $"X-Continuation-Token: {sessions[0].Token}"])
        {
            RawConnection connection = await RawConnection.OpenAsync(channel.Url);
            await connection.WriteAsync(RawRequest.Get($"/v1/session/{sessions[0].Id}/stream?follow=1", credential).Bytes(channel.Url));
            Assert.That((await connection.ReadHeadAsync()).Status, Is.EqualTo(200));
            RawEventStream stream = new(connection);
            streams.Add(stream);
            while ((await stream.NextAsync())!.Type != "outcome")
            {
            }
        }

        if (expires)
            await Patience.Until(async () =>
            {
                time.Advance(1);
                return (await channel.AskAsync(RawRequest.Get($"/v1/session/{sessions[0].Id}"))).Status == 404;
            });
        else
            Assert.That((await channel.AskAsync(Delete(sessions[0].Id, sessions[0].Token))).Status, Is.EqualTo(204));
        Assert.That((await sockets[0].ReceiveAsync()).CloseCode, Is.EqualTo(1000));
        foreach (RawEventStream stream in streams)
        {
            RawEvent? last;
            while ((last = await stream.NextAsync())?.Text == ": hb")
            {
            }

            Assert.That(last, Is.Null, "the stream is over");
        }

        if (!expires)
        {
            await sockets[1].SendAsync("{}");
            Assert.That(await sockets[1].ReceiveTextAsync(), Does.Contain(sessions[1].Id).Or.Contain("record"), "another's lives");
            Assert.That((await channel.AskAsync(Delete(sessions[2].Id, sessions[2].Token))).Status, Is.EqualTo(204));
        }

        foreach (RawWebSocket socket in sockets)
            await socket.DisposeAsync();
    }

    [TestCase("POST", "/cancel")]
    [TestCase("POST", "/ticket")]
    [TestCase("DELETE", "")]
    [TestCase("GET", "")]
    [TestCase("GET", "/timeline")]
    public async Task Another_principal_finds_no_session_and_the_base_protocol_no_route(string method, string path)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Authorize = Bearer.AskAsync });
        JsonElement start = (await channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Authorization: Bearer ann"))).Json;
        string id = start.GetProperty("sessionId").GetString()!, token = $"X-Continuation-Token: {start.GetProperty("continuationToken").GetString()}";
        RawResponse other = await channel.AskAsync(new RawRequest(method, $"/v1/session/{id}{path}", token, "Authorization: Bearer bob"));
        WireForm.CheckRefusal(other, 404, $"unknown session '{id}'", "unknown-session");
        Assert.That(other.Json.TryGetProperty("reason", out _), Is.False);
        Assert.That(
            (await channel.AskAsync(new RawRequest("DELETE", $"/v1/session/{id}", token, "Authorization: Bearer ann"))).Status, Is.EqualTo(204));
        RawResponse own = await channel.AskAsync(new RawRequest(method, $"/v1/session/{id}{path}", token, "Authorization: Bearer ann"));
        Assert.That(own.Json.GetProperty("reason").GetString(), Is.EqualTo("deleted"));
        Assert.That((await channel.AskAsync(new RawRequest(method, $"/v1/session/{id}{path}", token, "Authorization: Bearer bob"))).Text, Is.EqualTo(other.Text));
        await using Channel seed = await Channel.StartAsync(Programs.Count, o => o with { Compatibility = Compatibility.SeedExact });
        Assert.That((await seed.AskAsync(new RawRequest(method, $"/v1/session/{id}{path}", token))).Status, Is.EqualTo(method == "POST" ? 404 : 405));
    }
}
