using System.Net;
using System.Net.Sockets;
using System.Text;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Serve;

/// <summary>Many WebSockets that have had one turn each and wait for the next.</summary>
[Platform("Linux"), NonParallelizable, Category("Long")]
public sealed class IdleSocketTests
{
    private const int KiB = 1024;
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";
    private static readonly int Count = IsLong ? 9000 : 2000;
    private static readonly byte[] Buffer = new byte[16 * KiB];

    [Test]
    public async Task Each_takes_little_memory()
    {
        await using IrisServer server = await IrisServer.StartAsync();
        var address = new IPEndPoint(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        byte[] handshake = RawRequest.Get("/v1/ws", RawWebSocket.HandshakeFields).Bytes(server.Client.BaseAddress);
        List<Socket> warm = await OpenAsync(address, handshake, 1000);
        await RuntimeDiagnostics.CollectAsync(server.ProcessId);
        long before = ProcessUse.ResidentBytes(server.ProcessId);
        List<Socket> sockets = await OpenAsync(address, handshake, Count);
        await RuntimeDiagnostics.CollectAsync(server.ProcessId);
        long each = (ProcessUse.ResidentBytes(server.ProcessId) - before) / Count;
        TestContext.Out.WriteLine($"{Count} WebSockets, {each} bytes each");
        foreach (Socket socket in warm.Concat(sockets))
            socket.Dispose();
        // What the runtime keeps for itself meanwhile, up to 16 MiB, weighs more on fewer.
        Assert.That(each, Is.AtMost((IsLong ? 6 : 16) * KiB));
    }

    private static async Task<List<Socket>> OpenAsync(IPEndPoint address, byte[] handshake, int count)
    {
        List<Socket> sockets = [];
        for (int i = 0; i < count; i++)
        {
            Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            sockets.Add(socket);
            await socket.ConnectAsync(address).Within();
            socket.Send([.. handshake, .. RawWebSocket.TextFrame("{}")]);
            var text = new StringBuilder();
            while (!text.ToString().Contains("\"outcome\"", StringComparison.Ordinal))
                text.Append(Encoding.ASCII.GetString(Buffer, 0, await socket.ReceiveAsync(Buffer).Within()));
        }

        return sockets;
    }
}
