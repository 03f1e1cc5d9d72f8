using System.Buffers;
using System.IO.Pipelines;

namespace Iris.Net.Tests.Transport;

[Parallelizable(ParallelScope.All)]
public class SocketWriterTests
{
    [TestCase(1)]
    [TestCase(4096)]
    [TestCase(100_000)]
    [TestCase(8_000_000)]
    public async Task What_was_collected_arrives_in_order_though_the_peer_is_slow(int size)
    {
        await using Wire wire = await Wire.OpenAsync();
        byte[] sent = new byte[size];
        new Random(1).NextBytes(sent);
        PipeWriter output = wire.Connection.Output;
        output.Write(sent);
        Assert.That(wire.Connection.Unsent, Is.EqualTo(size));
        ValueTask<FlushResult> flush = output.FlushAsync();
        byte[] received = await wire.ReceiveAsync(size);
        await flush;
        Assert.That(received.AsSpan().SequenceEqual(sent), Is.True);
        Assert.That((wire.Connection.Unsent, wire.Connection.Sent), Is.EqualTo((0L, (long)size)));
    }

    [Test]
    public async Task Writing_goes_on_while_a_flush_is_pending()
    {
        await using Wire wire = await Wire.OpenAsync();
        PipeWriter output = wire.Connection.Output;
        byte[] large = new byte[8_000_000];
        new Random(1).NextBytes(large);
        ValueTask<FlushResult> first = output.WriteAsync(large);
        Assert.That((first.IsCompleted, wire.Connection.IsSending), Is.EqualTo((false, true)));
        output.Write("then"u8);
        Assert.That(async () => await output.FlushAsync(), Throws.InvalidOperationException);
        byte[] received = await wire.ReceiveAsync(large.Length);
        await first;
        Assert.That((received.AsSpan().SequenceEqual(large), wire.Connection.Unsent), Is.EqualTo((true, 4L)));
        await output.FlushAsync();
        Assert.That(await wire.ReceiveAsync(4), Is.EqualTo("then"u8.ToArray()));
    }

    [Test]
    public async Task Lent_and_collected_bytes_keep_their_order()
    {
        await using Wire wire = await Wire.OpenAsync();
        PipeWriter output = wire.Connection.Output;
        byte[] lent = new byte[10_000];
        lent.AsSpan().Fill((byte)'l');
        output.Write("head"u8);
        ValueTask<FlushResult> flush = output.WriteAsync(lent);
        await flush;
        output.Write("tail"u8);
        await output.FlushAsync();
        byte[] received = await wire.ReceiveAsync(10_008);
        Assert.That(received, Is.EqualTo((byte[])[.. "head"u8, .. lent, .. "tail"u8]));
    }

    [Test]
    public async Task A_peer_that_is_gone_fails_the_flush()
    {
        await using Wire wire = await Wire.OpenAsync();
        wire.Peer.LingerState = new System.Net.Sockets.LingerOption(true, 0);
        wire.Peer.Dispose();
        await wire.Connection.Input.ReadAsync();
        Assert.That(
            async () =>
            {
                wire.Connection.Output.Write("x"u8);
                await wire.Connection.Output.FlushAsync();
            },
            Throws.InstanceOf<IOException>());
        Assert.That((wire.Connection.IsAborted, wire.Connection.Unsent), Is.EqualTo((true, 0L)));
    }

    [Test]
    public async Task An_abort_ends_a_pending_flush()
    {
        await using Wire wire = await Wire.OpenAsync();
        ValueTask<FlushResult> flush = wire.Connection.Output.WriteAsync(new byte[8_000_000]);
        Assert.That(flush.IsCompleted, Is.False);
        wire.Connection.Abort();
        Assert.That(async () => await flush, Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task A_token_that_ends_a_flush_leaves_the_connection_broken()
    {
        await using Wire wire = await Wire.OpenAsync();
        using var cancel = new CancellationTokenSource();
        ValueTask<FlushResult> flush = wire.Connection.Output.WriteAsync(new byte[8_000_000], cancel.Token);
        await cancel.CancelAsync();
        Assert.That(async () => await flush, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(wire.Connection.IsAborted, Is.True);
    }
}
