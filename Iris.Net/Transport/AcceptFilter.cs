using System.Buffers;
using System.Net.Sockets;

namespace Iris.Net.Transport;

/// <summary>A connection that was accepted and that nobody serves yet: it collects what the peer sends first, in one block, until
/// its judge lets it pass. It is all that such a peer costs beside its socket and the block. On Linux.</summary>
internal abstract class AcceptFilter : Timed, IReadable, IThreadPoolWorkItem
{
    // The bits of _state. Whoever sets Busy first does all the work that is told meanwhile; once over it stays busy.
    private const int Busy = 1, Readable = 2, Ending = 4, Asked = 8, Aborted = 16, Over = 32;

    private readonly PeerSocket _socket;
    private int _state = Busy | Asked;
    private int _length;
    private bool _isEnding;
    private bool _filledUp;
    private byte[]? _block;
    private Action? _closed;
    private IReadable? _heir;

    protected AcceptFilter(PeerSocket socket) => _socket = socket;

    protected bool IsUnix => _socket.IsUnix;

    /// <summary>What becomes of the connection.</summary>
    protected enum Verdict
    {
        /// <summary>It waits for more.</summary>
        Wait,

        /// <summary>It is closed.</summary>
        Close,

        /// <summary>It is served from now on.</summary>
        Pass,
    }

    public long Registration { get; set; }

    /// <summary>Whether it waits for the peer still.</summary>
    protected bool IsWaiting => (Volatile.Read(ref _state) & Over) == 0;

    /// <summary>How many bytes the peer sent so far.</summary>
    protected int Received => Volatile.Read(ref _length);

    /// <summary>Begins to wait.</summary>
    /// <param name="closed">Called once the connection is closed, whoever serves it.</param>
    public void Start(Action closed)
    {
        _closed = closed;
        if (Admit() is not Verdict.Wait and var verdict)
            End(verdict, isReset: false);
        else
            Work();
        if (IsWaiting && !EpollLoop.Shared!.Register(_socket, this))
            TryAbort();
    }

    public void OnReadable(bool isEnding)
    {
        if (!TryTell(isEnding ? Readable | Ending : Readable))
            _heir?.OnReadable(isEnding);
    }

    void IThreadPoolWorkItem.Execute() => TryTell(Asked);

    /// <summary>Judges anew soon, on another thread.</summary>
    protected void AskSoon() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <summary>Closes the connection with a reset; false where it was closed before, or is served.</summary>
    protected bool TryAbort() => TryTell(Aborted);

    /// <summary>Counts the connection in.</summary>
    protected abstract Verdict Admit();

    /// <summary>Judges the time that passed.</summary>
    protected abstract Verdict Judge();

    /// <summary>Judges what was received.</summary>
    /// <param name="received">All of it.</param>
    /// <param name="isEnded">Whether nothing more comes.</param>
    protected abstract Verdict Judge(in ReadOnlySequence<byte> received, bool isEnded);

    /// <summary>Makes ready whoever serves the connection from now on.</summary>
    protected abstract void Pass(Connection connection);

    /// <summary>Bytes that the connection's input does not show any more.</summary>
    protected abstract int Consumed { get; }

    /// <summary>Serves the connection that passed, to its end. It never throws.</summary>
    protected abstract Task RunAsync();

    /// <summary>Counts the connection out, which nobody served.</summary>
    protected abstract void Leave();

    /// <summary>Is told of our own mistakes, which close the connection.</summary>
    protected abstract void Report(Exception e);

    // False where it is over.
    private bool TryTell(int what)
    {
        int before = Interlocked.Or(ref _state, what | Busy);
        if ((before & Busy) == 0)
            Work();
        return (before & Over) == 0;
    }

    private void Work()
    {
        int told;
        do
        {
            told = Interlocked.And(ref _state, Busy);
            Verdict verdict = (told & Aborted) != 0 ? Verdict.Close : Look(told);
            if (verdict == Verdict.Wait)
                continue;
            End(verdict, isReset: (told & Aborted) != 0);
            return;
        }
        while (Interlocked.CompareExchange(ref _state, 0, Busy) != Busy);
    }

    private Verdict Look(int told)
    {
        _isEnding |= (told & Ending) != 0;
        Verdict verdict = (told & (Readable | Ending)) != 0 ? Guard(static filter => filter.Receive()) : Verdict.Wait;
        return verdict == Verdict.Wait && (told & Asked) != 0 ? Guard(static filter => filter.Judge()) : verdict;
    }

    private Verdict Guard(Func<AcceptFilter, Verdict> judge)
    {
        try
        {
            return judge(this);
        }
        catch (Exception e)
        {
            Report(e);
            return Verdict.Close;
        }
    }

    private Verdict Receive()
    {
        while (true)
        {
            _block ??= BlockPool.Rent(BlockPool.BlockSize);
            Span<byte> room = _block.AsSpan(_length, BlockPool.BlockSize - _length);
            int count = _socket.Receive(room, out SocketError error);
            if (count == 0 && error == SocketError.Interrupted)
                continue;
            if (count == 0 && error == SocketError.WouldBlock)
            {
                GiveBackEmpty();
                return Verdict.Wait;
            }

            if (count == 0)
            {
                // Where the connection broke there is nobody to answer.
                _isEnding = true;
                return _length > 0 && error == SocketError.Success ? Judge(All(), isEnded: true) : Verdict.Close;
            }

            Volatile.Write(ref _length, _length + count);
            _filledUp = count == room.Length;
            Verdict verdict = Judge(All(), isEnded: false);
            if (verdict == Verdict.Wait && _filledUp)
                return Verdict.Pass;    // what is larger needs more than a filter
            if (verdict != Verdict.Wait || !_isEnding)
                return verdict;
        }
    }

    private ReadOnlySequence<byte> All() => new(_block!, 0, _length);

    private void GiveBackEmpty()
    {
        if (_length > 0)
            return;
        BlockPool.Return(_block!);
        _block = null;
    }

    private void End(Verdict verdict, bool isReset)
    {
        if (verdict == Verdict.Pass)
            HandOver();
        else
            Close(isReset);
    }

    private void Close(bool isReset)
    {
        Interlocked.Or(ref _state, Over);
        EpollLoop.Shared!.Forget(this);
        if (_block is not null)
            BlockPool.Return(_block);
        _block = null;
        try
        {
            Leave();
        }
        catch (Exception e)
        {
            Report(e);
        }

        if (isReset)
            _socket.Reset();
        else
            _socket.Dispose();
        _closed!();
    }

    // What is told from the replacement on goes to the reader, and so does what was told before and not seen yet: an edge is told once.
    private void HandOver()
    {
        ReceivedBytes received = default;
        int consumed = Consumed;
        if (_block is not null)
            received.Own(_block, _length, consumed);
        _block = null;
        SocketReader reader = new(
            _socket, received, examinedAll: consumed == 0 || consumed == _length, filledUp: _filledUp, isEnding: _isEnding);
        SocketConnection connection = new(_socket, reader);
        Pass(connection);
        EpollLoop.Shared!.Replace(this, reader);
        _heir = reader;
        int late = Interlocked.Or(ref _state, Over);
        if ((late & (Readable | Ending)) != 0)
            reader.OnReadable((late & Ending) != 0);
        if ((late & Aborted) != 0)
            connection.Abort();
        Task run = RunAsync();
        if (run.IsCompleted)
            _closed!();     // an awaiter would wake another thread for it
        else
            run.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_closed!);
    }
}
