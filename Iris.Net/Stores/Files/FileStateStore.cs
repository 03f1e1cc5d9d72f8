using System.Runtime.CompilerServices;
using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Stores.Files;

namespace Iris.Net;

/// <summary>Keeps sessions in a directory of this machine, in one append-only log that survives crashes and power cuts. One
/// process at a time; many sessions share one sync of the disk. Sessions at rest cost disk, and little memory.</summary>
public sealed class FileStateStore : IStateStore
{
    internal const string LockName = "lock";

    private readonly FileStoreOptions _options;
    private readonly IStoreDirectory _directory;
    private readonly IDisposable _lock;
    private readonly FileSessions _sessions;
    private readonly Segments _segments;
    private readonly SegmentWriter _log;
    private readonly FileAppend _append;
    private readonly JournalReader _reader;
    private readonly Compaction _compaction;
    private readonly StoreKey _key;

    /// <summary>Opens a store, or makes one. Reads the whole log once.</summary>
    /// <param name="directory">Where it is; made where it is missing, readable for its owner alone.</param>
    /// <param name="options">Settings; the defaults where there are none.</param>
    /// <exception cref="DamagedStoreException">A file does not hold what was written to it.</exception>
    /// <exception cref="IOException">The directory is in use by another process, or cannot be read or written.</exception>
    public FileStateStore(string directory, FileStoreOptions? options = null)
        : this(new DurableDirectory(directory, create: true), directory, options ?? new())
    {
    }

    internal FileStateStore(IStoreDirectory directory, string name, FileStoreOptions options)
    {
        (_directory, _options) = (directory, options);
        Traits = new StoreTraits($"file:{name}", Durable: true, Shared: false, KeepsPrivateRecords: true);
        _lock = directory.Lock(LockName);
        try
        {
            _sessions = new FileSessions(new HotSessions(options.HotSessions, options.Time));
            LogStart start = new(directory, options);
            _segments = start.Open((in RecordFrame frame, ReadOnlyMemory<byte> whole) => _sessions.Load(frame, whole, start.Begin));
            if (_sessions.FindOrphan() is { } orphan)
                throw _segments.All[0].Damaged(_segments.Start, $"records before those of the session '{orphan.Id}' are missing");
        }
        catch
        {
            _segments?.Close();
            _lock.Dispose();
            directory.Dispose();
            throw;
        }

        _log = new SegmentWriter(directory, _segments, options);
        _append = new FileAppend(_sessions, _log, options.Time);
        _reader = new JournalReader(_log);
        _key = new StoreKey(directory);
        _compaction = new Compaction(directory, _segments, _sessions, _log, options);
    }

    /// <inheritdoc/>
    public StoreTraits Traits { get; }

    internal SegmentWriter Log => _log;

    internal FileSessions Sessions => _sessions;

    internal Compaction Compaction => _compaction;

    private long Now => _options.Time.GetUtcNow().UtcTicks;

    /// <inheritdoc/>
    public ValueTask<ReadOnlyMemory<byte>> KeyAsync(CancellationToken cancel = default) => new(_key.Get());

    /// <inheritdoc/>
    public ValueTask<CreateResult> CreateAsync(
        SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(seed);
        for (; ; )
        {
            FileSession session = _sessions.GetOrAdd(id.Value);
            lock (session)
            {
                if (session.IsForgotten)
                    continue;
                return new(_append.Create(session, seed, by));
            }
        }
    }

