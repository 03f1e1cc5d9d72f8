using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>Everything that writes to the journal of a session: creates, appends, signals, deletes. What is appended is part of the
/// journal at once; the head that claims are judged by changes only once its commit is on disk.</summary>
internal sealed class FileAppend(FileSessions sessions, SegmentWriter log, TimeProvider time)
{
    private long Now => time.GetUtcNow().UtcTicks;

    /// <exception cref="IOException">The disk fails, and what became of the session's last records is not known.</exception>
    public void ThrowIfUncertain(FileSession session)
    {
        if (log.Failure is { } failure && session.Last >= log.Synced)
            throw new IOException(failure.Message, failure);
    }

    /// <summary>Makes a session; called under its lock.</summary>
    public CreateResult Create(FileSession session, SessionSeed seed, LeaseRequest by)
    {
        ThrowIfUncertain(session);
        if (!session.IsDeleted && session.Last != RecordFrame.None)
            return CreateResult.Exists(sessions.Warm(session, log).Head);
        ReadOnlySpan<JournalEntry> entries = WithHead(seed.Entries.Span, seed.Head, out int headLength);
        long now = Now;
        RecordFrame frame = Standing(seed.Head, headLength) with
        {
            Kind = FrameKind.Append,
            Previous = RecordFrame.None,
            FirstSeq = seed.Entries.IsEmpty ? seed.Head.NextSeq : entries[0].Seq,
            NextSeq = seed.Entries.IsEmpty ? seed.Head.NextSeq : seed.Entries.Span[^1].Seq + 1,
            Pending = PendingWork.None.After(seed.Entries.Span),
            Fence = sessions.NextFence(),
            Used = now,
            Before = HashChain.Of(session.Id),
        };
        HashChain chain = frame.Before.After(seed.Entries.Span);
        Write(session, ref frame, entries, waiter: null);
        sessions.Stand(session, frame);
        sessions.Heat(session, new HotSession(seed.Head, chain)
        {
            Owner = by.Owner,
            Fence = frame.Fence,
            LeasedUntil = now + by.Ttl.Ticks,
        });
        return CreateResult.Created(new Lease(new SessionId(session.Id), frame.Fence, by.Owner), seed.Head);
    }

    /// <summary>Appends for the holder of a lease.</summary>
    public ValueTask<AppendResult> Append(Lease lease, ReadOnlySpan<JournalEntry> entries, SessionHead? commit, Flush flush)
    {
        if (!sessions.TryGet(lease.Session.Value, out FileSession? session))
            return new(AppendResult.Unknown);
        lock (session)
        {
            if (session.IsDeleted)
                return new(AppendResult.Unknown);
            if (session.Hot is not { } hot)
                return new(AppendResult.StaleFence);
            ThrowIfUncertain(session);
            if (!hot.Holds(lease))
                return new(AppendResult.StaleFence);
            if (commit is not null && hot.CancelledFence == lease.Fence)
                return new(AppendResult.Cancelled);
            if (!MemoryAppend.Follows(session.NextSeq, entries))
                return new(AppendResult.SeqConflict);
            if (commit is not null)
                return new(Commit(session, hot, entries, commit).Task);
            FrameWait? wait = flush == Flush.Durable ? new() : null;
            if (!entries.IsEmpty)
                AppendRecords(session, hot, entries, wait);
            else if (wait is not null && !log.TryWait(session.Last, wait))
                wait = null;
            return wait is null ? new(AppendResult.Appended) : new(wait.Task);
        }
    }

    /// <summary>Accepts a cancel where its fence holds the lease and has not committed.</summary>
    public bool Cancel(string id, long fence)
    {
        if (!sessions.TryGet(id, out FileSession? session))
            return false;
        lock (session)
        {
            if (session.Hot is not { Owner: not null, IsCommitting: false } hot || hot.Fence != fence)
                return false;
            hot.CancelledFence = fence;
            return true;
        }
    }

