using System.Text.Json;
using System.Text.Json.Nodes;
using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Sessions;

namespace Iris.Net.Tests.Conformance;

/// <summary>Sessions that go while somebody is there: none waits for what can never come.</summary>
public sealed class EvictionTests
{
    private const int MiB = 1 << 20;

    private static readonly string Large = new('x', 300_000);

    private static RawRequest Follow(string id, string token) =>
        RawRequest.Get($"/v1/session/{id}/stream?follow=1", $"X-Continuation-Token: {token}");

    private static async Task ToOutcomeAsync(RawEventStream stream)
    {
        RawEvent? told;
        while ((told = await stream.NextAsync().Within("an outcome")) is { Type: not "outcome" })
        {
        }

        Assert.That(told, Is.Not.Null, "the stream lives");
    }

    [Test]
    public async Task What_makes_room_is_nobodys_that_is_read_and_ends_the_connection_that_is_bound_to_it()
    {
        ManualTime time = new();   // the store's alone
        await using MemoryStateStore store = new(MiB, time);
        await using Channel channel = await Channel.StartAsync(
            (_, _) => ValueTask.FromResult(TurnOutcome.ParkedOnUser(JsonValue.Create(Large))), o => o with { Store = store });
        (string streamed, string streamToken) = await channel.BeginAsync();
        await using RawConnection connection = await RawConnection.OpenAsync(channel.Url);
        await connection.WriteAsync(Follow(streamed, streamToken).Bytes(channel.Url));
        Assert.That((await connection.ReadHeadAsync()).Status, Is.EqualTo(200));
        RawEventStream stream = new(connection);
        await ToOutcomeAsync(stream);
        time.Advance(1);
        (string attached, string attachToken) = await channel.BeginAsync();
        await using RawWebSocket reader = await RawWebSocket.OpenAsync(channel.Url);
        await reader.SendAsync($$"""{"$iris":"attach","sessionId":"{{attached}}","continuationToken":"{{attachToken}}"}""");
        await reader.ReceiveToOutcomeAsync();
        time.Advance(1);
        await using RawWebSocket bound = await RawWebSocket.OpenAsync(channel.Url);
        await bound.SendAsync("{}");
        await bound.ReceiveToOutcomeAsync();
        time.Advance(1);
        while (store.Bytes <= MiB)
            await channel.BeginAsync();
        time.Advance(61);
        Assert.That((await channel.AskAsync(RawRequest.Post("/v1/session", "{}"))).Status, Is.EqualTo(200), "there is room again");
        Assert.That(store.Evicted, Is.Positive);
        Assert.That((await bound.ReceiveAsync().Within("the close of the one that is bound")).CloseCode, Is.EqualTo(1000));
        foreach ((string id, string token) in ((string, string)[])[(streamed, streamToken), (attached, attachToken)])
        {
            RawResponse next = await channel.AskAsync(
                RawRequest.Post($"/v1/session/{id}/message", "{}", $"X-Continuation-Token: {token}"));
            Assert.That(next.Status, Is.EqualTo(200), "somebody reads it");
        }

        await ToOutcomeAsync(stream);
        await reader.ReceiveToOutcomeAsync();
    }

    [Test]
    public async Task A_connection_that_is_bound_while_its_session_runs_out_ends_at_once()
    {
        ManualTime time = new();
        using Gate gate = new();
        await using HeldReads store = new(new MemoryStateStore(time: time), gate);
        await using Channel channel = await Channel.StartAsync(
            Programs.Count, o => o with { Store = store, Time = time, SessionTtl = TimeSpan.FromSeconds(5) });
        const string Start = """{"$key":"twenty-characters-and-more"}""";
        JsonElement outcome;
        await using (RawWebSocket first = await RawWebSocket.OpenAsync(channel.Url))
        {
            await first.SendAsync(Start);
            outcome = JsonElement.Parse((await first.ReceiveToOutcomeAsync())[^1]);
        }

        string id = outcome.GetProperty("sessionId").GetString()!;
        await using RawWebSocket second = await RawWebSocket.OpenAsync(channel.Url);
        store.Holds = true;
        await second.SendAsync(Start);
        await gate.ReachedAsync();
        await Patience.Until(async () =>
        {
            time.Advance(1);
            return (await channel.AskAsync(RawRequest.Get($"/v1/session/{id}"))).Status == 404;
        });
        gate.Open();
        RawFrame told;
        while ((told = await second.ReceiveAsync().Within("what the second is told")).Opcode == RawWebSocket.Message)
            Assert.That(told.Text, Does.Not.StartWith("{\"type\":\"record\""), "there is none left");
        Assert.That(told.CloseCode, Is.EqualTo(1000), told.ToString());
    }

    /// <summary>One read ends late.</summary>
    private sealed class HeldReads(IStateStore inner, Gate gate) : PassingStore(inner)
    {
        public bool Holds { get; set; }

        public override async IAsyncEnumerable<JournalEntry> ReadAsync(
            SessionId id, long from, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel = default)
        {
            bool holds = Holds;
            Holds = false;
            await foreach (JournalEntry entry in base.ReadAsync(id, from, cancel))
                yield return entry;
            if (holds)
                await gate.PassAsync();
        }
    }
}
