using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Iris.Net.Transport;

/// <summary>A socket's input. An idle connection waits with one small block of its own, into which a usual request arrives with
/// one call; whatever is more goes into rented blocks, which the socket fills itself. One reader at a time; only
/// <see cref="CancelPendingRead"/> may come from elsewhere.</summary>
internal sealed class SocketReader(Socket socket) : PipeReader, IValueTaskSource<ReadResult>
{
    // The bits of _state, which the reader, the socket's completion and a cancel share.
    private const int Armed = 1;        // the socket was asked for input and has not answered
    private const int Answered = 2;     // it answered, and nobody took that yet
    private const int Waiting = 4;      // a read waits; whoever takes the bit away completes it
    private const int Cancelled = 8;    // a cancel came while no read waited

    private const int OwnBlock = 1024;

    private SocketAsyncEventArgs? _receive;
    private byte[]? _own;               // the socket's while Armed, the received bytes' while they hold it
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

    /// <summary>Whether the socket still owes the answer to what there is to receive.</summary>
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
        _core.Reset();
        return TryTake(out result) ? new(result) : new(this, _core.Version);
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
        _receive?.Dispose();        // waits by itself for a receive that is still under way
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

    // For whoever alone may end the read: what there is, or else the read waits from now on.
    private bool TryTake(out ReadResult result)
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if ((state & Cancelled) != 0)
            {
                Interlocked.And(ref _state, ~Cancelled);
                result = Result(isCanceled: true);
                return true;
            }

            if ((state & Answered) != 0 || ((state & Armed) == 0 && AnswersAtOnce()))
            {
                Interlocked.And(ref _state, ~(Armed | Answered));
                if (!TryClaim())
                    continue;
                result = Result(isCanceled: false);
                return true;
            }

            // A read that was cancelled leaves the socket armed: it is not asked twice.
            if (Interlocked.CompareExchange(ref _state, Armed | Waiting, Armed) == Armed)
            {
                result = default;
                return false;
            }
        }
    }

    private bool AnswersAtOnce()
    {
        _receive ??= NewReceive();
        // Behind bytes that are held, a receive of none tells when there are more.
        Memory<byte> block = _received.IsEmpty ? _own ??= GC.AllocateUninitializedArray<byte>(OwnBlock) : Memory<byte>.Empty;
        Interlocked.Or(ref _state, Armed);
        try
        {
            if (block.Length != _receive.MemoryBuffer.Length)
                _receive.SetBuffer(block);
            if (socket.ReceiveAsync(_receive))
                return false;
            EndWhereFailed();
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            IsBroken = HasEnded = true;
        }

        return true;
    }

    // The error is told once: the next receive would take it for an orderly end.
    private void EndWhereFailed()
    {
        if (_receive!.SocketError != SocketError.Success)
            IsBroken = HasEnded = true;
    }

    private SocketAsyncEventArgs NewReceive()
    {
        var receive = new SocketAsyncEventArgs(true);
        receive.Completed += (_, _) => FollowUp.Run(this, static reader => reader.OnAnswer());
        return receive;
    }

    private void OnAnswer()
    {
        EndWhereFailed();
        int state, then;
        do
        {
            state = Volatile.Read(ref _state);
            then = (state & ~(Armed | Waiting)) | Answered;
        }
        while (Interlocked.CompareExchange(ref _state, then, state) != state);
        if ((state & Waiting) != 0 && TryTake(out ReadResult result))
            Complete(result, inline: true);
    }

    private void Complete(ReadResult result, bool inline)
    {
        _core.RunContinuationsAsynchronously = !inline;
        _core.SetResult(result);
    }

    // False where the socket was readable, and now has nothing.
    private bool TryClaim()
    {
        if (HasEnded)
            return true;
        if (_receive!.MemoryBuffer.IsEmpty)
            return TryReceive();
        int count = _receive.BytesTransferred;
        if (count == 0)
            return HasEnded = true;
        _received.Lend(_own.AsMemory(0, count));
        _filledUp = count == OwnBlock;
        _examinedAll = false;
        return true;
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
