using System.IO.Pipelines;

namespace Iris.Net.Server;

/// <summary>Flushes an output that several write to while they lock this: whoever comes while a flush is pending waits until all
/// that is there by then was sent.</summary>
internal abstract class FlushOnce(PipeWriter output)
{
    private Task? _running;
    private Exception? _failure;

    protected PipeWriter Output => output;

    /// <summary>Sends what was written.</summary>
    /// <exception cref="IOException">The peer is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancel = default)
    {
        Task running;
        lock (this)
        {
            ThrowIfFailed();
            if (_running is null)
            {
                ValueTask<FlushResult> flush = output.FlushAsync(CancellationToken.None);
                if (flush.IsCompletedSuccessfully)
                {
                    _ = flush.Result;
                    return default;
                }

                Task rest = RunRestAsync(flush);
                _running = rest.IsCompleted ? null : rest;
                if (_running is null)
                {
                    ThrowIfFailed();
                    return default;
                }
            }

            running = _running;
        }

        return WaitAsync(running, cancel);
    }

    /// <summary>Sends what was written, without waiting and without telling how it went.</summary>
    public void BeginFlush()
    {
        try
        {
            _ = FlushAsync().AsTask();
        }
        catch (IOException)
        {
            // Whoever reads hears of it.
        }
    }

    private async ValueTask WaitAsync(Task running, CancellationToken cancel)
    {
        await running.WaitAsync(cancel).ConfigureAwait(false);
        ThrowIfFailed();
    }

    private async Task RunRestAsync(ValueTask<FlushResult> flush)
    {
        try
        {
            while (true)
            {
                await flush.ConfigureAwait(false);
                lock (this)
                {
                    if (output.UnflushedBytes == 0)
                    {
                        _running = null;
                        return;
                    }

                    flush = output.FlushAsync(CancellationToken.None);
                }
            }
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is not null)
            throw new IOException("The peer is gone.", _failure);
    }
}
