using System.Text.Json;
using Iris.Net.Stores;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Sessions;

namespace Iris.Net.Tests.Conformance;

/// <summary>A session that somebody else holds: an outcome, or a refusal for whom asks for one.</summary>
public sealed class ContendedTests
{
    private const string Strict = "Prefer: handling=strict";

    private static ValueTask<TurnOutcome> Contend(TurnContext turn, CancellationToken cancel) =>
        ValueTask.FromResult(turn.Number == 1 ? TurnOutcome.ParkedOnUser() : TurnOutcome.Contended(7));

    private static RawRequest Send(string id, string token, params string[] fields) =>
        RawRequest.Post($"/v1/session/{id}/message", "{}", [$"X-Continuation-Token: {token}", .. fields]);

    private static void CheckStrict(RawResponse refusal, string applied = "handling=strict")
    {
        WireForm.CheckRefusal(refusal, 409, "contended", "contended");
        Assert.That((refusal["Preference-Applied"], refusal["Retry-After"]), Is.EqualTo((applied, "1")));
    }

    private static void CheckReply(RawResponse reply, string id, string token, long? current = null)
    {
        Assert.That((reply.Status, reply["Iris-Outcome"], reply["Iris-Turn"]), Is.EqualTo((200, "contended", "2")), reply.ToString());
        Assert.That(reply["Preference-Applied"], Is.Null);
        Assert.That(reply.Text, Does.Match(
            $"^{{\"sessionId\":\"{id}\",\"continuationToken\":\"{token}\",\"status\":\"contended\",\"current\":{current?.ToString() ?? "[0-9]+"},\"committed\":false,\"reason\":\"contended\"}}$"));
    }

    [Test]
    public async Task Of_a_program_is_an_outcome_and_a_refusal_for_whom_asks_for_one()
    {
        await using Channel channel = await Channel.StartAsync(Contend);
        (string id, string token) = await channel.BeginAsync();
        CheckReply(await channel.AskAsync(Send(id, token)), id, token, 7);
        foreach (string other in (string[])["Prefer: handling=lenient", "Prefer: handling=lenient, handling=strict", "Prefer: strict"])
            CheckReply(await channel.AskAsync(Send(id, token, other)), id, token, 7);
        foreach (string strict in (string[])[Strict, "Prefer: wait=5, HANDLING=\"Strict\"; x=1"])
        {
            CheckStrict(await channel.AskAsync(Send(id, token, strict)));
            CheckStrict(await channel.AskAsync(Send(id, token, strict, "Accept: text/event-stream")));
        }

        CheckStrict(
            await channel.AskAsync(Send(id, token, "Prefer: respond-async, wait=10", Strict)), "respond-async, wait=10, handling=strict");
        RawResponse receipt = await channel.AskAsync(RawRequest.Get($"/v1/session/{id}/turn", $"X-Continuation-Token: {token}"));
        Assert.That(receipt.Text, Does.EndWith("\"committed\":false,\"reason\":\"contended\"}"));
    }

    [Test]
    public async Task Is_no_refusal_once_a_stream_told_something()
    {
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            await turn.DeltaAsync("text", cancel);
            return turn.Number == 1 ? TurnOutcome.ParkedOnUser() : TurnOutcome.Contended(7);
        });
        (string id, string token) = await channel.BeginAsync();
        RawResponse stream = await channel.AskAsync(Send(id, token, Strict, "Accept: text/event-stream"));
        Assert.That(stream.Status, Is.EqualTo(200));
        string[] types = [.. stream.Text.Split("\n\n")[..^1].Select(frame => new RawEvent(frame).Type ?? "")];
        Assert.That(types, Is.EqualTo((string[])["", "delta", "outcome"]));
        Assert.That(stream.Text, Does.Contain("\"status\":\"contended\""));
    }

    [Test]
    public async Task A_strict_stream_of_a_turn_that_commits_is_as_any_other()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        RawResponse stream = await channel.AskAsync(RawRequest.Post("/v1/session", "{}", Strict, "Accept: text/event-stream"));
        string[] types = [.. stream.Text.Split("\n\n")[..^1].Select(frame => new RawEvent(frame).Type ?? "")];
        Assert.That((stream.Status, types[0], types[^1]), Is.EqualTo((200, "", "outcome")));
        Assert.That(stream["Iris-Start-Token"], Is.Not.Null);
    }

    [Test]
    public async Task What_another_process_holds_is_contended_after_the_token_was_judged()
    {
        await using MemoryStateStore store = new();
        CountedStore counted = new(store);
        using Gate gate = new();
        TurnProgram program = async (turn, _) =>
        {
            if (turn.Field("do") == "wait")
                await gate.PassAsync();
            return turn.Field("do") == "wait" ? TurnOutcome.Aborted() : TurnOutcome.ParkedOnUser();
        };
        await using Channel one = await Channel.StartAsync(program, o => o with { Store = store });
        await using Channel other = await Channel.StartAsync(program, o => o with { Store = store });
        await using Channel patient = await Channel.StartAsync(
            program, o => o with { Store = counted, ContendedRetry = TimeSpan.FromSeconds(30) });
        (string id, string token) = await one.BeginAsync();
        Task<RawResponse> running = one.AskAsync(
            RawRequest.Post($"/v1/session/{id}/message", """{"do":"wait"}""", $"X-Continuation-Token: {token}"));
        await gate.ReachedAsync();
        WireForm.CheckRefusal(await other.AskAsync(Send(id, "wrong")), 409, "stale or invalid continuationToken", "stale-token");
        WireForm.CheckRefusal(await other.AskAsync(Send(id, "")), 400, "missing continuationToken", "missing-token");
        CheckReply(await other.AskAsync(Send(id, token)), id, token);
        CheckStrict(await other.AskAsync(Send(id, token, Strict)));
        CheckStrict(await other.AskAsync(Send(id, token, Strict, "Accept: text/event-stream")));
        RawResponse stream = await other.AskAsync(Send(id, token, "Accept: text/event-stream"));
        RawEvent[] events = [.. stream.Text.Split("\n\n")[..^1].Select(frame => new RawEvent(frame))];
        Assert.That(events.Select(e => e.Type), Is.EqualTo((string?[])[null, "outcome"]));
        WireForm.CheckOutcome(JsonElement.Parse(events[1].Data!), isEvent: true);
        Task<RawResponse> waits = patient.AskAsync(Send(id, token, Strict));
        await Patience.Until(() => counted.Claims > 2);
        gate.Open();
        Assert.That((await running).Json.GetProperty("status").GetString(), Is.EqualTo("aborted"));
        RawResponse reply = await waits;
        Assert.That((reply.Status, reply.Json.GetProperty("status").GetString()), Is.EqualTo((200, "parked")), "it was tried again quietly");
    }

    private sealed class CountedStore(IStateStore inner) : PassingStore(inner)
    {
        private int _claims;

        public int Claims => Volatile.Read(ref _claims);

        public override ValueTask<BeginResult> BeginAsync(
            SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
        {
            Interlocked.Increment(ref _claims);
            return base.BeginAsync(id, guard, by, cancel);
        }

        public override ValueTask DisposeAsync() => default;
    }
}
