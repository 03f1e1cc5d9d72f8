using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Conformance;

/// <summary><c>POST /v1/session/{id}/signal/{name}</c> wakes the session that waits for it.</summary>
public sealed class SignalTests
{
    private static ValueTask<TurnOutcome> Program(TurnContext turn, CancellationToken cancel) =>
        ValueTask.FromResult(turn.TryGetSignal("go now", out JsonElement payload)
            ? TurnOutcome.Finished(payload)
            : turn.Field("wait") == "user" ? TurnOutcome.ParkedOnUser() : TurnOutcome.ParkedOnSignal("go now"));

    private static RawRequest Signal(string url, string? key, string body = "1", params string[] fields) =>
        RawRequest.Post(url, body, key is null ? fields : [$"Iris-Wake-Key: {key}", .. fields]);

    private static (string Id, string Token, string Url, string Key) Of(RawResponse reply)
    {
        JsonElement wake = reply.Json.GetProperty("wake");
        return (reply.Json.GetProperty("sessionId").GetString()!, reply.Json.GetProperty("continuationToken").GetString()!,
            wake.GetProperty("url").GetString()!, wake.GetProperty("key").GetString()!);
    }

    private static Task<RawResponse> ReceiptAsync(Channel channel, string id, string token) => channel.AskAsync(
        RawRequest.Get($"/v1/session/{id}/turn", [$"X-Continuation-Token: {token}"]));

    private static Task FinishedAsync(Channel channel, string id, string token) => Patience.Until(
        async () => (await ReceiptAsync(channel, id, token)).Text.Contains("finished", StringComparison.Ordinal));

    [Test]
    public async Task A_parked_reply_says_what_wakes_it_and_the_signal_wakes_it_once()
    {
        await using Channel channel = await Channel.StartAsync(Program);
        RawResponse parked = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        (string id, string token, string url, string key) = Of(parked);
        Assert.That(url, Is.EqualTo($"/v1/session/{id}/signal/go%20now"));
        Assert.That(parked.Text, Does.EndWith($$$""""wait":{"kind":"signal","name":"go now"},"wake":{"url":"{{{url}}}","key":"{{{key}}}"}}""""));
        RawResponse[] answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => channel.AskAsync(Signal(url, key, "{\"continuationToken\":\"kept\"}"))));
        foreach (RawResponse answer in answers)
        {
            WireForm.CheckReply(answer);
            Assert.That((answer.Status, answer.Text), Is.EqualTo((202, "{\"accepted\":true}")));
        }

        await FinishedAsync(channel, id, token);
        RawResponse receipt = await ReceiptAsync(channel, id, token);
        Assert.That(receipt.Text, Does.Contain("\"output\":{\"continuationToken\":\"kept\"}"));
        Assert.That(receipt["Iris-Turn"], Is.EqualTo("2"), "one wake turn");
        Assert.That(receipt.Json.GetProperty("continuationToken").GetString(), Is.EqualTo(token), "it is the client's still");
        WireForm.CheckRefusal(await channel.AskAsync(Signal(url, key, "2")), 410, "finished", "finished");
    }

    [Test, Category("Long")]
    public async Task Of_a_thousand_at_once_one_is_accepted_and_wakes_once()
    {
        int size = Environment.GetEnvironmentVariable("IRIS_LONG") == "1" ? 1000 : 100, wakes = 0;
        using TempDirectory directory = new();
        await using FileStateStore store = new(directory.Path);
        await using Channel channel = await Channel.StartAsync(
            (turn, cancel) =>
            {
                if (turn.Body.ValueKind == JsonValueKind.Null)
                    Interlocked.Increment(ref wakes);
                return Program(turn, cancel);
            },
            o => o with { Store = store });
        (string id, string token, string url, string key) = Of(await channel.AskAsync(RawRequest.Post("/v1/session", "{}")));
        RawConnection[] connections = await Task.WhenAll(Enumerable.Range(0, size).Select(_ => RawConnection.OpenAsync(channel.Url)));
        RawResponse[] answers = await Task.WhenAll(connections.Select((connection, i) => connection.AskAsync(Signal(url, key, $"{i % 3}"))));
        await FinishedAsync(channel, id, token);
        RawResponse receipt = await ReceiptAsync(channel, id, token);
        int payload = receipt.Json.GetProperty("output").GetInt32();
        for (int i = 0; i < size; i++)
            Assert.That(answers[i].Status, i % 3 == payload ? Is.EqualTo(202) : Is.EqualTo(409).Or.EqualTo(410), $"{i} of {payload}");
        Assert.That((wakes, receipt["Iris-Turn"]), Is.EqualTo((1, "2")));
        foreach (RawConnection connection in connections)
            await connection.DisposeAsync();
    }

