using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The journal as one attempt writes it: numbers records, holds back what nothing depends on yet, appends, and hands
/// what is public to the events once it is in the store. One caller at a time.</summary>
internal sealed class TurnJournal(
    IStateStore store, Lease lease, long nextSeq, RecordWriter records, TurnEvents events, TimeProvider time)
{
    private JournalEntry[] _pending = new JournalEntry[4];
    private int _count;

    public RecordWriter Records => records;

    /// <summary>The seq that the next record takes.</summary>
    public long NextSeq { get; private set; } = nextSeq;

    /// <summary>Unix milliseconds, as records carry them.</summary>
    public long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Takes a record that was numbered with <see cref="NextSeq"/>; the next flush appends it.</summary>
    public void Add(in JournalEntry entry)
    {
        if (_count == _pending.Length)
            Array.Resize(ref _pending, _count * 2);
        _pending[_count++] = entry;
        NextSeq = entry.Seq + 1;
    }

    /// <summary>Appends what was added, in one step.</summary>
    /// <exception cref="AttemptOverException">The lease is lost, or the store cannot be reached or trusted.</exception>
    public ValueTask FlushAsync(Flush flush) => _count == 0 ? default : AppendAsync(null, flush);

    /// <summary>Appends what was added, the turn's marker and its commit, in one step that replaces the head.</summary>
    /// <exception cref="AttemptOverException">The same, or the attempt was cancelled: nothing of it was written.</exception>
    public async ValueTask CommitAsync(JournalEntry marker, JournalEntry commit, SessionHead head)
    {
        (int count, long nextSeq) = (_count, NextSeq);
        Add(marker);
        Add(commit);
        try
        {
            await AppendAsync(head, Flush.Durable).ConfigureAwait(false);
        }
        catch (AttemptOverException)
        {
            (_count, NextSeq) = (count, nextSeq);
            throw;
        }
    }

    private async ValueTask AppendAsync(SessionHead? commit, Flush flush)
    {
        AppendResult result;
        try
        {
            result = await store.AppendAsync(lease, _pending.AsMemory(0, _count), commit, flush).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new AttemptOverException(AbortReason.StoreUnavailable, e);
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
        if (!events.IsFollowed)
            return;
        foreach (ref readonly JournalEntry entry in _pending.AsSpan(0, _count))
            if (entry.IsPublic)
                events.Append(EventKind.Record, ChannelEvent.Record(entry.Utf8.Span));
    }
}

/// <summary>The attempt may not go on: it passes through the program, which cannot change that by catching it.</summary>
internal sealed class AttemptOverException(AbortReason reason, Exception? inner = null)
    : InvalidOperationException("This attempt at the turn is over.", inner)
{
    public AbortReason Reason => reason;
}
