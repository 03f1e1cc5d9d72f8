using System.Net;
using System.Net.Sockets;
using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Tests.Server;

/// <summary>What one message costs, on the server and in the client of the test together.</summary>
[NonParallelizable]
internal sealed class WebSocketAllocationTests
{
#if DEBUG
    private const int Most = 400;   // for debugging, each call of an async method makes an object
#else
    private const int Most = 16;
#endif

    private const string Upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    [Test]
    public async Task A_message_that_fits_costs_no_allocation()
    {
        await using TestServer server = await TestServer.StartAsync(router => router.MapWebSocket("/ws", EchoAsync));
        // A socket that never ran anything asynchronously waits without allocating.
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.Connect(new IPEndPoint(IPAddress.Loopback, server.Url.Port));
        client.Send(Encoding.ASCII.GetBytes(Upgrade));
        client.Receive(new byte[4096]);
        byte[] frame = [0x81, 0x85, 1, 2, 3, 4, .. "words"u8], answer = new byte[frame.Length - 4];
        Echo(2000);
        long each = long.MaxValue;
        for (int round = 0; round < 5; round++)   // whatever else runs in this process is counted, too
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Echo(2000);
            each = Math.Min(each, (GC.GetTotalAllocatedBytes(precise: true) - before) / 2000);
        }

        TestContext.Out.WriteLine($"{each} bytes each");
        Assert.That(each, Is.LessThan(Most));

        void Echo(int count)
        {
            for (int i = 0; i < count; i++)
            {
                client.Send(frame);
                for (int had = 0; had < answer.Length;)
                    had += client.Receive(answer.AsSpan(had));
            }
        }
    }

    private static async ValueTask EchoAsync(WebSocketConnection socket, CancellationToken disconnected)
    {
        while (await socket.ReceiveAsync(disconnected) is { Kind: not WebSocketMessageKind.Closed } message)
            await socket.SendAsync(message.Kind, message.Payload, disconnected);
    }
}
