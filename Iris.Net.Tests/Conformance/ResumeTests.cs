using System.Globalization;
using System.Text;
using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Conformance;

/// <summary>Streams go on where they were cut: <c>GET /v1/session/{id}/stream</c>.</summary>
public sealed class ResumeTests
{
    internal const int Rounds = 66;   // of a text and a step: with the marker and the outcome 200 events

    internal static string WholeText => string.Concat(Enumerable.Range(0, Rounds).Select(i => $"{i} "));

    internal static TurnProgram Talk(SemaphoreSlim? pace = null) => async (turn, cancel) =>
    {
        for (int i = 0; i < Rounds; i++)
        {
            await turn.DeltaAsync($"{i} ", cancel);
            if (pace is not null)
                await pace.WaitAsync(cancel);
            await Programs.StepAsync(turn, "s", () => i);
        }

        return TurnOutcome.Finished(JsonElement.Parse("\"end\""));
    };

    internal static void CheckWhole(ResumingClient client)
    {
        Assert.That(client.Gaps, Is.Empty);
        Assert.That(client.Text, Is.EqualTo(WholeText));
        Assert.That(client.Records, Has.Count.EqualTo((2 * Rounds) + 1).And.Unique);
        long[] seqs = [.. client.Records.Select(r => JsonElement.Parse(r).GetProperty("record").GetProperty("seq").GetInt64())];
        Assert.That(seqs, Is.Ordered.Ascending.And.Unique);
        CheckRising(client.Ids);
        Assert.That(client.Outcome?.GetProperty("output").GetString(), Is.EqualTo("end"));
    }

    internal static void CheckRising(IReadOnlyList<string> ids)
    {
        (long Seq, long Delta)[] places = [.. ids.Select(id => id.Split('.')).Select(part => (Number(part[1]), Number(part[2])))];
        for (int i = 1; i < places.Length; i++)
            Assert.That(places[i].CompareTo(places[i - 1]), Is.Positive, $"{ids[i - 1]} {ids[i]}");
    }

    private static long Number(string digits) => long.Parse(digits, CultureInfo.InvariantCulture);

    [TestCase(false, false)]
    [TestCase(false, true)]
    [TestCase(true, true)]
    public async Task A_client_that_is_cut_after_every_event_misses_nothing(bool isPaced, bool isDurable)
    {
        using TempDirectory directory = new();
        await using FileStateStore? store = isDurable ? new FileStateStore(directory.Path) : null;
        using SemaphoreSlim pace = new(0);
        await using Channel channel = await Channel.StartAsync(Talk(isPaced ? pace : null), o => o with { Store = store });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(1);
        for (int i = 0; client.Outcome is null; i++)
        {
            Assert.That(i, Is.LessThan(400));
            if (isPaced)
                pace.Release();
            Assert.That(await client.ResumeAsync(1), Is.EqualTo(200));
        }

        CheckWhole(client);
        Assert.That(await client.ResumeAsync(), Is.EqualTo(204), "there is nothing more");
    }

    [Test]
    public async Task A_client_that_is_cut_at_any_byte_misses_nothing()
    {
        Random random = new(4711);
        await using Channel channel = await Channel.StartAsync(Talk());
        ResumingClient client = new(channel.Url);
        await client.StartAsync(1);
        for (int i = 0; client.Outcome is null; i++)
        {
            Assert.That(i, Is.LessThan(4000));
            byte[] read;
            await using (RawConnection connection = await RawConnection.OpenAsync(channel.Url))
            {
                await connection.WriteAsync(client.Request().Bytes(channel.Url));
                RawHead head = await connection.ReadHeadAsync();
                if (head["Iris-Refusal"] == "overloaded")
                    continue;   // the server has still to notice that others are gone
                Assert.That(head.Status, Is.EqualTo(200));
                try
                {
                    int count = random.Next(1, 3000);
                    using MemoryStream bytes = new();
                    while (bytes.Length < count && await connection.ReadChunkAsync() is { Length: > 0 } chunk)
                        bytes.Write(chunk);
                    read = bytes.ToArray()[..(int)Math.Min(count, bytes.Length)];
                }
                finally
                {
                    connection.Abort();
                }
            }

            string text = Encoding.UTF8.GetString(read);
            foreach (string frame in text.Split("\n\n")[..^1])
                client.Take(new RawEvent(frame));
        }

        CheckWhole(client);
    }

    [Test]
    public async Task Two_that_resume_at_once_get_the_same()
    {
        using SemaphoreSlim pace = new(0);
        await using Channel channel = await Channel.StartAsync(Talk(pace));
        ResumingClient client = new(channel.Url);
        await client.StartAsync(1);
        pace.Release(Rounds);
        RawResponse[] both = await Task.WhenAll(channel.AskAsync(client.Request()), channel.AskAsync(client.Request()));
        Assert.That(both[1].Text, Is.EqualTo(both[0].Text));
        foreach (string frame in both[0].Text.Split("\n\n")[..^1])
            client.Take(new RawEvent(frame));
        CheckWhole(client);
    }