    /// <summary>Accepts a signal, and returns once it is on disk.</summary>
    public async ValueTask<bool> SignalAsync(string id, SignalMail signal)
    {
        if (!sessions.TryGet(id, out FileSession? session))
            return false;
        FrameWait wait = new();
        lock (session)
        {
            if (session.IsDeleted || session.Last == RecordFrame.None)
                return false;
            ThrowIfUncertain(session);
            HotSession hot = sessions.Warm(session, log);
            if (hot.IsLeased(Now) || hot.Head.Turn != signal.Turn || session.Pending.HasFlag(PendingWork.Signal)
                || signal.Record.Kind != RecordKind.Signal || signal.Record.Seq < session.NextSeq)
                return false;
            AppendRecords(session, hot, [signal.Record], wait);
        }

        await wait.Task.ConfigureAwait(false);
        return true;
    }

    /// <summary>Deletes the leased session, and returns once that is on disk.</summary>
    public async ValueTask DeleteAsync(Lease lease, Tombstone why)
    {
        if (!sessions.TryGet(lease.Session.Value, out FileSession? session))
            return;
        FrameWait wait = new();
        lock (session)
        {
            if (session.Hot is not { } hot || !hot.Holds(lease))
                return;
            ThrowIfUncertain(session);
            RecordFrame frame = new()
            {
                Kind = FrameKind.Deleted,
                Previous = session.Last,
                Why = why == Tombstone.None ? Tombstone.Deleted : why,
                Fence = lease.Fence,
                Used = Now,
                Before = hot.Chain,
            };
            Write(session, ref frame, EntryHeader.OwnerOf(hot.Head), wait);
            sessions.Stand(session, frame);
        }

        await wait.Task.ConfigureAwait(false);
    }

    /// <summary>How a session stands with a head; the LSN of a frame that holds one is found when it is written.</summary>
    public static RecordFrame Standing(SessionHead head, int headLength) => new()
    {
        Kind = FrameKind.Append,
        HeadLength = headLength,
        Status = head.Status,
        Due = head.Wait?.At?.UtcTicks ?? RecordFrame.NoTimer,
    };

    private CommitWait Commit(FileSession session, HotSession hot, ReadOnlySpan<JournalEntry> records, SessionHead head)
    {
        ReadOnlySpan<JournalEntry> entries = WithHead(records, head, out int headLength);
        RecordFrame frame = Standing(head, headLength) with
        {
            Previous = session.Last,
            FirstSeq = records.IsEmpty ? session.NextSeq : records[0].Seq,
            NextSeq = head.NextSeq,
            Fence = hot.Fence,
            Used = Now,
            Before = hot.Chain,
        };
        HashChain chain = hot.Chain.After(records);
        CommitWait wait = new(sessions, session, head);
        Write(session, ref frame, entries, wait);
        wait.Frame = frame;
        (hot.Chain, hot.IsCommitting, hot.WasUsed) = (chain, true, true);
        return wait;
    }

    private void AppendRecords(FileSession session, HotSession hot, ReadOnlySpan<JournalEntry> entries, FrameWait? wait)
    {
        RecordFrame frame = new()
        {
            Kind = FrameKind.Append,
            Previous = session.Last,
            Head = session.HeadAt,
            FirstSeq = entries[0].Seq,
            NextSeq = entries[^1].Seq + 1,
            Status = session.Status,
            Pending = session.Pending.After(entries),
            Fence = hot.Fence,
            Due = session.Due,
            Used = Now,
            Before = hot.Chain,
        };
        HashChain chain = hot.Chain.After(entries);
        Write(session, ref frame, entries, wait);
        sessions.Stand(session, frame);
        (hot.Chain, hot.WasUsed) = (chain, true);
    }

    private void Write(FileSession session, ref RecordFrame frame, ReadOnlySpan<JournalEntry> entries, ISyncWaiter? waiter)
    {
        frame = log.Append(frame, session.Id, entries, waiter);
        sessions.Append(session, frame);
    }

    // The head is in the last record that can hold one; where there is none, it stands beside the records.
    private static ReadOnlySpan<JournalEntry> WithHead(ReadOnlySpan<JournalEntry> entries, SessionHead head, out int length)
    {
        for (int i = entries.Length - 1; i >= 0; i--)
        {
            if (!HeadRecord.IsOne(entries[i].Kind))
                continue;
            length = entries[i].Utf8.Length;
            return entries;
        }

        using RecordWriter writer = new("");
        JournalEntry beside = writer.Commit(head.NextSeq - 1, head.UpdatedAt.ToUnixTimeMilliseconds(), head) with { Kind = EntryHeader.HeadBeside };
        length = beside.Utf8.Length;
        return (JournalEntry[])[.. entries, beside];
    }
}
