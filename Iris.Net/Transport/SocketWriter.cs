using System.IO.Pipelines;
using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>A socket's output. What was collected leaves in one send; only what the system does not take at once is waited
/// for. While a flush is pending, writing may go on.</summary>
internal sealed class SocketWriter(Socket socket) : PipeWriter
{
    private const int Block = 4096, LargestBlock = 64 * 1024, LeastLent = 8192;

    private BufferSegment? _first;
    private BufferSegment? _last;
    private BufferSegment? _spare;
    private List<ArraySegment<byte>>? _several;
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
        (_first, _last, _spare, _collected) = (null, null, null, 0);
    }

    private BufferSegment Append()
    {
        BufferSegment next = Interlocked.Exchange(ref _spare, null) ?? new BufferSegment();
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
                int count = await socket.SendAsync(rest!.Memory[start..], SocketFlags.None, cancel).ConfigureAwait(false);
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

    // Sends what the system takes without waiting: false where a rest remains.
    private bool TrySend(ref BufferSegment? rest, ref int start)
    {
        while (rest is not null)
        {
            int count = rest.Following is null
                ? socket.Send(rest.Memory.Span[start..], SocketFlags.None, out SocketError error)
                : socket.Send(Several(rest, start), SocketFlags.None, out error);
            if (error is not (SocketError.Success or SocketError.WouldBlock or SocketError.TryAgain or SocketError.Interrupted))
                throw new SocketException((int)error);
            Take(count, ref rest, ref start);
            if (error is SocketError.WouldBlock or SocketError.TryAgain)
                return rest is null;
        }

        return true;
    }

    private List<ArraySegment<byte>> Several(BufferSegment rest, int start)
    {
        List<ArraySegment<byte>> several = _several ??= [];
        several.Clear();
        for (BufferSegment? segment = rest; segment is not null && segment.TryGetArray(start, out ArraySegment<byte> array);
            segment = segment.Following)
        {
            several.Add(array);
            start = 0;
        }

        return several;
    }

    private void Take(int count, ref BufferSegment? rest, ref int start)
    {
        Volatile.Write(ref _sent, _sent + count);
        Volatile.Write(ref _sending, _sending - count);
        start += count;
        while (rest is not null && start >= rest.End)
        {
            start -= rest.End;
            BufferSegment sent = rest;
            rest = sent.Release();
            Volatile.Write(ref _spare, sent);
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
