using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Sessions;

namespace Iris.Net.Tests.Conformance;

/// <summary>What goes wrong in the host's own parts, told over all three faces; nobody is locked out by it.</summary>
[TestFixture(Face.Json)]
[TestFixture(Face.Sse)]
[TestFixture(Face.WebSocket)]
public sealed class FaultTests(Face face)
{
    [Test]
    public async Task A_store_that_fails_in_whatever_way_is_unavailable()
    {
        foreach (Fault fault in (Fault[])[Fault.FailsBefore, Fault.Breaks])
        {
            FaultyStore store = new(new MemoryStateStore()) { Fault = fault, At = 1, Lasts = true };
            await using Channel channel = await Channel.StartAsync(Programs.Count, options => options with { Store = store });
            await using SessionClient client = channel.Client(face);
            await UnavailableAsync(client);
            store.At = 0;
            Assert.That((await client.SendAsync("{}")).Status, Is.EqualTo("finished"));
            store.At = 1;
            await UnavailableAsync(client);
            if (face != Face.WebSocket)
                WireForm.CheckRefusal(
                    await channel.AskAsync(RawRequest.Post($"/v1/session/{client.SessionId}/message", "{}")), 503, "store unavailable", "store-unavailable");
            store.At = 0;
            Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("2"), "its token was kept");
        }
    }

    [Test]
    public async Task Ids_and_tokens_that_cannot_be_made_fail_the_start_and_nothing_else()
    {
        bool failsId = true, failsToken = true;
        int minted = 0;
        List<ChannelLog> log = [];
        await using Channel channel = await Channel.StartAsync(Programs.Count, options => options with
        {
            MintSessionId = () => failsId ? throw new InvalidOperationException("secret") : $"s{minted++}",
            MintToken = () => failsToken ? throw new InvalidOperationException("secret") : $"t{minted++}",
            Log = line =>
            {
                lock (log)
                    log.Add(line);
            },
        });
        await using SessionClient client = channel.Client(face);
        for (int i = 0; i < 2; i++, failsId = false)
        {
            TurnReply reply = await client.SendAsync("{}");
            Assert.That(
                (reply.Error, reply.Code), Is.EqualTo(("turn failed", "turn-failed")));
            string errorId = reply.ErrorId!;
            lock (log)
                Assert.That(log.Single(line => line.Text.Contains(errorId, StringComparison.Ordinal)).Exception!.Message, Is.EqualTo("secret"));
        }

        failsToken = false;
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("1"), "over the same connection");
        failsToken = true;
        Assert.That((await client.SendAsync("{}")).Code, Is.EqualTo("turn-failed"));
        failsToken = false;
        Assert.That((await client.SendAsync("{}")).Output, Is.EqualTo("2"), "its token was kept");
    }

    private static async Task UnavailableAsync(SessionClient client)
    {
        TurnReply reply = await client.SendAsync("{}");
        Assert.That((reply.Error, reply.Code), Is.EqualTo(("store unavailable", "store-unavailable")));
    }
}
