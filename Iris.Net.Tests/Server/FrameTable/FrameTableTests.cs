using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Tests.Server.FrameTable;

/// <summary>The table through real sockets: whole, byte by byte, split at every position, and with much more behind a mistake.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class FrameTableTests
{
    private const string Upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";
    private static readonly byte[] More = new byte[1024 * 1024];
    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync(router => router.MapWebSocket("/ws", EchoAsync, new WebSocketOptions
    {
        MaxMessageSize = FrameRows.MaxMessageSize,
        MaxFragmentsPerMessage = FrameRows.MaxFragments,
        MaxControlFrames = FrameRows.MaxControlFrames,
    }));

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _server.DisposeAsync();
        Assert.That(_server.Errors, Is.Empty);
    }

    [Test]
    public void The_table_is_large_enough()
    {
        Assert.That(FrameRows.All.Count(), Is.GreaterThanOrEqualTo(120));
        Assert.That(FrameRows.Mistakes.Count(), Is.GreaterThanOrEqualTo(105));
        Assert.That(FrameRows.All.Select(row => row.Name), Is.Unique);
    }

    [TestCaseSource(typeof(FrameRows), nameof(FrameRows.All))]
    public async Task Whole(FrameRow row) => await AssertAsync(row, "whole", row.Sent);

    [TestCaseSource(typeof(FrameRows), nameof(FrameRows.All))]
    public async Task Byte_by_byte(FrameRow row) =>
        await AssertAsync(row, "byte by byte", [.. row.Sent.Take(300).Chunk(1), row.Sent[Math.Min(300, row.Sent.Length)..]]);

    [TestCaseSource(typeof(FrameRows), nameof(FrameRows.Mistakes))]
    public async Task A_peer_that_sends_a_mebibyte_more_gets_the_code(FrameRow row) =>
        await AssertAsync(row, "with more behind it", [row.Sent, .. More.Chunk(8192)]);

    [Test, Category("Long")]
    public async Task Split_at_every_position()
    {
        // In the normal run a tenth: the splits of all rows take seconds, and the core's tests make theirs each time.
        foreach (FrameRow row in FrameRows.All.Where((row, i) => row.Sent.Length < 1000 && (IsLong || i % 10 == 0)))
            for (int at = 1; at < row.Sent.Length; at++)
                await AssertAsync(row, $"split at {at}", row.Sent[..at], row.Sent[at..]);
    }

    private static async ValueTask EchoAsync(WebSocketConnection socket, CancellationToken disconnected)
    {
        while (await socket.ReceiveAsync(disconnected) is { Kind: not WebSocketMessageKind.Closed } message)
            await socket.SendAsync(message.Kind, message.Payload, disconnected);
    }

    private async Task AssertAsync(FrameRow row, string how, params byte[][] pieces)
    {
        using RawClient client = await _server.ConnectAsync();
        await client.SendAsync(Upgrade);
        Assert.That((await client.ReadAsync()).Status, Is.EqualTo(101));
        foreach (byte[] piece in pieces)
        {
            await client.SendAsync(piece);
            if (pieces.Length == 2)
                await Task.Yield();
        }

        string answered = await client.ReadToEndAsync();
        Assert.That(answered, Is.EqualTo(Encoding.Latin1.GetString(row.Answered)), $"{row}, {how}");
    }
}
