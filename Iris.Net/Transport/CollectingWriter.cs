using System.IO.Pipelines;

namespace Iris.Net.Transport;

/// <summary>An output that collects what is written, and sends all of it with a flush. While a flush is pending, writing may
/// go on.</summary>
internal abstract class CollectingWriter : PipeWriter
{
    private const int Block = BlockPool.BlockSize, LargestBlock = 64 * 1024, LeastLent = 8192;

    private BufferSegment? _first;
    private BufferSegment? _last;
    private long _collected;
    private long _sending;
    private long _sent;
    private bool _completed;

    /// <summary>Bytes collected, and those of a pending flush that the system has not taken.</summary>
    public long Unsent => _collected + Volatile.Read(ref _sending);

    public long Sent => Volatile.Read(ref _sent);

    public bool IsSending { get; private set; }

    /// <summary>Whether a send failed.</summary>
    public bool IsBroken { get; private set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _collected;

    public override void Advance(int bytes)
    {
        _last!.Fill(bytes);
        _collected += bytes;
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        if (_last is not null && _last.Free.Length >= Math.Max(sizeHint, 1))
            return _last.Free;
        // The more is collected, the larger the blocks, so that one send has few of them.
        int size = (int)Math.Clamp(_collected, Block, LargestBlock);
        Append().Rent(Math.Max(size, sizeHint));
        return _last!.Free;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        if (source.Length < LeastLent)
            source.Span.CopyTo(GetSpan(source.Length));
        if (source.Length < LeastLent)
            Advance(source.Length);
        else
        {
            Append().Lend(source);
            _collected += source.Length;
        }

        return FlushAsync(cancellationToken);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        BufferSegment? first = _first;
        if (first is null)
            return new(default(FlushResult));
        if (IsSending)
            throw new InvalidOperationException("A flush is pending.");
        if (IsBroken)
            throw new IOException("A send failed before: what follows would stand behind a gap.");
        (_first, _last, _sending, _collected) = (null, null, _collected, 0);
        int start = 0;
        try
        {
            if (TrySend(ref first, ref start))
                return new(default(FlushResult));
        }
        catch (Exception e)
        {
            throw Broken(e, first);
        }

        IsSending = true;
        return SendRestAsync(first!, start, cancellationToken);
    }

    public override void CancelPendingFlush() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null)
    {
        _completed = true;
        ReleaseAll(_first);
        (_first, _last, _collected) = (null, null, 0);
    }

    /// <summary>Sends what is taken without waiting: false where a rest remains.</summary>
    protected abstract bool TrySend(ref BufferSegment? rest, ref int start);

    /// <summary>Sends some of the rest's first block at least, and tells how much.</summary>
    protected abstract ValueTask<int> SendAsync(BufferSegment rest, int start, CancellationToken cancel);

    /// <summary>Counts bytes of the rest as sent.</summary>
    protected void Take(int count, ref BufferSegment? rest, ref int start)
    {
        Volatile.Write(ref _sent, _sent + count);
        Volatile.Write(ref _sending, _sending - count);
        start += count;
        while (rest is not null && start >= rest.End)
        {
            start -= rest.End;
            rest = rest.Release();
        }
    }

    private BufferSegment Append()
    {
        BufferSegment next = BufferSegment.Take();
        if (_last is null)
            _first = next;
        else
            _last.Append(next);
        return _last = next;
    }

    private async ValueTask<FlushResult> SendRestAsync(BufferSegment? rest, int start, CancellationToken cancel)
    {
        try
        {
            do
            {
                int count = await SendAsync(rest!, start, cancel).ConfigureAwait(false);
                Take(count, ref rest, ref start);
            }
            while (rest is not null && !TrySend(ref rest, ref start));
            return default;
        }
        catch (OperationCanceledException)
        {
            IsBroken = true;
            ReleaseAll(rest);
            throw;
        }
        catch (Exception e)
        {
            throw Broken(e, rest);
        }
        finally
        {
            IsSending = false;
        }
    }

    private IOException Broken(Exception e, BufferSegment? rest)
    {
        IsBroken = true;
        ReleaseAll(rest);
        return new IOException("The peer is gone.", e);
    }

    private void ReleaseAll(BufferSegment? rest)
    {
        Volatile.Write(ref _sending, 0);
        while (rest is not null)
            rest = rest.Release();
    }
}
