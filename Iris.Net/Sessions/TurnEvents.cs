namespace Iris.Net.Sessions;

/// <summary>The events of one attempt, in order, each encoded once. A turn appends and never waits; readers follow at their
/// own pace. An event lives as long as a reader has it ahead, and the newest for a while longer.</summary>
internal sealed class TurnEvents(TimeProvider time, EventLimits limits, Action<IThreadPoolWorkItem> queue)
{
    private EventReader[] _readers = [];
    private EventNode? _first;   // the one before those that are remembered
    private EventNode? _tail;   // none before the first reader
    private long _startSeq;
    private long _remembered;   // bytes from the first to the tail
    private EventPlace _lost = EventPlace.None;   // the last text that is not remembered
    private bool _isFollowed;
    private int _readersToCome;   // and those that came
    private volatile TurnEnd? _end;
    private volatile bool _endsUncommitted;
    private long _published = -1;
    private TaskCompletionSource<TurnEnd>? _ended;   // where somebody waits for the end alone

    /// <summary>How the attempt ended; null while it runs. Behind it no event comes.</summary>
    public TurnEnd? End => _end;

    /// <summary>Whether the attempt is about to end without a commit, and another may have the session.</summary>
    public bool EndsUncommitted { get => _endsUncommitted; set => _endsUncommitted = value; }

    /// <summary>Whether anybody follows, or followed and may come back: events that nobody reads need not be encoded.</summary>
    public bool IsFollowed { get => Volatile.Read(ref _isFollowed); private set => Volatile.Write(ref _isFollowed, value); }

    /// <summary>Bytes that are kept for readers to come.</summary>
    public long Remembered => Volatile.Read(ref _remembered);

    /// <summary>Whether there was live text, which nobody keeps.</summary>
    public bool HadDeltas { get; private set; }

    /// <summary>The seq of the last record that is in the journal. A reader that is attached before this is asked gets every
    /// later one.</summary>
    public long PublishedSeq => Volatile.Read(ref _published);

    /// <summary>Whether somebody may come back for them once the attempt is over: one that asked for a stream that resumes, or that
    /// was gone before the end.</summary>
    public bool MayBeMissed { get; private set; }

    /// <summary>Whether one reader alone ever came, and stayed to the end.</summary>
    public bool HadOneReader => Volatile.Read(ref _readersToCome) == 1;

    /// <summary>Says where the attempt begins, before anything else.</summary>
    public void Begin(long startSeq) => _startSeq = startSeq;

    /// <summary>Says how far the journal goes, before its readers are told.</summary>
    public void Publish(long seq) => Interlocked.Exchange(ref _published, seq);   // a full fence, see Kept

    /// <summary>Says that there is live text.</summary>
    public void AppendDelta(string text)
    {
        if (!HadDeltas)
        {
            lock (this)
            {
                HadDeltas = true;   // whoever comes later is told that there was some
                if (_tail is null)
                    return;
            }
        }

        if (IsFollowed)
            Append(EventKind.Delta, ChannelEvent.Delta(text));
    }

    /// <summary>Adds an event and wakes the readers.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="json">The event.</param>
    /// <param name="seq">A record's place in the journal.</param>
    public void Append(EventKind kind, byte[] json, long seq = -1)
    {
        lock (this)   // most turns have no reader, and need no lock of their own
        {
            if (_tail is null || _end is not null)
                return;   // a program that goes on beside its end says nothing more
            if (kind == EventKind.Record && seq <= _tail.Place.Seq)
                return;   // whoever came meanwhile gets it from the journal
            bool isDelta = kind == EventKind.Delta;
            if (!isDelta || !_tail.TryJoin(json))
                _tail = _tail.Next = new EventNode(
                    kind, json, _tail.Deltas + (isDelta ? json.Length : 0), isDelta ? _tail.Place.Next : new(seq, 0),
                    isOpen: isDelta && AllAreBehind());
            Remember(json.Length);
            foreach (EventReader reader in _readers)
                reader.Appended(_tail, time, limits);
        }
    }

    /// <summary>Says how the attempt ended and wakes the readers.</summary>
    public void Finish(TurnEnd end)
    {
        lock (this)
        {
            _end = end;
            foreach (EventReader reader in _readers)
                reader.Wake();
            _ended?.TrySetResult(end);
        }
    }

