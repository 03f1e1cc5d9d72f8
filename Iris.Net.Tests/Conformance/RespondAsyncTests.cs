using System.Text.Json.Nodes;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary><c>Prefer: respond-async</c> and <c>wait</c>.</summary>
public sealed class RespondAsyncTests
{
    private const string Key = "Idempotency-Key: \"a-key-of-twenty-and-more\"";

    [Test]
    public async Task A_turn_that_takes_its_time_is_answered_with_202()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            await gate.PassAsync();
            return TurnOutcome.Finished(JsonValue.Create("done"));
        });
        RawResponse accepted = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Prefer: respond-async", Key));
        WireForm.CheckReply(accepted);
        string id = accepted.Json.GetProperty("sessionId").GetString()!, t0 = accepted.Json.GetProperty("continuationToken").GetString()!;
        Assert.That(
            (accepted.Status, accepted.Text),
            Is.EqualTo((202, $$"""{"sessionId":"{{id}}","continuationToken":"{{t0}}","status":"running","turn":1}""")));
        Assert.That(
            (accepted["Location"], accepted["Preference-Applied"], accepted["Iris-Turn"]),
            Is.EqualTo(($"/v1/session/{id}/turn", "respond-async", "1")));

        RawResponse again = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Prefer: respond-async, wait=0", Key));
        Assert.That((again.Status, again.Text, again["Location"]), Is.EqualTo((202, accepted.Text, accepted["Location"])), "its retry");
        Assert.That(again["Preference-Applied"], Is.EqualTo("respond-async, wait=0"));

        Task<RawResponse> waiting = channel.AskAsync(
            RawRequest.Get(accepted["Location"]!, $"X-Continuation-Token: {t0}", "Prefer: wait=60"));
        gate.Open();
        RawResponse reply = await waiting;
        Assert.That(reply.Json.GetProperty("output").GetString(), Is.EqualTo("done"));
        RawResponse replayed = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Prefer: respond-async", Key));
        Assert.That((replayed.Status, replayed.Text, replayed["Idempotency-Replayed"]), Is.EqualTo((200, reply.Text, "true")));
    }

    [Test]
    public async Task A_message_answers_with_the_token_that_it_presented()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(async (turn, _) =>
        {
            if (turn.Number > 1)
                await gate.PassAsync();
            return TurnOutcome.Finished();
        });
        RawResponse start = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        string id = start.Json.GetProperty("sessionId").GetString()!, t1 = start.Json.GetProperty("continuationToken").GetString()!;
        RawRequest message = RawRequest.Post($"/v1/session/{id}/message", Programs.WithToken("{}", t1), "Prefer: respond-async, wait=0");
        RawResponse accepted = await channel.AskAsync(message);
        Assert.That(
            (accepted.Status, accepted.Text),
            Is.EqualTo((202, $$"""{"sessionId":"{{id}}","continuationToken":"{{t1}}","status":"running","turn":2}""")));
        WireForm.CheckRefusal(await channel.AskAsync(message), 409, "a turn is already in flight for this session", "in-flight");
        gate.Open();
    }

    [Test]
    public async Task A_stream_is_not_answered_before_its_end()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        RawResponse reply = await channel.AskAsync(
            RawRequest.Post("/v1/session", "{}", "Prefer: respond-async", "Accept: text/event-stream"));
        Assert.That((reply.Status, reply["Content-Type"], reply["Preference-Applied"]), Is.EqualTo((200, "text/event-stream", (string?)null)));
    }

    // Of a turn that ends at once: what counts is said by Preference-Applied.
    [TestCase("respond-async, wait=60", "respond-async, wait=60")]
    [TestCase("respond-async, wait=61", "respond-async, wait=60")]
    [TestCase("respond-async, wait=99999999999", "respond-async, wait=60")]
    [TestCase("RESPOND-ASYNC , WAIT = 60", "respond-async, wait=60")]
    [TestCase("wait=60|respond-async", "respond-async, wait=60", TestName = "Preferences_in_fields_of_their_own")]
    [TestCase(",, ,wait=60,,respond-async,", "respond-async, wait=60")]
    [TestCase("wait=\"60\", respond-async", "respond-async, wait=60")]
    [TestCase("wait=60; x=1;y, respond-async ; q=\"a,b;c\"", "respond-async, wait=60")]
    [TestCase("x=\"respond-async, wait=5\", wait=60, respond-async", "respond-async, wait=60", TestName = "What_is_quoted_is_no_preference")]
    [TestCase("respond-async, wait=60, wait=1", "respond-async, wait=60", TestName = "The_first_of_equal_names_counts")]
    [TestCase("respond-async=\"\", wait=60", "respond-async, wait=60")]
    [TestCase("wait=60", null, TestName = "Wait_alone_changes_nothing")]
    [TestCase("respond-asynchronously, wait=60", null)]
    [TestCase("foo; respond-async", null, TestName = "A_parameter_is_no_preference")]
    public async Task Preferences(string prefer, string? applied)
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        string[] fields = [.. prefer.Split('|').Select(field => $"Prefer: {field}")];
        RawResponse reply = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", fields));
        Assert.That((reply.Status, reply["Preference-Applied"], reply["Location"]), Is.EqualTo((200, applied, (string?)null)));
    }

    [TestCase("wait=-1")]
    [TestCase("wait=+1")]
    [TestCase("wait=x")]
    [TestCase("wait=1.5")]
    [TestCase("wait=1s")]
    [TestCase("wait=")]
    [TestCase("wait")]
    [TestCase("wait=\"")]
    [TestCase("wait=x, wait=60", TestName = "One_that_is_wrong_counts_as_the_first")]
    public async Task A_wait_that_is_none_is_ignored(string prefer)
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate));
        RawResponse reply = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", $"Prefer: respond-async, {prefer}"));
        gate.Open();
        Assert.That((reply.Status, reply["Preference-Applied"]), Is.EqualTo((202, "respond-async")));
    }

    [Test]
    public async Task A_wait_ends_with_its_time()
    {
        ManualTime time = new();
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate), o => o with { Time = time });
        Task<RawResponse> reply = channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Prefer: respond-async, wait=100"));
        await gate.ReachedAsync();
        DateTimeOffset start = time.GetUtcNow();
        await Patience.Until(async () =>
        {
            time.Advance(5);
            return await Task.WhenAny(reply, Task.Delay(10)) == reply;
        });
        gate.Open();
        Assert.That((await reply).Status, Is.EqualTo(202));
        Assert.That(time.GetUtcNow() - start, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(60)));
    }

    [TestCase("abort", 200)]
    [TestCase("throw", 500)]
    public async Task A_turn_that_fails_while_it_is_waited_for_says_so(string how, int status)
    {
        await using Channel channel = await Channel.StartAsync((_, _) =>
            how == "abort" ? ValueTask.FromResult(TurnOutcome.Aborted()) : throw new InvalidOperationException());
        RawResponse reply = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Prefer: respond-async, wait=60"));
        Assert.That(reply.Status, Is.EqualTo(status));
    }
}
