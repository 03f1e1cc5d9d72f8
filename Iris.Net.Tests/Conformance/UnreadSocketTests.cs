using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Iris.Net.Server;
using Iris.Net.Tests.Conformance.Raw;
using RawClient = Iris.Net.Tests.Server.RawClient;

namespace Iris.Net.Tests.Conformance;

/// <summary>WebSockets whose clients do not read, beside one that does.</summary>
[NonParallelizable]
public sealed class UnreadSocketTests
{
    private const string Upgrade = "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    [Test]
    public async Task One_that_never_reads_is_cut_and_another_holds_its_conversation()
    {
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                if (turn.Field("large") is not null)
                    for (int i = 0; i < 500; i++)
                    {
                        await turn.DeltaAsync(new string('d', 16 * 1024), cancel);
                        await Task.Delay(1, cancel);    // so that the socket's buffers fill before the reader is too far behind
                    }

                return TurnOutcome.ParkedOnUser();
            },
            options => options with
            {
                Limits = new RestChannelLimits { Http = new HttpServerLimits { ResponseStallTimeout = TimeSpan.FromSeconds(2) } },
            });
        using RawClient silent = await RawClient.ConnectAsync(channel.Url, receiveBuffer: 4096);
        await silent.SendAsync(Upgrade);
        await silent.SendAsync(RawWebSocket.TextFrame("""{"large":"yes"}"""));

        using ClientWebSocket other = new();
        await other.ConnectAsync(new Uri($"ws://{channel.Url.Authority}/v1/ws"), CancellationToken.None);
        byte[] buffer = new byte[16 * 1024];
        for (int turn = 0; turn < 100; turn++)
        {
            await other.SendAsync("{}"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None).Within();
            string text;
            do
            {
                WebSocketReceiveResult got = await other.ReceiveAsync(buffer, CancellationToken.None).Within();
                text = Encoding.UTF8.GetString(buffer, 0, got.Count);
            }
            while (JsonElement.Parse(text).GetProperty("type").GetString() != "outcome");
        }

        await other.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None).Within();
        Assert.That(() => (int)silent.Socket.GetSocketOption(
            System.Net.Sockets.SocketOptionLevel.Socket, System.Net.Sockets.SocketOptionName.Error)!, Is.Not.Zero.After(20_000, 50), "the cut");
    }

    [Test]
    public async Task One_that_reads_too_late_is_told_1013_and_gets_no_outcome()
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            for (int i = 0; i < 2000; i++)
                await turn.DeltaAsync(new string('d', 8192), cancel);
            ended.SetResult();
            return TurnOutcome.ParkedOnUser();
        });
        using RawClient late = await RawClient.ConnectAsync(channel.Url, receiveBuffer: 4096);
        await late.SendAsync(Upgrade);
        await late.SendAsync(RawWebSocket.TextFrame("{}"));
        await ended.Task.Within();
        string all = await late.ReadToEndAsync();
        Assert.That(all, Does.EndWith("\u0088\u0002\u0003\u00f5").And.Not.Contain("outcome"));
    }

    [Test]
    public async Task One_that_makes_mistakes_and_reads_nothing_is_read_no_further()
    {
        await using Channel channel = await Channel.StartAsync(Programs.Echo);
        using RawClient silent = await RawClient.ConnectAsync(channel.Url, receiveBuffer: 4096);
        await silent.SendAsync(Upgrade);
        byte[] wrong = [.. Enumerable.Repeat(RawWebSocket.TextFrame("{"), 10_000).SelectMany(frame => frame)];
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        long sent = 0;
        int stuck = 0;
        silent.Socket.Blocking = false;
        while (stuck < 200 && sent < 200L << 20)
        {
            int count = silent.Socket.Send(wrong, System.Net.Sockets.SocketFlags.None, out System.Net.Sockets.SocketError error);
            stuck = error == System.Net.Sockets.SocketError.WouldBlock ? stuck + 1 : 0;
            sent += Math.Max(count, 0);
            if (stuck > 0)
                await Task.Delay(5, stop.Token);
        }

        Assert.That(stuck, Is.EqualTo(200), "the server goes on reading");
    }
}