    /// <summary>Waits for the end.</summary>
    public Task<TurnEnd> EndAsync()
    {
        lock (this)
        {
            if (_end is not null)
                return Task.FromResult(_end);
            _ended ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            return _ended.Task;
        }
    }

    /// <summary>A reader of all events from now on: what was published up to its place is told by the journal alone, and what is
    /// published and not yet appended comes to the reader.</summary>
    public EventReader Attach()
    {
        lock (this)
        {
            MayBeMissed = true;
            return Attach(Kept());
        }
    }

    /// <summary>The same, for a connection that is its own session's: it comes back for nothing that it was there for.</summary>
    public EventReader AttachBound()
    {
        lock (this)
            return Attach(Kept());
    }

    /// <summary>A reader of all events behind a place, as far as they are remembered.</summary>
    /// <param name="after">The place.</param>
    /// <param name="from">Where the reader begins: beyond that place where something before is not remembered.</param>
    /// <param name="lostText">Whether text is missing between the two.</param>
    public EventReader Attach(EventPlace after, out EventPlace from, out bool lostText)
    {
        lock (this)
        {
            Kept();
            EventNode at = _first!;
            while (at.Next is { } next && next.Place <= after)
                at = next;
            from = at.Place;
            lostText = _lost > after;
            MayBeMissed = true;
            return Attach(at);
        }
    }

    /// <summary>Keeps what comes from now on, for a reader that is about to come.</summary>
    public void Keep()
    {
        lock (this)
        {
            Kept();
            _readersToCome += 2;   // one that waits, and whoever waits beside it
            MayBeMissed = true;
        }
    }

    /// <summary>The place of the last event.</summary>
    public EventPlace LastPlace()
    {
        lock (this)
        {
            Kept().Take();   // nothing is joined any more to what stands there
            return _end is null ? _tail!.Place : EndPlace();
        }
    }

    /// <summary>The place of the event that says how the attempt ended, behind all others.</summary>
    public EventPlace EndPlace()
    {
        lock (this)
        {
            EventPlace last = Kept().Place;
            return _end is { IsCommitted: false } && PublishedSeq > last.Seq ? new(PublishedSeq, 1) : last.Next;
        }
    }

    private EventNode Kept()
    {
        if (_tail is { } tail)
            return tail;
        IsFollowed = true;
        Interlocked.MemoryBarrier();   // who publishes sees that it is followed, or what was published is seen here
        _first = _tail = new EventNode(default, [], 0, new(Math.Max(_startSeq, PublishedSeq), HadDeltas ? 1 : 0));
        if (HadDeltas)
            _lost = _first.Place;
        return _first;
    }

    private EventReader Attach(EventNode at)
    {
        _readersToCome++;
        at.Take();   // nothing is joined any more to what this reader has passed
        EventReader reader = new(this, at, queue);
        _readers = [.. _readers, reader];
        return reader;
    }

    // Records can be had again from the journal, but text would be gone with them: what is forgotten is the oldest of all.
    private void Remember(int bytes)
    {
        _remembered += bytes + EventNode.Overhead;
        while (_remembered > limits.Remembered && _first!.Next is { } next && (next != _tail || limits.Remembered == 0))
        {
            _remembered -= next.Size;
            if (next.Kind == EventKind.Delta)
                _lost = next.Place;
            _first = next;
        }
    }

    internal void Detach(EventReader reader)
    {
        lock (this)
        {
            _readers = [.. _readers.Where(other => other != reader)];
            if (_end is not null)
                return;
            MayBeMissed = true;
            _readersToCome++;   // it may come back
        }
    }

    /// <summary>Whether the reader is up to date and has to wait; it is then registered under the same lock.</summary>
    internal bool MustWait(EventReader reader, EventNode at)
    {
        lock (this)
        {
            if (at.Next is not null || End is not null || reader.IsCut || reader.IsNudged)
                return false;
            reader.Register();
            return true;
        }
    }

    private bool AllAreBehind()
    {
        foreach (EventReader reader in _readers)
            if (!reader.IsBehind(_tail!, limits))
                return false;
        return _readers.Length > 0;
    }
}
