using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Conformance;

/// <summary>What a session was and is: <c>GET /v1/session/{id}</c>, its timeline, and the list of all.</summary>
public sealed class SessionReadingTests
{
    private static RawRequest Get(string target, string token, params string[] fields) =>
        RawRequest.Get(target, [$"X-Continuation-Token: {token}", .. fields]);

    [Test]
    public async Task A_session_says_where_it_stands()
    {
        ManualTime time = new();
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number == 2)
                await gate.PassAsync();
            return turn.Number == 1 ? TurnOutcome.ParkedOnSignal("go") : TurnOutcome.Finished();
        }, o => o with { Time = time, SessionTtl = TimeSpan.FromHours(1) });
        string at = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", null);
        string until = (time.GetUtcNow() + TimeSpan.FromHours(1)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", null);
        (string id, string token) = await channel.BeginAsync();
        RawResponse parked = await channel.AskAsync(Get($"/v1/session/{id}", token));
        WireForm.CheckReply(parked);
        Assert.That(parked.Text, Is.EqualTo(
            $$"""{"sessionId":"{{id}}","turn":1,"status":"parked","inFlight":false,"wait":{"kind":"signal","name":"go"},"createdAt":"{{at}}","updatedAt":"{{at}}","expiresAt":"{{until}}","lastEventId":"1.2.1.______"}"""));
        string tag = parked["ETag"]!;
        foreach (string known in (string[])[tag, $"W/{tag}", $"\"x\", {tag}", "*"])
        {
            RawResponse same = await channel.AskAsync(Get($"/v1/session/{id}", token, $"If-None-Match: {known}"));
            Assert.That((same.Status, same.Text, same["ETag"]), Is.EqualTo((304, "", tag)));
        }

        Task<RawResponse> running = channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", "{}", $"X-Continuation-Token: {token}"));
        await gate.ReachedAsync();
        RawResponse now = await channel.AskAsync(Get($"/v1/session/{id}", token, $"If-None-Match: {tag}"));
        Assert.That((now.Status, now.Text), Is.EqualTo((200, now.Text)));
        Assert.That(now.Text, Does.Contain("\"status\":\"running\",\"inFlight\":true"));
        Assert.That(now.Json.GetProperty("lastEventId").GetString(), Does.Match(@"^2\.\d+\.0\.[A-Za-z0-9_-]{6}$"));
        gate.Open();
        (_, string next) = (await running).Session;
        foreach (string credential in (string[])[token, next])
            Assert.That((await channel.AskAsync(Get($"/v1/session/{id}", credential))).Text, Does.Contain("\"turn\":2,\"status\":\"finished\",\"inFlight\":false,\"createdAt\""));
        WireForm.CheckRefusal(await channel.AskAsync(Get($"/v1/session/{id}", "x")), 409, "stale or invalid continuationToken", "stale-token");
        WireForm.CheckRefusal(await channel.AskAsync(RawRequest.Get($"/v1/session/{id}")), 400, "missing continuationToken", "missing-token");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task The_last_event_s_id_is_that_of_the_stream_and_nothing_comes_behind_it(bool isDurable)
    {
        using TempDirectory directory = new();
        await using FileStateStore? store = isDurable ? new FileStateStore(directory.Path) : null;
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                if (turn.Field("do") == "throw")
                    throw new InvalidOperationException();
                await turn.DeltaAsync("a", cancel);
                await Programs.StepAsync(turn, "s", () => 1);
                await turn.DeltaAsync("b", cancel);
                await turn.DeltaAsync("c", cancel);
                if (turn.Field("do") == "wait")
                    await gate.PassAsync();
                return TurnOutcome.Finished();
            },
            o => o with { Store = store });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        string token = client.Outcome!.Value.GetProperty("continuationToken").GetString()!;
        async Task<string> LastAsync() =>
            (await channel.AskAsync(Get($"/v1/session/{client.SessionId}", token))).Json.GetProperty("lastEventId").GetString()!;
        Assert.That(await LastAsync(), Is.EqualTo(client.LastId));

        Task<RawResponse> thrown = channel.AskAsync(
            RawRequest.Post($"/v1/session/{client.SessionId}/message", """{"do":"throw"}""", $"X-Continuation-Token: {token}"));
        Assert.That((await thrown).Status, Is.EqualTo(500));
        string ended = await LastAsync();
        Assert.That(ended, Does.StartWith("2."));
        Assert.That(
            (await channel.AskAsync(Get($"/v1/session/{client.SessionId}/stream?after={ended}", token))).Status, Is.EqualTo(204));

        Task<RawResponse> running = channel.AskAsync(
            RawRequest.Post($"/v1/session/{client.SessionId}/message", """{"do":"wait"}""", $"X-Continuation-Token: {token}"));
        await gate.ReachedAsync();
        string live = await LastAsync();
        gate.Open();
        await running;
        RawResponse rest = await channel.AskAsync(Get($"/v1/session/{client.SessionId}/stream?after={live}", token));
        string[] types = [.. rest.Text.Split("\n\n")[..^1].Select(frame => new RawEvent(frame).Type ?? "")];
        Assert.That(types, Is.EqualTo((string[])["", "record", "outcome"]), rest.Text);
    }

    [Test]
    public async Task A_timeline_shows_every_public_record_once_and_no_other()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            await Programs.StepAsync(turn, "one", () => 1);
            await Programs.StepAsync(turn, "two", () => 2);
            return TurnOutcome.Finished();
        });
        (string id, string token) = await channel.BeginAsync();
        RawResponse whole = await channel.AskAsync(Get($"/v1/session/{id}/timeline", token));
        WireForm.CheckReply(whole);
        string[] kinds = ["effect_intent", "effect_result", "effect_intent", "effect_result", "marker"];
        JsonElement[] records = [.. whole.Json.GetProperty("records").EnumerateArray()];
        Assert.That(records.Select(r => r.GetProperty("kind").GetString()), Is.EqualTo(kinds));
        Assert.That(records[0].EnumerateObject().Select(m => m.Name), Is.EqualTo((string[])["seq", "ts", "defDigest", "kind", "payload"]));
        Assert.That(whole.Text, Does.EndWith(",\"next\":null}"));
        for (int limit = 1; limit <= 6; limit++)
        {
            List<string> paged = [];
            string query = $"?limit={limit}";
            while (true)
            {
                RawResponse page = await channel.AskAsync(Get($"/v1/session/{id}/timeline{query}", token));
                JsonElement[] part = [.. page.Json.GetProperty("records").EnumerateArray()];
                Assert.That(part, Has.Length.LessThanOrEqualTo(limit).And.Not.Empty);
                paged.AddRange(part.Select(r => r.GetRawText()));
                if (page.Json.GetProperty("next").ValueKind == JsonValueKind.Null)
                    break;
                query = $"?after={page.Json.GetProperty("next").GetInt64()}&limit={limit}";
            }

            Assert.That(paged, Is.EqualTo(records.Select(r => r.GetRawText())));
        }

        foreach (string wrong in (string[])["limit=0", "limit=1001", "limit=", "limit=x", "after=-1", "after=1&after=2", "after=99999999999999999999"])
            WireForm.CheckRefusal(await channel.AskAsync(Get($"/v1/session/{id}/timeline?{wrong}", token)), 400, "bad request", "bad-request");
        Assert.That((await channel.AskAsync(Get($"/v1/session/{id}/timeline?limit=1000&x=1", token))).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task The_list_is_of_the_status_that_it_tells()
    {
        int minted = 0;
        TaskCompletionSource go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Channel channel = await Channel.StartAsync(
            async (turn, _) =>
            {
                if (turn.Number > 1)
                    await go.Task;
                return TurnOutcome.ParkedOnUser();
            },
            o => o with
            {
                MintSessionId = () => $"s{++minted}",
                AdminAuthorize = static (_, _) => ValueTask.FromResult(AuthorizeResult.Allow("admin")),
            });
        List<string> tokens = [];
        for (int i = 0; i < 5; i++)
            tokens.Add((await channel.BeginAsync()).Token);
        foreach (int i in (int[])[1, 2, 4])
            Assert.That((await channel.AskAsync(RawRequest.Post(
                $"/v1/session/s{i}/message", $$"""{"continuationToken":"{{tokens[i - 1]}}"}""", "Prefer: respond-async"))).Status, Is.EqualTo(202));
        async Task<(string Ids, string? Next)> ListAsync(string query)
        {
            JsonElement list = (await channel.AskAsync(RawRequest.Get($"/v1/sessions?{query}"))).Json;
            return (
                string.Join(' ', list.GetProperty("sessions").EnumerateArray().Select(s => $"{s.GetProperty("sessionId")}:{s.GetProperty("status")}")),
                list.GetProperty("next").GetString());
        }

        Assert.That((await ListAsync("")).Ids, Is.EqualTo("s1:running s2:running s3:parked s4:running s5:parked"));
        Assert.That(await ListAsync("status=running"), Is.EqualTo(("s1:running s2:running s4:running", (string?)null)));
        (string ids, string? next) = await ListAsync("status=running&limit=2");
        Assert.That((ids, (await ListAsync($"status=running&limit=2&cursor={next}")).Ids), Is.EqualTo(("s1:running s2:running", "s4:running")));
        (ids, next) = await ListAsync("status=parked&limit=1");
        Assert.That((ids, await ListAsync($"status=parked&limit=1&cursor={next}")), Is.EqualTo(("s3:parked", ("s5:parked", (string?)null))));
        go.SetResult();
    }

    [Test]
    public async Task The_list_is_there_for_whom_the_host_grants_it_alone()
    {
        int minted = 0;
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with
        {
            MintSessionId = () => $"s{++minted}",
            AdminAuthorize = (exchange, _) => ValueTask.FromResult(
                exchange.Request.Headers.CountOf("x-admin"u8) > 0 ? AuthorizeResult.Allow("admin") : AuthorizeResult.Refuse()),
        });
        for (int i = 0; i < 3; i++)
            await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        async Task<RawResponse> ListAsync(string query) => await channel.AskAsync(RawRequest.Get($"/v1/sessions{query}", "X-Admin: 1"));
        static string Ids(RawResponse reply) =>
            string.Join(' ', reply.Json.GetProperty("sessions").EnumerateArray().Select(s => s.GetProperty("sessionId").GetString()));
        RawResponse all = await ListAsync("");
        WireForm.CheckReply(all);
        Assert.That((Ids(all), all.Text.EndsWith(",\"next\":null}", StringComparison.Ordinal)), Is.EqualTo(("s1 s2 s3", true)));
        RawResponse page = await ListAsync("?limit=2&status=finished");
        Assert.That(Ids(page), Is.EqualTo("s1 s2"));
        Assert.That(Ids(await ListAsync($"?cursor={page.Json.GetProperty("next").GetString()}")), Is.EqualTo("s3"));
        Assert.That(Ids(await ListAsync("?status=parked")), Is.Empty);
        foreach (string wrong in (string[])["?status=gone", "?limit=0", "?cursor=%", "?limit=1&limit=1"])
            WireForm.CheckRefusal(await ListAsync(wrong), 400, "bad request", "bad-request");
        await using Channel without = await Channel.StartAsync(Programs.Count);
        foreach (RawResponse none in (RawResponse[])[
            await channel.AskAsync(RawRequest.Get("/v1/sessions")), await without.AskAsync(RawRequest.Get("/v1/sessions", "X-Admin: 1"))])
        {
            WireForm.CheckRefusal(none, 405, "method GET not allowed", "method-not-allowed");
            Assert.That(none["Allow"], Is.EqualTo("POST"));
        }

        WireForm.CheckRefusal(await channel.AskAsync(RawRequest.Post("/v1/sessions", "{}")), 404, "no route for /v1/sessions", "no-route");
    }
}
