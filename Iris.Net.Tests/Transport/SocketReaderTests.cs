using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Iris.Net.Tests.Transport;

[Parallelizable(ParallelScope.All)]
public class SocketReaderTests
{
    [Test]
    public async Task Bytes_arrive_in_order_however_they_are_consumed()
    {
        await using Wire wire = await Wire.OpenAsync();
        byte[] sent = new byte[300_000];
        new Random(1).NextBytes(sent);
        Task sending = wire.Peer.SendAsync(sent);
        var random = new Random(2);
        var received = new List<byte>();
        PipeReader input = wire.Connection.Input;
        while (received.Count < sent.Length)
        {
            ReadResult read = await input.ReadAsync();
            int consumed = random.Next((int)read.Buffer.Length + 1);
            received.AddRange(read.Buffer.Slice(0, consumed).ToArray());
            bool more = random.Next(2) == 0 && received.Count + read.Buffer.Length - consumed < sent.Length;
            input.AdvanceTo(read.Buffer.GetPosition(consumed), more ? read.Buffer.End : read.Buffer.GetPosition(consumed));
        }

        await sending;
        Assert.That(received.ToArray(), Is.EqualTo(sent));
    }

    [Test]
    public async Task A_read_that_was_examined_whole_waits_for_more()
    {
        await using Wire wire = await Wire.OpenAsync();
        PipeReader input = wire.Connection.Input;
        await wire.Peer.SendAsync("ab"u8.ToArray());
        ReadResult read = await input.ReadAsync();
        input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        ValueTask<ReadResult> next = input.ReadAsync();
        Assert.That(next.IsCompleted, Is.False);
        await wire.Peer.SendAsync("c"u8.ToArray());
        read = await next;
        Assert.That(read.Buffer.ToArray(), Is.EqualTo("abc"u8.ToArray()));
        input.AdvanceTo(read.Buffer.End);
    }

    [Test]
    public async Task A_cancelled_read_loses_nothing()
    {
        await using Wire wire = await Wire.OpenAsync();
        PipeReader input = wire.Connection.Input;
        for (int round = 0; round < 20; round++)
        {
            ValueTask<ReadResult> waiting = input.ReadAsync();
            input.CancelPendingRead();
            ReadResult cancelled = await waiting;
            Assert.That((cancelled.IsCanceled, cancelled.IsCompleted, cancelled.Buffer.Length), Is.EqualTo((true, false, 0L)));
            input.AdvanceTo(cancelled.Buffer.End);

            input.CancelPendingRead();
            cancelled = await input.ReadAsync();
            Assert.That(cancelled.IsCanceled, Is.True);
            input.AdvanceTo(cancelled.Buffer.End);

            await wire.Peer.SendAsync(new[] { (byte)round });
            ReadResult read = await input.ReadAsync();
            Assert.That(read.Buffer.ToArray(), Is.EqualTo(new[] { (byte)round }));
            input.AdvanceTo(read.Buffer.End);
        }
    }

    [Test]
    public async Task Cancels_and_bytes_that_race_lose_nothing()
    {
        const int rounds = 5000;
        await using Wire wire = await Wire.OpenAsync();
        PipeReader input = wire.Connection.Input;
        Task sending = Task.Run(async () =>
        {
            for (int i = 0; i < rounds; i++)
                await wire.Peer.SendAsync(new[] { (byte)i });
        });
        int received = 0, cancelled = 0;
        using var stop = new CancellationTokenSource();
        Task cancelling = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                input.CancelPendingRead();
                Thread.SpinWait(500);
            }
        });
        while (received < rounds || cancelled == 0)
        {
            ReadResult read = await input.ReadAsync();
            foreach (byte value in read.Buffer.ToArray())
                Assert.That(value, Is.EqualTo((byte)received++));
            cancelled += read.IsCanceled ? 1 : 0;
            input.AdvanceTo(read.Buffer.End);
        }

        await stop.CancelAsync();
        await Task.WhenAll(sending, cancelling);
        Assert.That(received, Is.EqualTo(rounds));
    }

    [Test]
    public async Task A_token_ends_the_wait_and_not_the_connection()
    {
        await using Wire wire = await Wire.OpenAsync();
        PipeReader input = wire.Connection.Input;
        using var cancel = new CancellationTokenSource();
        ValueTask<ReadResult> waiting = input.ReadAsync(cancel.Token);
        await cancel.CancelAsync();
        Assert.That(async () => await waiting, Throws.InstanceOf<OperationCanceledException>());
        await wire.Peer.SendAsync("x"u8.ToArray());
        Assert.That((await input.ReadAsync()).Buffer.Length, Is.EqualTo(1));
    }

    [Test]
    public async Task An_orderly_end_and_a_reset_both_end_the_input_and_can_be_told_apart()
    {
        await using Wire orderly = await Wire.OpenAsync();
        orderly.Peer.Shutdown(SocketShutdown.Send);
        Assert.That((await orderly.Connection.Input.ReadAsync()).IsCompleted, Is.True);
        Assert.That(orderly.Connection.IsAborted, Is.False);

        await using Wire reset = await Wire.OpenAsync();
        ValueTask<ReadResult> waiting = reset.Connection.Input.ReadAsync();
        reset.Peer.LingerState = new LingerOption(true, 0);
        reset.Peer.Dispose();
        Assert.That((await waiting).IsCompleted, Is.True);
        Assert.That(reset.Connection.IsAborted, Is.True);
    }

    [Test]
    public async Task An_end_that_comes_together_with_the_last_bytes_is_found_behind_them()
    {
        for (int i = 0; i < 20; i++)
        {
            await using Wire wire = await Wire.OpenAsync();
            PipeReader input = wire.Connection.Input;
            ValueTask<ReadResult> waiting = input.ReadAsync();
            await wire.Peer.SendAsync("a"u8.ToArray());
            input.AdvanceTo((await waiting).Buffer.End);
            await wire.Peer.SendAsync("b"u8.ToArray());
            wire.Peer.Shutdown(SocketShutdown.Send);
            // What another connection was told, this one was told before.
            await using Wire other = await Wire.OpenAsync();
            ValueTask<ReadResult> others = other.Connection.Input.ReadAsync();
            await other.Peer.SendAsync("c"u8.ToArray());
            other.Connection.Input.AdvanceTo((await others).Buffer.End);

            ReadResult read = await input.ReadAsync();
            Assert.That(read.Buffer.ToArray(), Is.EqualTo("b"u8.ToArray()));
            input.AdvanceTo(read.Buffer.End);
            Assert.That((await input.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60))).IsCompleted, Is.True);
        }
    }

    [Test]
    public async Task An_abort_ends_a_waiting_read_and_resets_the_peer()
    {
        await using Wire wire = await Wire.OpenAsync();
        ValueTask<ReadResult> waiting = wire.Connection.Input.ReadAsync();
        wire.Connection.Abort();
        Assert.That((await waiting).IsCompleted, Is.True);
        Assert.That(async () => await wire.Peer.ReceiveAsync(new byte[1].AsMemory()), Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task A_connection_that_is_disposed_while_it_waits_does_not_reset_the_peer()
    {
        await using Wire wire = await Wire.OpenAsync();
        PipeReader input = wire.Connection.Input;
        ValueTask<ReadResult> waiting = input.ReadAsync();
        input.CancelPendingRead();
        input.AdvanceTo((await waiting).Buffer.End);
        await wire.Connection.DisposeAsync();
        Assert.That(await wire.Peer.ReceiveAsync(new byte[1].AsMemory()), Is.Zero);
    }
}
