using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>What somebody learns who knows a session's id and nothing that opens it; and that nobody sees another's events.</summary>
public sealed class StrangerTests
{
    private const string Secret = "only-for-ann";

    // Every route of a session, and how a stranger may ask.
    private static readonly (string Method, string Path)[] Routes =
    [
        ("POST", "/message"), ("POST", "/message?stream=1"), ("GET", "/turn"), ("GET", "/stream"), ("GET", "/stream?follow=1"),
        ("GET", "/stream?after=1.1.0.abcdef"), ("GET", ""), ("GET", "/timeline"), ("POST", "/cancel"), ("POST", "/ticket"), ("DELETE", ""),
        ("HEAD", ""), ("HEAD", "/turn"), ("HEAD", "/stream"), ("PUT", ""), ("PATCH", "/message"), ("GET", "/message"), ("POST", ""), ("POST", "/nope"),
        ("OPTIONS", "/turn"),
    ];

    private static readonly (string Method, string Path)[] Ticketed = [("GET", "/stream?ticket=x"), ("GET", "/stream?ticket="), ("GET", "/stream?follow=1&ticket=$OTHER")];

    private static Task<Channel> StartAsync(Gate gate, bool asks) => Channel.StartAsync(
        async (turn, cancel) =>
        {
            await turn.DeltaAsync(Secret, cancel);
            await turn.StepAsync("s", (_, _) => ValueTask.FromResult(JsonElement.Parse($"\"{Secret}\"")));
            if (turn.Field("do") == "wait")
                await gate.PassAsync();
            return TurnOutcome.Finished(JsonValue.Create(Secret));
        },
        o => o with { Authorize = asks ? Bearer.AskAsync : null });

    // The whole answer but its date, with the id taken out.
    private static string Of(RawResponse answer, string id) => string.Join(
        '\n', [answer.Head.StatusLine, .. answer.Head.Fields.Where(f => f.Key != "Date").Select(f => $"{f.Key}: {f.Value}"), answer.Text])
        .Replace(id, "ID", StringComparison.Ordinal);

    private static async Task<string> AskAsync(Channel channel, string method, string id, string path, params string[] fields) => Of(
        await channel.AskAsync(new RawRequest(method, $"/v1/session/{id}{path}", fields) { Body = method is "POST" or "PUT" or "PATCH" ? "{}"u8.ToArray() : null }), id);