    [Test]
    public async Task A_stream_without_an_id_begins_with_the_turn()
    {
        await using Channel channel = await Channel.StartAsync(Talk());
        ResumingClient client = new(channel.Url), again = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        CheckWhole(client);
        RawResponse whole = await channel.AskAsync(RawRequest.Get($"/v1/session/{client.SessionId}/stream", $"X-Continuation-Token: {client.Token}"));
        foreach (string frame in whole.Text.Split("\n\n")[..^1])
            again.Take(new RawEvent(frame));
        CheckWhole(again);
        Assert.That(again.Outcome?.GetRawText(), Is.EqualTo(client.Outcome?.GetRawText()));
    }

    [Test]
    public async Task After_a_restart_records_and_outcome_come_from_the_journal_and_lost_text_is_said()
    {
        using TempDirectory directory = new();
        ResumingClient whole, cut;
        await using (FileStateStore store = new(directory.Path))
        await using (Channel channel = await Channel.StartAsync(Talk(), o => o with { Store = store }))
        {
            whole = new(channel.Url);
            await whole.StartAsync(int.MaxValue);
        }

        await using FileStateStore reopened = new(directory.Path);
        await using Channel next = await Channel.StartAsync(Talk(), o => o with { Store = reopened });
        cut = new(next.Url);
        RawResponse replay = await next.AskAsync(RawRequest.Get(
            $"/v1/session/{whole.SessionId}/stream?after={whole.Ids[50]}", $"X-Continuation-Token: {whole.Token}"));
        foreach (string frame in replay.Text.Split("\n\n")[..^1])
            cut.Take(new RawEvent(frame));
        Assert.That(cut.Gaps.Select(g => g.GetProperty("lost").GetString()), Is.EqualTo((string[])["delta"]));
        Assert.That(whole.Records, Has.Count.EqualTo((2 * Rounds) + 1).And.SupersetOf(cut.Records));
        Assert.That(cut.Records, Is.EqualTo(whole.Records[^cut.Records.Count..]));
        Assert.That(cut.Records, Has.Count.GreaterThan(90));
        Assert.That(cut.Outcome?.GetRawText(), Is.EqualTo(whole.Outcome?.GetRawText()));
        Assert.That(cut.LastId, Is.EqualTo(whole.LastId));
        RawResponse nothing = await next.AskAsync(RawRequest.Get(
            $"/v1/session/{whole.SessionId}/stream", $"X-Continuation-Token: {whole.Token}", $"Last-Event-ID: {whole.LastId}"));
        Assert.That(nothing.Status, Is.EqualTo(204));

        // Cut at every event, the gap among them.
        ResumingClient one = new(next.Url);
        List<string> ids = [whole.Ids[50]];
        while (ids[^1] != whole.LastId)
        {
            RawResponse rest = await next.AskAsync(RawRequest.Get(
                $"/v1/session/{whole.SessionId}/stream?after={ids[^1]}", $"X-Continuation-Token: {whole.Token}"));
            RawEvent first = new(rest.Text.Split("\n\n")[1]);
            one.Take(first);
            ids.Add(first.Field("id")!);
            CheckRising(ids);
        }

        Assert.That(one.Records, Is.EqualTo(cut.Records));
    }

