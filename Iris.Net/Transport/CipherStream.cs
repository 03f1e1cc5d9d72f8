using System.Buffers;
using System.IO.Pipelines;

namespace Iris.Net.Transport;

/// <summary>A connection's bytes as <see cref="System.Net.Security.SslStream"/> wants them. What it writes is held back until it
/// flushes, so that many records leave in one send; its reader may write too, so writers take turns.</summary>
internal sealed class CipherStream(Connection inner) : AsyncStream
{
    private const int MostHeld = 64 * 1024;

    private readonly SemaphoreSlim _turn = new(1);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ReadResult read = await inner.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
        // A cancel that came too late for one read is told to the next.
        while (read is { IsCanceled: true, Buffer.IsEmpty: true, IsCompleted: false })
        {
            inner.Input.AdvanceTo(read.Buffer.Start);
            read = await inner.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
        }

        ReadOnlySequence<byte> bytes = read.Buffer;
        bytes = bytes.Slice(0, Math.Min(bytes.Length, buffer.Length));
        bytes.CopyTo(buffer.Span);
        inner.Input.AdvanceTo(bytes.End);
        return (int)bytes.Length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            inner.Output.Write(buffer.Span);
            if (inner.Output.UnflushedBytes >= MostHeld)
                await inner.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await inner.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }
}
