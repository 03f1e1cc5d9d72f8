using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The journal as one attempt writes it: numbers records, holds back what nothing depends on yet, appends, and hands
/// what is public to the events once it is in the store. One caller at a time.</summary>
internal sealed class TurnJournal(
    IStateStore store, Lease lease, long nextSeq, RecordWriter records, TurnEvents events, TimeProvider time)
{
    private JournalEntry[] _pending = records.Entries;
    private int _count;
    private AttemptStart? _start;
    private Minting? _minting;
    private string? _name;

    public RecordWriter Records => records;

    /// <summary>Six random characters that name the attempt; made once somebody asks.</summary>
    public string Name => _name ?? Interlocked.CompareExchange(ref _name, _minting!.ShortName(), null) ?? _name;

    /// <summary>The seq that the next record takes.</summary>
    public long NextSeq { get; private set; } = nextSeq;

    /// <summary>Unix milliseconds, as records carry them.</summary>
    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The attempt's first records: numbered now, written once something depends on them.</summary>
    /// <returns>The seq of <c>turn_started</c>.</returns>
    public long Begin(AttemptStart start)
    {
        _start = start with { Seq = NextSeq };
        _minting = start.Minting;
        NextSeq += start.ClosesRequest ? 2 : 1;
        return NextSeq - 1;
    }

    /// <summary>Takes a record that was numbered with <see cref="NextSeq"/>; the next flush appends it.</summary>
    public void Add(in JournalEntry entry)
    {
        WriteStart();
        Push(entry);
        NextSeq = entry.Seq + 1;
    }

    /// <summary>Appends what was added, in one step.</summary>
    /// <exception cref="AttemptOverException">The lease is lost, or the store cannot be reached or trusted.</exception>
    public ValueTask FlushAsync(Flush flush)
    {
        WriteStart();
        return _count == 0 ? default : AppendAsync(null, flush);
    }

    /// <summary>Appends what was added, the turn's marker and its commit, in one step that replaces the head.</summary>
    /// <exception cref="AttemptOverException">The same, or the attempt was cancelled: nothing of it was written.</exception>
    public async ValueTask CommitAsync(JournalEntry marker, SessionHead head)
    {
        bool keepsPrivate = store.Traits.KeepsPrivateRecords;
        if (keepsPrivate)
            WriteStart();
        int count = _count;
        Push(marker);
        if (keepsPrivate)
            Push(records.Commit(marker.Seq + 1, Now, head));
        try
        {
            await AppendAsync(head, Flush.Durable).ConfigureAwait(false);
        }
        catch (AttemptOverException)
        {
            _count = count;
            throw;
        }
    }

    private void WriteStart()
    {
        if (_start is not { } start)
            return;
        _start = null;
        long seq = start.Seq;
        if (start.ClosesRequest)
            Push(records.RequestClosed(seq++, Now));
        Push(records.TurnStarted(seq, Now, start.Turn, start.Attempt, Name, start.Body.Span, start.Key.Span));
    }

    private void Push(in JournalEntry entry)
    {
        if (_count == _pending.Length)
        {
            Array.Resize(ref _pending, _count * 2);
            records.Entries = _pending;
        }

        _pending[_count++] = entry;
    }

    private async ValueTask AppendAsync(SessionHead? commit, Flush flush)
    {
        AppendResult result;
        try
        {
            result = await store.AppendAsync(lease, _pending.AsMemory(0, _count), commit, flush).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            throw new AttemptOverException(AbortReason.StoreUnavailable, e);   // whatever it is, what became of the append is not known
        }

        if (result != AppendResult.Appended)
            throw new AttemptOverException(result switch
            {
                AppendResult.Cancelled => AbortReason.Cancelled,
                AppendResult.StaleFence or AppendResult.SeqConflict => AbortReason.LeaseLost,
                _ => AbortReason.StoreUnavailable,
            });
        Publish();
        records.Clear();
        _count = 0;
    }

    private void Publish()
    {
        events.Publish(_pending[_count - 1].Seq);
        if (!events.IsFollowed)
            return;
        foreach (ref readonly JournalEntry entry in _pending.AsSpan(0, _count))
            if (entry.IsPublic)
                events.Append(EventKind.Record, ChannelEvent.Record(entry.Utf8.Span), entry.Seq);
    }
}

/// <summary>How an attempt begins.</summary>
/// <param name="ClosesRequest">Whether another request is open, which ends now.</param>
/// <param name="Turn">The turn's number.</param>
/// <param name="Attempt">Which try of the request it is.</param>
/// <param name="Minting">Makes the six random characters that name it.</param>
/// <param name="Body">The request's body; empty where the journal has it already.</param>
/// <param name="Key">SHA-256 of its idempotency key; empty where it came without one.</param>
/// <param name="Seq">Where its first record stands.</param>
internal readonly record struct AttemptStart(
    bool ClosesRequest, long Turn, int Attempt, Minting Minting, ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Key,
    long Seq = 0);

/// <summary>The attempt may not go on: it passes through the program, which cannot change that by catching it.</summary>
internal sealed class AttemptOverException(AbortReason reason, Exception? inner = null)
    : InvalidOperationException("This attempt at the turn is over.", inner)
{
    public AbortReason Reason => reason;
}
