using System.Text.Json;
using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Sessions;

namespace Iris.Net.Tests.Conformance;

/// <summary>WebSockets over a store that fails or is slow at one place: nobody waits for ever.</summary>
public sealed class SocketFaultTests
{
    private const string Key = "a-key-of-twenty-and-more";

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_replay_that_the_store_fails_ends_the_connection(bool isKnownToFail)
    {
        await using ChangingStore store = new();
        await using Channel channel = await Channel.StartAsync(Programs.Count, o => o with { Store = store });
        await using RawWebSocket first = await RawWebSocket.OpenAsync(channel.Url), again = await RawWebSocket.OpenAsync(channel.Url);
        await first.SendAsync($$"""{"$key":"{{Key}}"}""");
        await first.ReceiveToOutcomeAsync();
        store.Fails = isKnownToFail ? new IOException("The disk failed.") : new TimeoutException("Not what a store throws.");
        await again.SendAsync($$"""{"$key":"{{Key}}"}""");
        RawFrame closed = await again.ReceiveAsync().Within("the close");
        Assert.That(closed.CloseCode, Is.EqualTo(1011), $"{closed}");
    }

    // Its own attempt failed and another client's began before it was told of either; nothing is remembered of the first.
    [TestCase(false)]
    [TestCase(true)]
    public async Task One_whose_own_attempt_was_overtaken_is_done_once_all_was_told(bool hasCommitted)
    {
        using Gate held = new(), other = new(), seen = new();
        int runs = 0;
        TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using ChangingStore store = new();
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                switch (++runs)
                {
                    case 2:
                        await held.PassAsync();
                        break;
                    case 3:
                        failed.SetResult();
                        throw new InvalidOperationException();
                    case 4:
                        await other.PassAsync();
                        break;
                }

                return await Programs.Count(turn, cancel);
            },
            o => o with { Store = store, Limits = o.Limits with { MaxDeltaMemory = 0 } });
        JsonElement begun = (await channel.AskAsync(RawRequest.Post("/v1/session", "{}"))).Json;
        string id = begun.GetProperty("sessionId").GetString()!, token = begun.GetProperty("continuationToken").GetString()!;
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(channel.Url);
        await socket.SendAsync($$"""{"$iris":"attach","sessionId":"{{id}}","continuationToken":"{{token}}"}""");
        await socket.ReceiveToOutcomeAsync();
        store.Looks = seen;
        held.Open();
        token = await ContinueAsync(token);
        await seen.ReachedAsync();
        await socket.SendAsync("""{"$ref":1}""");
        await failed.Task.Within("the turn of its own");
        Task overtaking = Patience.Until(async () => (await AskAsync(token)).Status == 200);
        await other.ReachedAsync();
        if (hasCommitted)
        {
            other.Open();
            await overtaking;
        }

        store.Looks = null;
        seen.Open();
        List<string> told = [];
        while (!hasCommitted && told.LastOrDefault()?.Contains("\"lost\":\"attempt\"", StringComparison.Ordinal) != true)
            told.Add(await socket.ReceiveTextAsync().Within($"the other attempt behind {string.Join(' ', told)}"));
        other.Open();
        for (int outcomes = hasCommitted ? 2 : 1; outcomes > 0; outcomes--)
            told.AddRange(await socket.ReceiveToOutcomeAsync());
        await overtaking;
        Assert.That(
            told.Where(text => !text.Contains("\"type\":\"gap\"", StringComparison.Ordinal)), Has.None.Contains("\"ref\""),
            "another client caused it");
        socket.ShutdownSend();
        RawFrame closed = await socket.ReceiveAsync().Within("the close");
        Assert.That(closed.CloseCode, Is.EqualTo(1000), $"{closed}, behind {string.Join(' ', told)}");

        Task<RawResponse> AskAsync(string with) =>
            channel.AskAsync(RawRequest.Post($"/v1/session/{id}/message", "{}", $"X-Continuation-Token: {with}"));
        async Task<string> ContinueAsync(string with) => (await AskAsync(with)).Json.GetProperty("continuationToken").GetString()!;
    }

    private sealed class ChangingStore() : PassingStore(new MemoryStateStore())
    {
        public Exception? Fails { get; set; }

        public Gate? Looks { get; set; }

        public override async ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default)
        {
            if (Looks is { } gate)
                await gate.PassAsync();
            return await base.FindAsync(id, cancel);
        }

        // What is settled is read again for a replay alone.
        public override IAsyncEnumerable<JournalEntry> ReadAsync(SessionId id, long from, CancellationToken cancel = default) =>
            Fails is { } e && from <= 1 ? throw e : base.ReadAsync(id, from, cancel);
    }
}