    [TestCase(false, "idle")]
    [TestCase(true, "idle")]
    [TestCase(false, "step")]
    [TestCase(true, "step")]
    [TestCase(false, "text")]
    [TestCase(true, "text")]
    public async Task A_cancelled_turn_is_told_as_such_and_then_there_is_nothing_more(bool isDurable, string does)
    {
        using TempDirectory directory = new();
        await using FileStateStore? store = isDurable ? new FileStateStore(directory.Path) : null;
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                if (turn.Number == 1)
                    return TurnOutcome.ParkedOnUser();
                await turn.DeltaAsync("text ", cancel);
                if (does == "step")
                    await Programs.StepAsync(turn, "s", () => 1);
                if (does == "idle")
                    throw new InvalidOperationException();
                await gate.PassAsync().WaitAsync(cancel);
                return TurnOutcome.Finished();
            },
            o => o with { Store = store });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        client.Token = client.Outcome!.Value.GetProperty("continuationToken").GetString()!;
        string path = $"/v1/session/{client.SessionId}", credential = $"X-Continuation-Token: {client.Token}";
        await using RawConnection connection = await RawConnection.OpenAsync(channel.Url);
        await connection.WriteAsync(RawRequest.Post($"{path}/message", "{}", credential, "Accept: text/event-stream").Bytes(channel.Url));
        await connection.ReadHeadAsync();
        RawEventStream stream = new(connection);
        if (does != "idle")
            await gate.ReachedAsync();
        RawEvent? last = null;
        if (does == "idle")
            await ReadAsync();
        Assert.That(
            (await channel.AskAsync(RawRequest.Post($"{path}/cancel", "", credential))).Status, Is.EqualTo(does == "idle" ? 200 : 202));
        if (does != "idle")
            await ReadAsync();
        RawResponse after = await channel.AskAsync(RawRequest.Get($"{path}/stream", credential, $"Last-Event-ID: {last!.Field("id")}"));
        if (does == "idle")
            Assert.That(after.Text, Does.Contain("\"reason\":\"cancelled\"").And.Not.Contain("gap"));
        else
            Assert.That(after.Status, Is.EqualTo(204), after.Text);
        RawResponse whole = await channel.AskAsync(RawRequest.Get($"{path}/stream", credential));
        Assert.That(whole.Text, Does.Contain("\"reason\":\"cancelled\"").And.Contain("text "));
        string end = whole.Text[whole.Text.LastIndexOf("id: ", StringComparison.Ordinal)..].Trim()[4..];
        if (does != "idle")
            Assert.That(end, Is.EqualTo(last.Field("id")), "one id for one outcome");
        Assert.That((await channel.AskAsync(RawRequest.Get($"{path}/stream", credential, $"Last-Event-ID: {end}"))).Status, Is.EqualTo(204));

        async Task ReadAsync()
        {
            while (await stream.NextAsync() is { } next)
                last = next;
        }
    }

    [Test]
    public async Task A_turn_that_began_again_voids_its_text()
    {
        int attempts = 0;
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync($"attempt {++attempts}", cancel);
            await Programs.StepAsync(turn, "s", () => 1);
            return attempts == 1 ? throw new InvalidOperationException() : TurnOutcome.Finished();
        });
        ResumingClient client = new(channel.Url);
        await client.StartAsync(2);
        Assert.That(await client.ResumeAsync(), Is.EqualTo(200));
        string end = client.Outcome!.Value.GetRawText();
        Assert.That(end, Does.Contain("\"reason\":\"failed\"").Or.Contain("\"code\":\"turn-failed\""), "told as an error where it came live");
        Assert.That(await client.ResumeAsync(), Is.EqualTo(204));
        RawResponse retried = await channel.AskAsync(
            RawRequest.Post($"/v1/session/{client.SessionId}/message", "{}", $"X-Continuation-Token: {client.Token}"));
        Assert.That(retried.Status, Is.EqualTo(200));
        await client.ResumeAsync();
        Assert.That(client.Gaps[0].GetProperty("lost").GetString(), Is.EqualTo("attempt"));
        Assert.That(client.Outcome?.GetProperty("continuationToken").GetString(), Is.EqualTo(retried.Json.GetProperty("continuationToken").GetString()));
        Assert.That(client.Records, Has.Count.EqualTo(3).And.Unique);
    }

    [Test]
    public async Task Nobody_reads_without_the_session_s_token()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        ResumingClient client = new(channel.Url), other = new(channel.Url);
        await client.StartAsync(int.MaxValue);
        await other.StartAsync(int.MaxValue);
        RawRequest Ask(string id, params string[] fields) => RawRequest.Get($"/v1/session/{id}/stream", fields);
        WireForm.CheckRefusal(await channel.AskAsync(Ask(client.SessionId)), 400, "missing continuationToken", "missing-token");
        foreach (string wrong in (string[])["wrong", other.Token, client.Token + "x"])
            WireForm.CheckRefusal(
                await channel.AskAsync(Ask(client.SessionId, $"X-Continuation-Token: {wrong}")), 409, "stale or invalid continuationToken", "stale-token");
        WireForm.CheckRefusal(
            await channel.AskAsync(Ask("nowhere", $"X-Continuation-Token: {client.Token}")), 404, "unknown session 'nowhere'", "unknown-session");
        WireForm.CheckRefusal(await channel.AskAsync(Ask("%ZZ")), 400, "malformed session id", "malformed-path");
        foreach (string id in (string[])["x", "1.2.3", "3.1.0.abcdef", "0.1.0.abcdef"])
            WireForm.CheckRefusal(
                await channel.AskAsync(Ask(client.SessionId, $"X-Continuation-Token: {client.Token}", $"Last-Event-ID: {id}")),
                400, "bad request", "bad-request");
    }

    [Test]
    public async Task A_silent_stream_says_that_it_lives()
    {
        ManualTime time = new();
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(Programs.Held(gate), o => o with { Time = time });
        await using RawConnection connection = await RawConnection.OpenAsync(channel.Url);
        await connection.WriteAsync(RawRequest.Post("/v1/session", "{}", "Accept: text/event-stream").Bytes(channel.Url));
        RawHead head = await connection.ReadHeadAsync();
        RawEventStream stream = new(connection);
        await stream.NextAsync();
        await gate.ReachedAsync();
        Task<RawEvent?> beat = stream.NextAsync();
        await Patience.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return beat.IsCompleted;
        });
        Assert.That((await beat)!.Text, Is.EqualTo(": hb"));
        await using RawConnection other = await RawConnection.OpenAsync(channel.Url);
        await other.WriteAsync(RawRequest.Get(
            $"/v1/session/{head["Iris-Session-Id"]}/stream", $"X-Continuation-Token: {head["Iris-Start-Token"]}").Bytes(channel.Url));
        await other.ReadHeadAsync();
        RawEventStream second = new(other);
        await second.NextAsync();
        Task<RawEvent?> secondBeat = second.NextAsync();
        await Patience.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return secondBeat.IsCompleted;
        });
        Assert.That((await secondBeat)!.Text, Is.EqualTo(": hb"));
        gate.Open();
    }
}
