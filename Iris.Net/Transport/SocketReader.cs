using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Iris.Net.Transport;

/// <summary>A socket's input, in rented blocks that the socket fills itself. One reader at a time; only <see cref="CancelPendingRead"/> may come from elsewhere.</summary>
internal sealed class SocketReader : PipeReader, IReadable, IValueTaskSource<ReadResult>
{
    // The bits of _state, which the reader, the readiness and a cancel share.
    private const int Readable = 1;     // there may be something to receive
    private const int Waiting = 2;      // a read waits; whoever takes the bit away completes it
    private const int Cancelled = 4;    // a cancel came while no read waited

    private readonly PeerSocket _socket;
    private readonly EventReadiness? _asking;   // where there is no loop that tells by itself
    private ManualResetValueTaskSourceCore<bool> _core;     // whether the read was cancelled
    private int _state;
    private ReceivedBytes _received;
    private bool _examinedAll = true;
    private bool _filledUp;             // the last receive took all the room there was: more is likely
    private volatile bool _isEnding;    // the peer's end, or an error, stands behind what can be received
    private bool _completed;

    public SocketReader(PeerSocket socket)
    {
        _socket = socket;
        _asking = EpollLoop.Shared is null ? new EventReadiness(socket.Socket, this) : null;
    }

    /// <summary>Goes on where an <see cref="AcceptFilter"/> stands, which watched the socket until now.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="received">What it received.</param>
    /// <param name="examinedAll">Whether what is left of that asks for more.</param>
    /// <param name="filledUp">Whether the last receive took all the room there was.</param>
    /// <param name="isEnding">Whether the peer's end, or an error, stands behind what can be received.</param>
    public SocketReader(PeerSocket socket, in ReceivedBytes received, bool examinedAll, bool filledUp, bool isEnding) =>
        (_socket, _received, _examinedAll, _filledUp, _isEnding) = (socket, received, examinedAll, filledUp, isEnding);

    /// <summary>Whether the peer has ended its side, or the connection broke.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether the connection broke.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Whether the socket itself waits for input: closing it meanwhile resets the connection.</summary>
    public bool IsPending => _asking is { IsPending: true };

    long IReadable.Registration { get; set; }

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
        if ((_filledUp || _isEnding) && TryReceive())
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
                Complete(isCanceled: true, inline: false);
            return;
        }
    }

    public override void Complete(Exception? exception = null)
    {
        if (_completed)
            return;
        _completed = true;
        _received.Clear();
        if (_asking is null)
            EpollLoop.Shared!.Forget(this);
        else
            _asking.Dispose();
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => Result(isCanceled: _core.GetResult(token));

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

    /// <inheritdoc/>
    public void OnReadable(bool isEnding)
    {
        if (isEnding)
            _isEnding = true;
        Wake(inline: true);
    }

    /// <summary>Lets whoever waits look at the socket.</summary>
    /// <param name="inline">Whether it may go on below the caller.</param>
    public void Wake(bool inline)
    {
        int state, then;
        do
        {
            state = Volatile.Read(ref _state);
            then = (state & ~Waiting) | Readable;
        }
        while (Interlocked.CompareExchange(ref _state, then, state) != state);
        if ((state & Waiting) != 0 && TryTake(out ReadResult result))
            Complete(result.IsCanceled, inline);
    }

    /// <summary>The connection is broken: nothing more comes.</summary>
    public void Break() => IsBroken = HasEnded = true;

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

            if ((state & Readable) != 0 || Ask())
            {
                Interlocked.And(ref _state, ~Readable);
                if (!TryReceive())
                    continue;
                result = Result(isCanceled: false);
                return true;
            }

            if (Interlocked.CompareExchange(ref _state, Waiting, 0) == 0)
            {
                result = default;
                return false;
            }
        }
    }

    // True where a receive may bring something now, false where Wake will tell. The loop is asked once, for the connection's life.
    private bool Ask()
    {
        if (_asking is not null)
            return _asking.Ask();
        return ((IReadable)this).Registration == 0 && !EpollLoop.Shared!.Register(_socket, this);
    }

    private void Complete(bool isCanceled, bool inline)
    {
        _core.RunContinuationsAsynchronously = !inline;
        _core.SetResult(isCanceled);
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
            count = _socket.Receive(room.Span, out error);
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
