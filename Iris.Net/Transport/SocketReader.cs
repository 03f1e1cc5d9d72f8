using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Iris.Net.Transport;

/// <summary>A socket's input. It waits without a buffer, then lets the socket fill its own blocks, so that an idle connection
/// owns none and no byte is copied from one pipe to another. One reader at a time; only
/// <see cref="CancelPendingRead"/> may come from elsewhere.</summary>
internal sealed class SocketReader(Socket socket) : PipeReader, IValueTaskSource<ReadResult>
{
    // The three bits of _state, which the reader, the socket's completion and a cancel share.
    private const int Armed = 1;        // the socket was asked to tell when it is readable
    private const int Waiting = 2;      // a read waits; whoever takes the bit away completes it
    private const int Cancelled = 4;    // a cancel came while no read waited

    private SocketAsyncEventArgs? _readable;
    private ManualResetValueTaskSourceCore<ReadResult> _core;
    private int _state;
    private ReceivedBytes _received;
    private bool _examinedAll = true;
    private bool _filledUp;             // the last receive took all the room there was: more is likely
    private bool _completed;

    /// <summary>Whether the peer has ended its side, or the connection broke.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether the connection broke.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether the socket still owes the answer to whether it is readable.</summary>
    public bool IsArmed => (Volatile.Read(ref _state) & Armed) != 0;

    public override bool TryRead(out ReadResult result)
    {
        ObjectDisposedException.ThrowIf(_completed, this);
        if ((Volatile.Read(ref _state) & Cancelled) != 0)
        {
            Interlocked.And(ref _state, ~Cancelled);
            result = Result(isCanceled: true);
            return true;
        }

        result = default;
        if (_examinedAll && !HasEnded)
            return false;
        result = Result(isCanceled: false);
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (TryRead(out ReadResult result))
            return new(result);
        if (cancellationToken.CanBeCanceled)
            return ReadCancellableAsync(cancellationToken);
        if (_filledUp && TryReceive())
            return new(Result(isCanceled: false));
        return WaitAsync();
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) =>
        _examinedAll = _received.Consume(consumed, examined);

    public override void CancelPendingRead()
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            int then = (state & Waiting) != 0 ? state & ~Waiting : state | Cancelled;
            if (Interlocked.CompareExchange(ref _state, then, state) != state)
                continue;
            if ((state & Waiting) != 0)
                Complete(Result(isCanceled: true), inline: false);
            return;
        }
    }

    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        _received.Clear();
        _readable?.Dispose();       // waits by itself for a receive that is still under way
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private async ValueTask<ReadResult> ReadCancellableAsync(CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        await using var registration = cancel.UnsafeRegister(static reader => ((SocketReader)reader!).CancelPendingRead(), this)
            .ConfigureAwait(false);
        ReadResult result = await ReadAsync(CancellationToken.None).ConfigureAwait(false);
        if (result.IsCanceled)
            cancel.ThrowIfCancellationRequested();
        return result;
    }

    private ValueTask<ReadResult> WaitAsync()
    {
        while (true)
        {
            _core.Reset();
            int before = Interlocked.Or(ref _state, Waiting | Armed);
            // Where a read was cancelled, the socket still owes the answer to its question: it is not asked twice.
            bool answered = (before & Armed) == 0 && IsReadableNow();
            if (answered || (before & Cancelled) != 0)
            {
                if (!TryTakeWaiting())
                    return new(this, _core.Version);
                if ((before & Cancelled) != 0)
                {
                    Interlocked.And(ref _state, ~Cancelled);
                    return new(Result(isCanceled: true));
                }

                if (!TryReceive())
                    continue;
                return new(Result(isCanceled: false));
            }

            return new(this, _core.Version);
        }
    }

    // A receive of no bytes completes when there is something to receive.
    private bool IsReadableNow()
    {
        _readable ??= NewReadable();
        try
        {
            if (socket.ReceiveAsync(_readable))
                return false;
            EndWhereFailed();
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            IsBroken = HasEnded = true;
        }

        Interlocked.And(ref _state, ~Armed);
        return true;
    }

    // The error is told once: the next receive would take it for an orderly end.
    private void EndWhereFailed()
    {
        if (_readable!.SocketError != SocketError.Success)
            IsBroken = HasEnded = true;
    }

    private SocketAsyncEventArgs NewReadable()
    {
        var readable = new SocketAsyncEventArgs(true);
        readable.SetBuffer(Memory<byte>.Empty);
        readable.Completed += (_, _) => OnReadable();
        return readable;
    }

    private void OnReadable()
    {
        EndWhereFailed();
        int before = Interlocked.And(ref _state, ~Armed);
        if ((before & Waiting) == 0)
            return;
        while (TryTakeWaiting())
        {
            if (TryReceive())
            {
                Complete(Result(isCanceled: false), inline: true);
                return;
            }

            // Readable without bytes: somebody else's wake. Ask again.
            before = Interlocked.Or(ref _state, Waiting | Armed);
            if ((before & Cancelled) != 0)
            {
                Interlocked.And(ref _state, ~(Cancelled | Waiting | Armed));
                Complete(Result(isCanceled: true), inline: true);
                return;
            }

            if (!IsReadableNow())
                return;
        }
    }

    private bool TryTakeWaiting() => (Interlocked.And(ref _state, ~Waiting) & Waiting) != 0;

    private void Complete(ReadResult result, bool inline)
    {
        _core.RunContinuationsAsynchronously = !inline;
        _core.SetResult(result);
    }

    // False where there is nothing to receive yet.
    private bool TryReceive()
    {
        if (HasEnded)
            return true;
        Memory<byte> room = _received.Room(much: _filledUp);
        SocketError error;
        int count = 0;
        try
        {
            count = socket.Receive(room.Span, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException)
        {
            error = SocketError.OperationAborted;
        }

        _received.Fill(count);
        _filledUp = count == room.Length;
        if (count > 0)
        {
            _examinedAll = false;
            return true;
        }

        if (error is SocketError.WouldBlock or SocketError.TryAgain or SocketError.Interrupted)
            return false;
        IsBroken |= error != SocketError.Success;
        HasEnded = true;
        return true;
    }

    private ReadResult Result(bool isCanceled) => new(_received.Sequence, isCanceled, HasEnded);
}
