using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Iris.Net.Tests.Serve;

namespace Iris.Net.Tests.Server;

/// <summary><c>samples/Http --large</c>: large messages, whole and in very many fragments.</summary>
[Platform("Linux"), NonParallelizable]
internal sealed class LargeMessageTests
{
    private const int MiB = 1024 * 1024;
    private const string Upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Test]
    public async Task It_echoes_16_MiB_in_many_ways_and_stays_small()
    {
        string program = Path.Combine(TestContext.CurrentContext.TestDirectory, "Http.dll");
        using Process process = Process.Start(new ProcessStartInfo("dotnet", ["exec", program, "0", "--large"]) { RedirectStandardOutput = true })!;
        try
        {
            var url = new Uri((await process.StandardOutput.ReadLineAsync().WaitAsync(Patience))!);
            await EchoAsync(url, 64, 1, pings: true);
            long idle = ProcessUse.ResidentBytes(process.Id), most = 0;
            using var done = new CancellationTokenSource();
            Task watching = Task.Run(async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    most = Math.Max(most, ProcessUse.ResidentBytes(process.Id));
                    await Task.Delay(5);
                }
            });
            await EchoAsync(url, 16 * MiB, 1, pings: false);
            await EchoAsync(url, 4 * MiB, 65_536, pings: true);
            await EchoAsync(url, 16 * MiB, 262_144, pings: false);
            await EchoAsync(url, 16 * MiB, 262_144, pings: true);
            await done.CancelAsync();
            await watching;
            TestContext.Out.WriteLine($"idle {idle / MiB} MiB, at most {(most - idle) / MiB} MiB more");
            Assert.That(most - idle, Is.LessThan(96L * MiB));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static async Task EchoAsync(Uri url, int size, int fragments, bool pings)
    {
        using RawClient client = await RawClient.ConnectAsync(url);
        await client.SendAsync(Upgrade);
        Assert.That((await client.ReadAsync()).Status, Is.EqualTo(101));
        Task sending = Task.Run(() => SendAsync(client, size, fragments, pings));
        for (int i = 0; pings && i < fragments - 1; i++)
        {
            if (BinaryPrimitives.ReadInt32BigEndian(Encoding.Latin1.GetBytes(await client.ReadBytesAsync(6)).AsSpan(2)) != i)
                Assert.Fail($"pong {i}");
        }

        Assert.That(await client.ReadBytesAsync(size > 125 ? 10 : 2), Does.StartWith("\u0082"));
        for (int at = 0; at < size; at += 64 * 1024)
        {
            string some = await client.ReadBytesAsync(Math.Min(64 * 1024, size - at));
            if (some.AsSpan().IndexOfAnyExcept('*') >= 0)
                Assert.Fail($"other bytes behind {at}");
        }

        await sending;
    }

    // Masked with a key of zeros; between two fragments stands a ping with its number.
    private static async Task SendAsync(RawClient client, int size, int fragments, bool pings)
    {
        int each = size / fragments;
        byte[] payload = [.. Enumerable.Repeat((byte)'*', each)];
        var batch = new MemoryStream();
        for (int i = 0; i < fragments; i++)
        {
            batch.WriteByte((byte)((i == 0 ? 2 : 0) | (i == fragments - 1 ? 0x80 : 0)));
            if (each < 126)
                batch.WriteByte((byte)(0x80 | each));
            else
                batch.Write([0xFF, 0, 0, 0, 0, (byte)(each >> 24), (byte)(each >> 16), (byte)(each >> 8), (byte)each]);
            batch.Write([0, 0, 0, 0]);
            batch.Write(payload);
            if (pings && i < fragments - 1)
                batch.Write([0x89, 0x84, 0, 0, 0, 0, (byte)(i >> 24), (byte)(i >> 16), (byte)(i >> 8), (byte)i]);
            if (batch.Length < 32 * 1024 && i < fragments - 1)
                continue;
            await client.SendAsync(batch.GetBuffer().AsMemory(0, (int)batch.Length));
            batch.SetLength(0);
        }
    }
}
