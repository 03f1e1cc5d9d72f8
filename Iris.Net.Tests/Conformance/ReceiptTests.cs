using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>The spent token is a receipt: <c>GET /v1/session/{id}/turn</c>.</summary>
public sealed class ReceiptTests
{
    private static readonly string[] JsonFields = ["content-type", "Cache-Control", "X-Content-Type-Options"];

    private static RawRequest Ask(string id, string? token, params string[] fields) => RawRequest.Get(
        $"/v1/session/{id}/turn", token is null ? fields : [$"X-Continuation-Token: {token}", .. fields]);

    private static RawRequest Send(string id, string token, string body = "{}", params string[] fields) =>
        RawRequest.Post($"/v1/session/{id}/message", body, [$"X-Continuation-Token: {token}", .. fields]);

    private static string[] Added(RawResponse reply) =>
        [.. reply.Head.Fields.Where(f => f.Key is not ("Date" or "Content-Length")).Select(f => f.Key is { } name && JsonFields.Contains(name) ? "" : $"{f.Key}: {f.Value}")
            .Where(f => f.Length > 0)];

    [Test]
    public async Task A_lost_reply_comes_again_byte_for_byte()
    {
        await using Channel channel = await Channel.StartAsync((turn, _) => ValueTask.FromResult(
            turn.Field("wait") is { } name ? TurnOutcome.ParkedOnSignal(name) : TurnOutcome.Finished(JsonElement.Parse("[1.50]"))));
        RawResponse start = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        (string id, string spent) = start.Session;
        string current = spent;
        foreach (string body in (string[])["{}", """{"wait":"go"}"""])
        {
            RawResponse reply = await channel.AskAsync(Send(id, current, body));
            (spent, current) = (current, reply.Session.Token);
            foreach (string token in (string[])[spent, current])
            {
                RawResponse receipt = await channel.AskAsync(Ask(id, token));
                WireForm.CheckReply(receipt);
                Assert.That((receipt.Status, receipt.Text), Is.EqualTo((200, reply.Text)));
                Assert.That(Added(receipt), Is.EqualTo(Added(reply)));
            }

            Assert.That(reply["Iris-Turn"], Is.EqualTo(body == "{}" ? "2" : "3"));
        }
    }

