using System.Text;
using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Conformance;

/// <summary>Streams that are followed while turns begin, commit, are cancelled and end: <c>GET /v1/session/{id}/stream</c>.</summary>
public sealed class FollowTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    private static async ValueTask<TurnOutcome> TextAroundAStep(TurnContext turn, CancellationToken cancel)
    {
        await turn.DeltaAsync("a", cancel);
        await Programs.StepAsync(turn, "s", () => 1);
        await turn.DeltaAsync("b", cancel);
        return TurnOutcome.Finished();
    }

    [Test, Category("Long")]
    public async Task Who_resumes_while_the_turn_commits_misses_nothing()
    {
        int rounds = IsLong ? 2000 : 50;
        await using Channel channel = await Channel.StartAsync(TextAroundAStep);
        for (int round = 0; round < rounds; round++)
        {
            ResumingClient client = new(channel.Url);
            await client.StartAsync(1);
            await client.ResumeAsync();
            Assert.That((client.Text, client.Records.Count, client.Gaps.Count), Is.EqualTo(("ab", 3, 0)), $"round {round}");
            Assert.That(client.Outcome?.GetProperty("status").GetString(), Is.EqualTo("finished"), $"round {round}");
        }
    }

    [Test, Category("Long")]
    public async Task Who_comes_at_any_moment_of_a_turn_without_readers_misses_nothing()
    {
        int rounds = IsLong ? 2000 : 100;
        await using Channel channel = await Channel.StartAsync(TextAroundAStep);
        for (int round = 0; round < rounds; round++)
        {
            ResumingClient client = new(channel.Url);
            await client.StartAsync(int.MaxValue);
            client.Token = client.Outcome!.Value.GetProperty("continuationToken").GetString()!;
            client.Restart();
            Task<RawResponse> turn = channel.AskAsync(
                RawRequest.Post($"/v1/session/{client.SessionId}/message", "{}", $"X-Continuation-Token: {client.Token}"));
            await Patience.Until(async () =>
            {
                bool isOver = turn.IsCompleted;
                return await client.ResumeAsync() == 204 && isOver;
            });
            Assert.That((await turn).Status, Is.EqualTo(200));
            Assert.That(client.Records, Has.Count.EqualTo(6).And.Unique, $"round {round}");
            Assert.That(client.Ids, Is.Unique, $"round {round}");
            Assert.That(client.Text == "abab" || client.Gaps.Any(gap => gap.GetProperty("lost").GetString() == "delta"), $"round {round}");
        }
    }

    [Test]
    public async Task Where_no_text_is_remembered_records_are_not_missed()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                await Programs.StepAsync(turn, "before", () => 1);
                await turn.DeltaAsync("a", cancel);
                await gate.PassAsync();
                await turn.DeltaAsync("b", cancel);
                await Programs.StepAsync(turn, "after", () => 2);
                return TurnOutcome.Finished();
            },
            o => o with { Limits = new RestChannelLimits { MaxDeltaMemory = 0 } });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(1);
        await gate.ReachedAsync();
        gate.Open();
        await client.ResumeAsync();
        Assert.That(client.Records, Has.Count.EqualTo(5).And.Unique);
        Assert.That(client.Outcome?.GetProperty("status").GetString(), Is.EqualTo("finished"));
        Assert.That(await client.ResumeAsync(), Is.EqualTo(204), "there is nothing more");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task What_its_one_reader_had_whole_is_forgotten_once_it_goes_on(bool hasAnother)
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("a", cancel);
            return TurnOutcome.ParkedOnUser();
        });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        string begin = client.Ids[0][..^"1.AAAAAA".Length] + "0" + client.Ids[0][^7..];
        string first = client.Outcome!.Value.GetProperty("continuationToken").GetString()!;
        if (hasAnother)
            await channel.AskAsync(RawRequest.Get($"/v1/session/{client.SessionId}/stream", $"X-Continuation-Token: {first}"));
        RawResponse next = await channel.AskAsync(RawRequest.Post(
            $"/v1/session/{client.SessionId}/message", "{}", $"X-Continuation-Token: {first}", "Accept: text/event-stream"));
        Assert.That(next.Status, Is.EqualTo(200));
        RawResponse again = await channel.AskAsync(RawRequest.Get(
            $"/v1/session/{client.SessionId}/stream?after={begin}", $"X-Continuation-Token: {first}"));
        Assert.That(again.Text, hasAnother ? Does.Not.Contain("event: gap") : Does.Contain("event: gap"));
        Assert.That(again.Text.Split("event: record").Length - 1, Is.EqualTo(2));
    }

    [Test]
    public async Task A_request_that_is_cancelled_beside_a_wake_doubles_nothing([Values] bool isDurable, [Values] bool isRead)
    {
        TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using TempDirectory directory = new();
        await using FileStateStore? store = isDurable ? new FileStateStore(directory.Path) : null;
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                if (turn.Number == 1)
                    return TurnOutcome.ParkedOnSignal("go");
                await Programs.StepAsync(turn, "s", () => 1);
                if (isRead && turn.WokenBy is not null)
                    await read.Task;   // its name is remembered from now on
                return turn.TryGetSignal("go", out _) ? TurnOutcome.ParkedOnUser() : throw new InvalidOperationException();
            },
            o => o with { Store = store });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        JsonElement wake = client.Outcome!.Value.GetProperty("wake");
        client.Token = client.Outcome!.Value.GetProperty("continuationToken").GetString()!;
        string path = $"/v1/session/{client.SessionId}", credential = $"X-Continuation-Token: {client.Token}";
        RawResponse failed = await channel.AskAsync(RawRequest.Post($"{path}/message", "{}", credential));
        Assert.That(failed.Status, Is.EqualTo(500));
        RawResponse signalled = await channel.AskAsync(RawRequest.Post(
            wake.GetProperty("url").GetString()!, "1", $"Iris-Wake-Key: {wake.GetProperty("key").GetString()}"));
        Assert.That(signalled.Status, Is.EqualTo(202));
        if (isRead)
            await Patience.Until(async () =>
                (await channel.AskAsync(RawRequest.Get(path, credential))).Json.GetProperty("inFlight").GetBoolean());
        read.SetResult();
        await Patience.Until(async () =>
            (await channel.AskAsync(RawRequest.Get($"{path}/timeline", credential))).Json.GetProperty("records").GetArrayLength() == 6);
        RawResponse cancelled = await channel.AskAsync(RawRequest.Post($"{path}/cancel", "", credential));
        Assert.That(cancelled.Status, Is.EqualTo(200));
        RawResponse replay = await channel.AskAsync(client.Request());
        long[] seqs = [.. replay.Text.Split("\n\n").Select(frame => new RawEvent(frame)).Where(told => told.Type == "record")
            .Select(told => JsonElement.Parse(told.Data!).GetProperty("record").GetProperty("seq").GetInt64())];
        Assert.That(seqs, Has.Length.EqualTo(5).And.Ordered.And.Unique, replay.Text);
    }

    [Test]
    public async Task An_attempt_that_failed_unread_before_one_that_was_read_is_told()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            for (int step = 0; step < turn.Attempt; step++)
                await Programs.StepAsync(turn, $"s{step}", () => 1);
            return turn.Number == 1 || turn.Attempt == 3 ? TurnOutcome.ParkedOnUser() : throw new InvalidOperationException();
        });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        client.Token = client.Outcome!.Value.GetProperty("continuationToken").GetString()!;
        string path = $"/v1/session/{client.SessionId}";
        RawResponse unread = await channel.AskAsync(RawRequest.Post($"{path}/message", "{}", $"X-Continuation-Token: {client.Token}"));
        Assert.That(unread.Status, Is.EqualTo(500));
        await channel.AskAsync(RawRequest.Post(
            $"{path}/message", "{}", $"X-Continuation-Token: {client.Token}", "Accept: text/event-stream"));
        RawResponse committed = await channel.AskAsync(RawRequest.Post($"{path}/message", "{}", $"X-Continuation-Token: {client.Token}"));
        client.Token = committed.Json.GetProperty("continuationToken").GetString()!;
        RawResponse timeline = await channel.AskAsync(RawRequest.Get($"{path}/timeline", $"X-Continuation-Token: {client.Token}"));
        RawResponse replay = await channel.AskAsync(client.Request());
        Assert.That(
            replay.Text.Split("event: record").Length - 1 + client.Records.Count,
            Is.EqualTo(timeline.Json.GetProperty("records").GetArrayLength()), replay.Text);
    }

    [Test]
    public async Task One_that_follows_sees_later_turns_too()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync($"turn {turn.Number} ", cancel);
            return TurnOutcome.Finished();
        });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        client.Token = client.Outcome!.Value.GetProperty("continuationToken").GetString()!;
        TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<int> following = client.ResumeAsync(6, "?follow=1", opened);
        await opened.Task.Within();
        string token = client.Token;
        for (int i = 2; i <= 3; i++)
        {
            RawResponse reply = await channel.AskAsync(
                RawRequest.Post($"/v1/session/{client.SessionId}/message", "{}", $"X-Continuation-Token: {token}"));
            token = reply.Json.GetProperty("continuationToken").GetString()!;
        }

        Assert.That(await following, Is.EqualTo(200));
        Assert.That((client.Records.Count, client.Gaps.Count, client.Text), Is.EqualTo((3, 0, "turn 1 turn 2 turn 3 ")));
    }

    [Test]
    public async Task One_that_follows_is_let_go_when_the_server_stops()
    {
        await using Channel channel = await Channel.StartAsync(
            (_, _) => ValueTask.FromResult(TurnOutcome.Finished()), o => o with { ShutdownGrace = TimeSpan.FromHours(1) });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        client.Token = client.Outcome!.Value.GetProperty("continuationToken").GetString()!;
        TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<int> following = client.ResumeAsync(query: "?follow=1", opened: opened);
        await opened.Task.Within();
        await channel.StopAsync().Within();
        Assert.That(await following.Within(), Is.EqualTo(200));
    }

    [Test]
    public async Task No_more_than_16_follow_one_session()
    {
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(
            Programs.Held(gate), o => o with { Limits = new RestChannelLimits { SseHeartbeat = TimeSpan.FromHours(1) } });
        Task<RawResponse> start = channel.AskAsync(RawRequest.Post("/v1/session", "{}", "Idempotency-Key: a-key-that-is-long-enough"));
        await gate.ReachedAsync();
        await using RawConnection own = await RawConnection.OpenAsync(channel.Url);
        await own.WriteAsync(RawRequest.Post(
            "/v1/session", "{}", "Idempotency-Key: a-key-that-is-long-enough", "Accept: text/event-stream").Bytes(channel.Url));
        RawHead head = await own.ReadHeadAsync();
        RawRequest ask = RawRequest.Get(
            $"/v1/session/{head["Iris-Session-Id"]}/stream", $"X-Continuation-Token: {head["Iris-Start-Token"]}");
        List<RawConnection> readers = [];
        for (int i = 0; i < 16; i++)
        {
            RawConnection reader = await RawConnection.OpenAsync(channel.Url);
            readers.Add(reader);
            await reader.WriteAsync(ask.Bytes(channel.Url));
            Assert.That((await reader.ReadHeadAsync()).Status, Is.EqualTo(200));
        }

        WireForm.CheckRefusal(await channel.AskAsync(ask), 503, "overloaded", "overloaded");
        // One goes with a reset, one in good order: whoever comes in vain lets the others show that they are there.
        readers[0].Abort();
        await readers[1].DisposeAsync();
        readers.RemoveRange(0, 2);
        while (readers.Count < 16)
            await Patience.Until(async () =>
            {
                RawConnection late = await RawConnection.OpenAsync(channel.Url);
                await late.WriteAsync(ask.Bytes(channel.Url));
                if ((await late.ReadHeadAsync()).Status == 200)
                {
                    readers.Add(late);
                    return true;
                }

                await late.DisposeAsync();
                return false;
            });
        gate.Open();
        await start;
        foreach (RawConnection reader in readers)
            Assert.That(Encoding.UTF8.GetString(await reader.ReadBodyAsync(new RawHead("HTTP/1.1 200 OK", [new("Transfer-Encoding", "chunked")]))), Does.Contain("event: outcome"));
        foreach (RawConnection reader in readers)
            await reader.DisposeAsync();
    }
}