    /// <inheritdoc/>
    public ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default)
    {
        if (!_sessions.TryGet(id.Value, out FileSession? session))
            return new(BeginResult.Unknown());
        lock (session)
        {
            if (session.IsDeleted)
                return new(Gone(session));
            if (session.Last == RecordFrame.None)
                return new(BeginResult.Unknown());
            HotSession hot = Certain(session);
            if (!guard.IsEmpty && !hot.Matches(guard.Span))
                return new(BeginResult.Stale(hot.Head));
            long now = Now;
            if (hot.IsLeased(now))
                return new(BeginResult.Held(new Lease(id, hot.Fence, hot.Owner!), hot.Head));
            (hot.Fence, hot.Owner, hot.LeasedUntil) = (_sessions.NextFence(), by.Owner, now + by.Ttl.Ticks);
            session.Used = now;
            return new(BeginResult.Begun(new Lease(id, hot.Fence, by.Owner), hot.Head, session.NextSeq));
        }
    }

    /// <inheritdoc/>
    public ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default)
    {
        ValueTask room = _log.WaitForRoomAsync(cancel);
        return room.IsCompletedSuccessfully
            ? _append.Append(lease, entries.Span, commit, flush)
            : AppendLaterAsync(room, lease, entries, commit, flush);
    }

    /// <inheritdoc/>
    public ValueTask<bool> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancel = default)
    {
        if (!_sessions.TryGet(lease.Session.Value, out FileSession? session))
            return new(false);
        lock (session)
        {
            if (session.Hot is not { } hot || !hot.Holds(lease))
                return new(false);
            hot.LeasedUntil = Now + ttl.Ticks;
            return new(true);
        }
    }

    /// <inheritdoc/>
    public ValueTask ReleaseAsync(Lease lease, CancellationToken cancel = default)
    {
        if (!_sessions.TryGet(lease.Session.Value, out FileSession? session))
            return default;
        lock (session)
        {
            if (session.Hot is { } hot && hot.Holds(lease))
                (hot.Owner, session.Used) = (null, Now);
            return default;
        }
    }

    /// <inheritdoc/>
    public ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default)
    {
        if (!_sessions.TryGet(id.Value, out FileSession? session))
            return default;
        lock (session)
            return new(session.IsDeleted || session.Last == RecordFrame.None ? null : Certain(session).Head);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<JournalEntry> ReadAsync(SessionId id, long from, CancellationToken cancel = default) =>
        _sessions.TryGet(id.Value, out FileSession? session) ? _reader.ReadAsync(session, from, cancel) : AsyncEnumerable.Empty<JournalEntry>();

    /// <inheritdoc/>
    public ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default) => mail switch
    {
        CancelMail by => new(_append.Cancel(id.Value, by.Fence)),
        SignalMail signal => _append.SignalAsync(id.Value, signal),
        _ => new(false),
    };

    /// <inheritdoc/>
    public async IAsyncEnumerable<SessionId> DueAsync(
        DateTimeOffset now, int limit, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        long clock = Now;
        foreach (string id in _sessions.Due.Find(
            now.UtcTicks, limit, id => _sessions.TryGet(id, out FileSession? session) && !session.IsLeased(clock)))
        {
            cancel.ThrowIfCancellationRequested();
            yield return new SessionId(id);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<SessionId> IdleAsync(
        DateTimeOffset since, int limit, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        long clock = Now;
        foreach (FileSession session in _sessions.All)
        {
            cancel.ThrowIfCancellationRequested();
            if (session.IsDeleted || session.IdleSince >= since.UtcTicks || session.Pending != PendingWork.None || session.IsLeased(clock))
                continue;
            if (limit-- <= 0)
                yield break;
            yield return new SessionId(session.Id);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ListedSession> ListAsync(
        ListQuery query, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        await Task.CompletedTask.ConfigureAwait(false);
        var found = from session in _sessions.All
                    where !session.IsDeleted && session.Last != RecordFrame.None
                    where query.Status is null || session.Status == query.Status
                    where query.After is null || string.CompareOrdinal(session.Id, query.After) > 0
                    select session;
        foreach (FileSession session in found.OrderBy(s => s.Id, StringComparer.Ordinal).Take(query.Limit))
        {
            cancel.ThrowIfCancellationRequested();
            if (Peek(session) is { } head)
                yield return new ListedSession(new SessionId(session.Id), head);
        }
    }

    /// <inheritdoc/>
    public ValueTask DeleteAsync(Lease lease, Tombstone why, CancellationToken cancel = default) =>
        _append.DeleteAsync(lease, why);

    /// <summary>Writes what is not written, and lets go of the directory.</summary>
    public async ValueTask DisposeAsync()
    {
        await _compaction.DisposeAsync().ConfigureAwait(false);
        await _log.DisposeAsync().ConfigureAwait(false);
        _segments.Close();
        _lock.Dispose();
        _directory.Dispose();
    }

    private async ValueTask<AppendResult> AppendLaterAsync(
        ValueTask room, Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush)
    {
        await room.ConfigureAwait(false);
        return await _append.Append(lease, entries.Span, commit, flush).ConfigureAwait(false);
    }

    private HotSession Certain(FileSession session)
    {
        _append.ThrowIfUncertain(session);
        return _sessions.Warm(session, _log);
    }

    // A list does not warm what rests.
    private SessionHead? Peek(FileSession session)
    {
        lock (session)
            return session.IsDeleted || session.Last == RecordFrame.None ? null
                : session.Hot?.Head ?? _log.Read(session.HeadAt)?.Head();
    }

    // What cannot be read tells nothing: without its principal, the reason would be told to anybody.
    private BeginResult Gone(FileSession session) =>
        _log.Read(session.Last) is { } frame ? BeginResult.Unknown(session.Why, frame.Owner()) : BeginResult.Unknown();
}