    [Test]
    public async Task Refusals_are_those_of_a_message()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        (string id, string t1) = await channel.BeginAsync();
        string t2 = (await channel.AskAsync(Send(id, t1))).Session.Token, t3 = (await channel.AskAsync(Send(id, t2))).Session.Token;
        WireForm.CheckRefusal(await channel.AskAsync(Ask("no%20where", t3)), 404, "unknown session 'no where'", "unknown-session");
        WireForm.CheckRefusal(await channel.AskAsync(Ask("%ZZ", t3)), 400, "malformed session id", "malformed-path");
        foreach (string? none in (string?[])[null, ""])
            WireForm.CheckRefusal(await channel.AskAsync(Ask(id, none)), 400, "missing continuationToken", "missing-token");
        foreach (string stale in (string[])[t1, "wrong", t3 + "x"])
            WireForm.CheckRefusal(await channel.AskAsync(Ask(id, stale)), 409, "stale or invalid continuationToken", "stale-token");
        RawResponse twice = await channel.AskAsync(Ask(id, t3, $"X-Continuation-Token: {t3}"));
        WireForm.CheckRefusal(twice, 409, "stale or invalid continuationToken", "stale-token");
        RawResponse longId = await channel.AskAsync(Ask(new string('x', 129), t3));
        WireForm.CheckRefusal(longId, 404, "unknown session", "unknown-session");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_message_with_the_spent_token_is_told_where_its_reply_is(bool asProblem)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { MintSessionId = () => "a b/\u00e4" });
        (_, string t1) = await channel.BeginAsync();
        const string Path = "a%20b%2F%C3%A4";
        string[] fields = asProblem ? ["Accept: application/problem+json"] : [];
        string t2 = (await channel.AskAsync(Send(Path, t1))).Session.Token;
        RawResponse refused = await channel.AskAsync(Send(Path, t1, "{}", fields));
        Assert.That(refused.Status, Is.EqualTo(409));
        string recover = refused.Json.GetProperty("recover").GetString()!;
        if (!asProblem)
            Assert.That(
                refused.Text,
                Is.EqualTo($$"""{"error":"stale or invalid continuationToken","code":"stale-token","recover":"/v1/session/{{Path}}/turn"}"""));
        else
            Assert.That(refused.Json.EnumerateObject().Last().Name, Is.EqualTo("recover"));
        RawResponse receipt = await channel.AskAsync(RawRequest.Get(recover, $"X-Continuation-Token: {t1}"));
        Assert.That((receipt.Status, receipt.Session.Token), Is.EqualTo((200, t2)));
        Assert.That((await channel.AskAsync(Send(Path, "wrong", "{}", fields))).Text, Does.Not.Contain("recover"));
    }

    [Test]
    public async Task A_turn_that_runs_says_so()
    {
        WaitWatch waits = new();
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number == 2)
                await gate.PassAsync();
            return TurnOutcome.Finished(JsonValue.Create(turn.Number));
        }, o => o with { Time = waits });
        (string id, string t1) = await channel.BeginAsync();
        Task<RawResponse> running = channel.AskAsync(Send(id, t1));
        await gate.ReachedAsync();
        foreach (string prefer in (string[])["X-Nothing: 1", "Prefer: wait=0"])
        {
            RawResponse receipt = await channel.AskAsync(Ask(id, t1, prefer));
            WireForm.CheckReply(receipt);
            Assert.That(
                (receipt.Status, receipt.Text),
                Is.EqualTo((202, $$"""{"sessionId":"{{id}}","continuationToken":"{{t1}}","status":"running","turn":2}""")));
            Assert.That((receipt["Retry-After"], receipt["Iris-Turn"]), Is.EqualTo(("1", "2")));
            Assert.That(receipt["Preference-Applied"], Is.EqualTo(prefer.StartsWith('P') ? "wait=0" : null));
        }

        Task<RawResponse> waiting = channel.AskAsync(Ask(id, t1, "Prefer: wait=59"));
        await waits.Begun.Within();
        gate.Open();
        RawResponse told = await waiting;
        Assert.That((told.Status, told.Text), Is.EqualTo((200, (await running).Text)));
        Assert.That((told["Preference-Applied"], told["Iris-Turn"]), Is.EqualTo(("wait=59", "2")));
    }

    [TestCase("abort", "failed", 200)]
    [TestCase("contend", "contended", 200)]
    [TestCase("throw", "failed", 500)]
    public async Task An_attempt_without_a_commit_tells_why(string how, string reason, int status)
    {
        WaitWatch waits = new();
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number == 1)
                return TurnOutcome.Finished();
            await gate.PassAsync();
            return how switch
            {
                "abort" => TurnOutcome.Aborted("secret"),
                "contend" => TurnOutcome.Contended(9),
                _ => throw new InvalidOperationException("secret"),
            };
        }, o => o with { Time = waits });
        (string id, string t1) = await channel.BeginAsync();
        Task<RawResponse> turn = channel.AskAsync(Send(id, t1));
        await gate.ReachedAsync();
        Task<RawResponse> waiting = channel.AskAsync(Ask(id, t1, "Prefer: wait=59"));
        await waits.Begun.Within();
        gate.Open();
        string aborted =
            $$"""{"sessionId":"{{id}}","continuationToken":"{{t1}}","status":"aborted","committed":false,"reason":"{{reason}}"}""";
        string contended =
            $$"""{"sessionId":"{{id}}","continuationToken":"{{t1}}","status":"contended","current":9,"committed":false,"reason":"contended"}""";
        RawResponse reply = await turn, waited = await waiting, receipt = await channel.AskAsync(Ask(id, t1));
        Assert.That(reply.Status, Is.EqualTo(status));
        if (status == 200)
            Assert.That((reply.Text, reply["Iris-Outcome"]), how == "abort" ? Is.EqualTo((aborted, "aborted")) : Is.EqualTo((contended, "contended")));
        Assert.That((waited.Status, waited.Text), Is.EqualTo((200, how == "contend" ? contended : aborted)));
        Assert.That((receipt.Status, receipt.Text, receipt["Iris-Outcome"], receipt["Iris-Turn"]), Is.EqualTo((200, aborted, "aborted", "2")));
    }

    [Test]
    public async Task A_channel_without_receipts_answers_with_the_current_token_alone()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Receipts = false });
        (string id, string t1) = await channel.BeginAsync();
        RawResponse reply = await channel.AskAsync(Send(id, t1));
        WireForm.CheckRefusal(await channel.AskAsync(Ask(id, t1)), 409, "stale or invalid continuationToken", "stale-token");
        Assert.That((await channel.AskAsync(Send(id, t1))).Text, Does.Not.Contain("recover"));
        Assert.That((await channel.AskAsync(Ask(id, reply.Session.Token))).Text, Is.EqualTo(reply.Text));
    }

    [Test]
    public async Task The_seed_knows_neither_receipts_nor_keys_nor_preferences()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Compatibility = Compatibility.SeedExact });
        string[] fields = ["Idempotency-Key: a key of no form at all", "Prefer: respond-async"];
        RawResponse one = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", fields));
        (string id, string t1) = one.Session;
        Assert.That(one.Status, Is.EqualTo(200));
        Assert.That(Added(one), Is.Empty);
        Assert.That((await channel.AskAsync(RawRequest.Post("/v1/session", "{}", fields))).Session.Id, Is.Not.EqualTo(id));
        Assert.That((await channel.AskAsync(Send(id, t1))).Status, Is.EqualTo(200));
        Assert.That((await channel.AskAsync(Send(id, t1))).Text, Is.EqualTo("""{"error":"stale or invalid continuationToken"}"""));
        Assert.That((await channel.AskAsync(Ask(id, t1))).Status, Is.EqualTo(405));
    }

    [Test]
    public async Task A_session_that_nobody_uses_expires_and_says_when()
    {
        ManualTime time = new();
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Time = time, SessionTtl = TimeSpan.FromHours(1) });
        RawResponse start = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        (string id, string t1) = start.Session;
        Assert.That(start["Iris-Expires-At"], Is.EqualTo("2030-01-01T01:00:00.000Z"));
        time.Advance(TimeSpan.FromMinutes(30));
        RawResponse next = await channel.AskAsync(Send(id, t1));
        Assert.That(next["Iris-Expires-At"], Is.EqualTo("2030-01-01T01:30:00.000Z"));
        Assert.That((await channel.AskAsync(Ask(id, t1)))["Iris-Expires-At"], Is.EqualTo("2030-01-01T01:30:00.000Z"));
        time.Advance(TimeSpan.FromMinutes(59));
        Assert.That((await channel.AskAsync(Ask(id, t1))).Status, Is.EqualTo(200));
        time.Advance(TimeSpan.FromMinutes(10));
        await Patience.Until(async () => (await channel.AskAsync(Ask(id, t1))).Status == 404);
        WireForm.CheckRefusal(await channel.AskAsync(Send(id, next.Session.Token)), 404, $"unknown session '{id}'", "unknown-session");
    }

    [Test]
    public async Task A_session_without_a_time_to_live_says_nothing_of_it()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        Assert.That((await channel.AskAsync(RawRequest.Post("/v1/session", "{}")))["Iris-Expires-At"], Is.Null);
    }

    [Test]
    public async Task A_turn_that_runs_longer_than_its_session_may_live_goes_on()
    {
        ManualTime time = new();
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate), o => o with { Time = time, SessionTtl = TimeSpan.FromSeconds(10) });
        Task<RawResponse> turn = channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        await gate.ReachedAsync();
        for (int i = 0; i < 60; i++)
            time.Advance(1);
        gate.Open();
        (string id, string token) = (await turn).Session;
        Assert.That((await channel.AskAsync(Ask(id, token))).Status, Is.EqualTo(200));
    }

    /// <summary>Time as it is, that tells when somebody begins to wait for 59 s.</summary>
    private sealed class WaitWatch : TimeProvider
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => _begun.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == TimeSpan.FromSeconds(59))
                _begun.TrySetResult();
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }
}
