using System.Net.Sockets;
using Iris.Net.Server;
using Iris.Net.Tests.Conformance.Raw;
using RawClient = Iris.Net.Tests.Server.RawClient;

namespace Iris.Net.Tests.Conformance;

/// <summary>A client that asks for a stream and never reads it.</summary>
[NonParallelizable]
public sealed class UnreadStreamTests
{
    private const int Delta = 16 * 1024, Size = 16 * 1024 * 1024;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(IsLong ? 30 : 2);

    [Test, Category("Long")]
    public async Task It_is_cut_while_its_turn_commits_and_what_it_did_not_read_is_not_kept()
    {
        string text = new('d', Delta);
        int minted = 0;
        using Gate end = new();
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                if (turn.Field("large") is null)
                    return TurnOutcome.ParkedOnUser();
                for (int sent = 0; sent < Size; sent += Delta)
                {
                    await turn.DeltaAsync(text, cancel);
                    await Task.Delay(1, cancel);     // so that the stream sends what it can, and then waits for its reader
                }

                await end.PassAsync();
                return TurnOutcome.ParkedOnUser();
            },
            options => options with
            {
                MintSessionId = () => "the-session",
                MintToken = () => $"token-{Interlocked.Increment(ref minted)}",
                Limits = new RestChannelLimits { Http = new HttpServerLimits { ResponseStallTimeout = Stall } },
            });
        RawResponse first = await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        string token = first.Json.GetProperty("continuationToken").GetString()!;
        string request = RequestText("/v1/session/the-session/message?stream=1", $$"""{"continuationToken":"{{token}}","large":"yes"}""");

        long before = GC.GetTotalMemory(forceFullCollection: true);
        using RawClient client = await RawClient.ConnectAsync(channel.Url, receiveBuffer: 4096);
        await client.SendAsync(request);
        await end.ReachedAsync();
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.That(grown, Is.LessThan(6 * 1024 * 1024), "bytes kept for a reader that does not read");
        end.Open();

        // A receive would go on with the stream: only an error of the socket tells of the cut.
        Assert.That(() => (int)client.Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!,
            Is.Not.Zero.After((int)(Stall + TimeSpan.FromSeconds(IsLong ? 5 : 60)).TotalMilliseconds, 50), "the cut");
        RawResponse next;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        do
        {
            await Task.Delay(20, patience.Token);       // the cut may come before the commit
            next = await channel.AskAsync(RawRequest.Post("/v1/session/the-session/message?stream=1",
                $$"""{"continuationToken":"token-{{Volatile.Read(ref minted)}}"}"""));
        }
        while (next.Status == 409);
        Assert.That(next.Text, Does.Contain("event: outcome"), "the turn had committed, and another is read whole");
    }

    private static string RequestText(string target, string body) =>
        $"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body.Length}\r\n\r\n{body}";
}