    [TestCase("idle")]
    [TestCase("busy")]
    [TestCase("deleted")]
    public async Task Somebody_else_is_told_the_same_of_a_session_as_of_none(string state)
    {
        using Gate gate = new();
        await using Channel channel = await StartAsync(gate, asks: true);
        const string ann = "Authorization: Bearer ann", bob = "Authorization: Bearer bob";
        (string id, string token) = await channel.BeginAsync(ann);
        (string _, string own) = await channel.BeginAsync(bob);
        string ticket = (await channel.AskAsync(RawRequest.Post($"/v1/session/{id}/ticket", "", ann, $"X-Continuation-Token: {token}")))
            .Json.GetProperty("ticket").GetString()!;
        string none = new('A', id.Length);
        Task<RawResponse>? running = null;
        if (state == "busy")
        {
            running = channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", """{"do":"wait"}""", ann, $"X-Continuation-Token: {token}"));
            await gate.ReachedAsync();
        }
        else if (state == "deleted")
            await channel.AskAsync(new RawRequest("DELETE", $"/v1/session/{id}", ann, $"X-Continuation-Token: {token}"));

        foreach ((string method, string path) in Routes)
            foreach (string[] fields in (string[][])
            [
                [], [bob], [bob, $"X-Continuation-Token: {own}"], [bob, $"X-Continuation-Token: {token}"], [$"X-Continuation-Token: {token}"],
                [bob, "X-Continuation-Token: x"], [bob, "Idempotency-Key: k"], [bob, "Idempotency-Key: k", $"X-Continuation-Token: {token}"],
                [bob, "Accept: application/problem+json"], [bob, "Accept: text/event-stream", $"X-Continuation-Token: {token}"],
                [bob, "Iris-If-Busy: interrupt", $"X-Continuation-Token: {token}"], [bob, $"X-Continuation-Token: {ticket}"],
                [bob, "Prefer: respond-async, wait=1", $"X-Continuation-Token: {token}"], [bob, "Iris-If-Busy: nonsense"],
            ])
            {
                string told = await AskAsync(channel, method, id, path, fields);
                Assert.That(told, Is.EqualTo(await AskAsync(channel, method, none, path, fields)), $"{method} {path} {string.Join("; ", fields)}");
                Assert.That(told, Does.Not.Contain(Secret).And.Not.Contain(token).And.Not.Contain("deleted"));
            }

        foreach ((string method, string path) in Ticketed)
            foreach (string[] fields in (string[][])[[], [bob], [bob, $"X-Continuation-Token: {token}"], [$"X-Continuation-Token: {token}"]])
            {
                string asked = path.Replace("$OTHER", ticket[..^2] + "AA", StringComparison.Ordinal);
                string told = await AskAsync(channel, method, id, asked, fields);
                Assert.That(told, Does.Contain("409").And.EqualTo(await AskAsync(channel, method, none, asked, fields)));
            }

        gate.Open();
        if (running is not null)
            Assert.That((await running).Json.GetProperty("status").GetString(), Is.EqualTo("finished"), "nobody disturbed it");
        else if (state == "idle")
            Assert.That((await channel.AskAsync(RawRequest.Post(
                $"/v1/session/{id}/message", "{}", ann, $"X-Continuation-Token: {token}"))).Json.GetProperty("status").GetString(), Is.EqualTo("finished"));
    }

    [TestCase("idle")]
    [TestCase("busy")]
    public async Task Without_the_token_one_is_told_that_there_is_a_session_and_nothing_else(string state)
    {
        using Gate gate = new();
        await using Channel channel = await StartAsync(gate, asks: false);
        (string id, string token) = await channel.BeginAsync();
        (string _, string other) = await channel.BeginAsync();
        Task<RawResponse>? running = null;
        if (state == "busy")
        {
            running = channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", """{"do":"wait"}""", $"X-Continuation-Token: {token}"));
            await gate.ReachedAsync();
        }

        // What is said, and that it is said in the same words of any session in any state.
        foreach ((string method, string path) in Routes.Where(r => r.Path is not ("/nope" or "") || r.Method is "GET" or "DELETE"))
        {
            if (method is "PUT" or "PATCH" or "OPTIONS" or "HEAD" || (method, path) == ("GET", "/message"))
                continue;
            string missing = await AskAsync(channel, method, id, path);
            Assert.That(missing, Does.StartWith("HTTP/1.1 400").And.EndsWith("""{"error":"missing continuationToken","code":"missing-token"}"""), method + path);
            foreach (string wrong in (string[])["x", other, token + "x", token[..^1], new string('x', 600)])
                Assert.That(
                    await AskAsync(channel, method, id, path, $"X-Continuation-Token: {wrong}"),
                    Does.StartWith("HTTP/1.1 409").And.EndsWith("""{"error":"stale or invalid continuationToken","code":"stale-token"}"""), method + path);
            string unknown = await AskAsync(channel, method, new string('A', 22), path, $"X-Continuation-Token: {token}");
            Assert.That(unknown, Does.StartWith("HTTP/1.1 404").And.EndsWith("""{"error":"unknown session 'ID'","code":"unknown-session"}"""), method + path);
        }

        gate.Open();
        if (running is not null)
            Assert.That((await running).Json.GetProperty("status").GetString(), Is.EqualTo("finished"));
    }

    [Test]
    public async Task A_WebSocket_that_names_another_s_session_learns_nothing_of_it()
    {
        using Gate gate = new();
        await using Channel channel = await StartAsync(gate, asks: true);
        (string id, string token) = await channel.BeginAsync("Authorization: Bearer ann");
        string[] told = new string[2];
        for (int i = 0; i < 2; i++)
        {
            string named = i == 0 ? id : new string('A', id.Length);
            StringBuilder heard = new();
            foreach (string credential in (string[])[token, "x", ""])
            {
                await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url, ["Authorization: Bearer bob"], []);
                await socket.SendAsync($$"""{"$iris":"attach","sessionId":"{{named}}","continuationToken":"{{credential}}"}""");
                heard.AppendLine((await socket.ReceiveTextAsync()).Replace(named, "ID", StringComparison.Ordinal));
            }

            told[i] = heard.ToString();
        }

        Assert.That(told[0], Is.EqualTo(told[1]).And.Not.Contain(Secret).And.Contain("error"));
    }

    [Test]
    public async Task Events_reach_their_own_session_and_no_other()
    {
        const int principals = 4, sessions = 3, turns = 3;
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                string mark = turn.Field("mark")!;
                for (int i = 0; i < 10; i++)
                {
                    await turn.DeltaAsync($"<{mark}>", cancel);
                    await Programs.StepAsync(turn, mark, () => i);
                }

                return TurnOutcome.Finished(JsonValue.Create(mark));
            },
            o => o with { Authorize = Bearer.AskAsync });
        await Task.WhenAll(
            from p in Enumerable.Range(0, principals)
            from s in Enumerable.Range(0, sessions)
            select RunAsync(p, s));

        // The same key of every principal: each has a session of its own.
        async Task RunAsync(int p, int s)
        {
            string who = $"Authorization: Bearer p{p}", mark = $"mark-{p}-{s}-", body = $$"""{"mark":"{{mark}}"}""";
            RawResponse start = await channel.AskAsync(RawRequest.Post("/v1/session", body, who, $"Idempotency-Key: s{s}"));
            string id = start.Json.GetProperty("sessionId").GetString()!, token = start.Json.GetProperty("continuationToken").GetString()!;
            string ticket = (await channel.AskAsync(RawRequest.Post($"/v1/session/{id}/ticket", "", who, $"X-Continuation-Token: {token}")))
                .Json.GetProperty("ticket").GetString()!;
            await using RawConnection follower = await RawConnection.OpenAsync(channel.Url);
            await follower.WriteAsync(RawRequest.Get($"/v1/session/{id}/stream?follow=1&ticket={ticket}").Bytes(channel.Url));
            Assert.That((await follower.ReadHeadAsync()).Status, Is.EqualTo(200));
            RawEventStream follows = new(follower);
            StringBuilder followed = new(), heard = new();
            int outcomes = 0;
            Task reading = Task.Run(async () =>
            {
                while (outcomes <= turns && await follows.NextAsync() is { } next)
                {
                    followed.AppendLine(next.Text);
                    outcomes += next.Type == "outcome" ? 1 : 0;
                }
            });
            for (int turn = 0; turn < turns; turn++)
            {
                RawResponse stream = await channel.AskAsync(RawRequest.Post(
                    $"/v1/session/{id}/message?stream=1", body, who, $"X-Continuation-Token: {token}"));
                heard.AppendLine(stream.Text);
                token = JsonElement.Parse(stream.Text.Split("\n\n").Select(f => new RawEvent(f)).Single(e => e.Type == "outcome").Data!)
                    .GetProperty("continuationToken").GetString()!;
            }

            await reading.Within();
            heard.AppendLine((await channel.AskAsync(
                RawRequest.Get($"/v1/session/{id}/timeline?limit=1000", who, $"X-Continuation-Token: {token}"))).Text);
            string all = $"{followed}{heard}";
            Assert.That(followed.ToString(), Does.Contain($"<{mark}>"));
            for (int q = 0; q < principals; q++)
                for (int t = 0; t < sessions; t++)
                    if ((q, t) != (p, s))
                        Assert.That(all, Does.Not.Contain($"mark-{q}-{t}-"));
        }
    }
}