    [Test]
    public async Task A_key_that_is_none_and_a_session_that_is_none_are_one_refusal()
    {
        await using Channel channel = await Channel.StartAsync(Program);
        (string id, string token, string url, string key) = Of(await channel.AskAsync(RawRequest.Post("/v1/session", "{}")));
        string text = $"unknown session '{id}'";
        foreach (string? wrong in (string?[])["wrong", "", null, key + "x", key[..^1]])
            WireForm.CheckRefusal(await channel.AskAsync(Signal(url, wrong)), 404, text, "unknown-session");
        WireForm.CheckRefusal(await channel.AskAsync(Signal(url, key, "1", $"Iris-Wake-Key: {key}")), 404, text, "unknown-session");
        WireForm.CheckRefusal(await channel.AskAsync(Signal($"/v1/session/{id}/signal/other", key)), 404, text, "unknown-session");
        WireForm.CheckRefusal(
            await channel.AskAsync(Signal($"/v1/session/{id}/signal/{new string('x', 129)}", key)), 404, text, "unknown-session");
        WireForm.CheckRefusal(
            await channel.AskAsync(Signal("/v1/session/nobody/signal/go%20now", key)), 404, "unknown session 'nobody'", "unknown-session");
        WireForm.CheckRefusal(await channel.AskAsync(Signal(url, key, "{")), 400, "malformed JSON body", "malformed-json");
        RawResponse user = await channel.AskAsync(
            RawRequest.Post($"/v1/session/{id}/message", "{\"wait\":\"user\"}", [$"X-Continuation-Token: {token}"]));
        Assert.That(user.Json.TryGetProperty("wake", out _), Is.False);
        WireForm.CheckRefusal(await channel.AskAsync(Signal(url, key)), 409, "not waiting", "not-waiting");
    }

    [Test]
    public async Task The_key_alone_authorises_and_nothing_says_null()
    {
        await using Channel channel = await Channel.StartAsync(Program, o => o with
        {
            Authorize = (exchange, _) => ValueTask.FromResult(
                exchange.Request.Headers.CountOf("authorization"u8) > 0 ? AuthorizeResult.Allow("me") : AuthorizeResult.Refuse("Bearer")),
        });
        (string id, string token, string url, string key) =
            Of(await channel.AskAsync(RawRequest.Post("/v1/session", "{}", ["Authorization: Bearer x"])));
        Assert.That((await channel.AskAsync(Signal(url, key, "", "Origin: http://evil.example"))).Status, Is.EqualTo(403));
        Assert.That((await channel.AskAsync(Signal(url, key, ""))).Status, Is.EqualTo(202));
        await Patience.Until(async () => (await channel.AskAsync(RawRequest.Get(
            $"/v1/session/{id}/turn", [$"X-Continuation-Token: {token}", "Authorization: Bearer x"]))).Text.Contains("\"output\":null", StringComparison.Ordinal));
    }

    [Test]
    public async Task A_hidden_key_is_the_programs_alone()
    {
        WakeKey? known = null;
        await using Channel channel = await Channel.StartAsync(
            (turn, cancel) =>
            {
                known ??= turn.WakeFor("go now");
                return Program(turn, cancel);
            },
            o => o with { HideWakeKey = true });
        RawResponse parked = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        Assert.That(parked.Text, Does.Not.Contain("wake"));
        Assert.That((await channel.AskAsync(Signal(known!.Url, known.Key))).Status, Is.EqualTo(202));
    }

    [Test]
    public async Task A_wake_turn_is_on_the_streams_that_follow()
    {
        await using Channel channel = await Channel.StartAsync(Program);
        (string id, string token, string url, string key) = Of(await channel.AskAsync(RawRequest.Post("/v1/session", "{}")));
        Assert.That((await channel.AskAsync(Signal(url, key, "[7]"))).Status, Is.EqualTo(202));
        await FinishedAsync(channel, id, token);
        RawResponse stream = await channel.AskAsync(
            RawRequest.Get($"/v1/session/{id}/stream", [$"X-Continuation-Token: {token}"]));
        Assert.That(stream.Text, Does.Contain("\"status\":\"finished\",\"output\":[7]").And.Contain(token));
        Assert.That(stream.Text, Does.Not.Contain("parked"), "the last turn alone");
    }
}
