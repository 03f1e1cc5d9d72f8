using System.Collections.Concurrent;
using Iris.Net.Diagnostics;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The sessions of one channel, and what they run on.</summary>
internal sealed class SessionHost : IAsyncDisposable, IEvictionWatch
{
    private readonly ConcurrentQueue<RecordWriter> _idleRecords = [];
    private readonly string _defDigest;
    private readonly string _owner = Guid.NewGuid().ToString("N");
    private readonly Retention? _retention;
    private ChannelKeys? _keys;
    private Tokens? _tokens;

    public SessionHost(SessionSettings settings)
    {
        Settings = settings;
        Minting = new Minting(settings.MintSessionId, settings.MintToken);
        HostCapabilities capabilities = settings.Adapter.Capabilities;
        _defDigest = ProgramDigest.Of(capabilities.Name, capabilities.Version);
        EventLimits = new(Lasting: 1 << 20, LastingFor: TimeSpan.FromSeconds(1), Most: 4 << 20)
        {
            Remembered = Math.Min(settings.MaxDeltaMemory, DeltaMemory.OfOneTurn),
        };
        Deltas = new DeltaMemory(settings.Time, settings.MaxDeltaMemory);
        Running = new RunningTurns(settings, Deltas);
        Readers = new SessionReaders(settings.MaxReadersPerSession);
        Claims = new Claims(this);
        Presenters = new Presenters(this);
        Receipts = new Receipts(this);
        Cancels = new Cancels(this);
        Deletions = new Deletions(this);
        Wakes = new Wakes(this);
        Due = new DueWork(this);
        Tickets = new Tickets(this);
        if (settings.SessionTtl is { } ttl)
            _retention = new Retention(this, ttl);
    }

    public SessionSettings Settings { get; }

    public Minting Minting { get; }

    /// <summary>Decides who runs a turn.</summary>
    public Claims Claims { get; }

    /// <summary>Tells what became of one.</summary>
    public Receipts Receipts { get; }

    /// <summary>Judges whoever presents a token and claims nothing.</summary>
    public Presenters Presenters { get; }

    /// <summary>Ends what runs, or is open.</summary>
    public Cancels Cancels { get; }

    /// <summary>Ends whole sessions.</summary>
    public Deletions Deletions { get; }

    /// <summary>Takes signals, and gives out what they are sent with.</summary>
    public Wakes Wakes { get; }

    /// <summary>Runs what no client asks for at the moment.</summary>
    public DueWork Due { get; }
    /// <summary>What ends with a session.</summary>
    public BoundConnections Connections { get; } = new();

    /// <summary>Keys for URLs, each to read one session for a while.</summary>
    public Tickets Tickets { get; }

    /// <summary>Where the requests of one session that carry keys wait for one another.</summary>
    public KeyGates Gates { get; } = new();

    public RunningTurns Running { get; }

    /// <summary>The events of turns that ended a moment ago.</summary>
    public DeltaMemory Deltas { get; }

    /// <summary>How many follow each session.</summary>
    public SessionReaders Readers { get; }

    public ChannelKeys Keys => _keys ?? throw new InvalidOperationException("The sessions are not open yet.");

    public Tokens Tokens => _tokens ?? throw new InvalidOperationException("The sessions are not open yet.");

    public EventLimits EventLimits { get; }

    public LeaseRequest LeaseRequest => new(_owner, Settings.LeaseTtl);

    /// <summary>Gets the channel's key and takes up what was accepted before. Needed once, before anything else.</summary>
    /// <exception cref="IOException">The store cannot be reached.</exception>
    public async ValueTask OpenAsync(CancellationToken cancel = default)
    {
        if (_tokens is not null)
            return;
        IReadOnlyList<ReadOnlyMemory<byte>> keys = Settings.Keys.Count > 0
            ? Settings.Keys
            : [await Settings.Store.KeyAsync(cancel).ConfigureAwait(false)];
        _keys = new ChannelKeys(keys);
        (Settings.Store as MemoryStateStore)?.Watch(this);
        _tokens = Settings.Store.Traits.Durable ? new Tokens.Derived(Minting, _keys) : new Tokens.InClear(Minting);
        await Due.StartAsync().ConfigureAwait(false);
    }

    /// <summary>Whether a lease is this process's.</summary>
    public bool IsOwn(Lease lease) => lease.Owner == _owner;

    /// <summary>When a session runs out that is not used again; null where none does.</summary>
    public DateTimeOffset? ExpiryOf(SessionHead head) => _retention?.ExpiryOf(head);

    /// <summary>Refuses new turns and waits for the running ones; on <paramref name="cancel"/> it ends them.</summary>
    public Task DrainAsync(CancellationToken cancel = default) => Running.DrainAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        (Settings.Store as MemoryStateStore)?.Unwatch(this);
        await Due.DisposeAsync().ConfigureAwait(false);
        if (_retention is not null)
            await _retention.DisposeAsync().ConfigureAwait(false);
        await Running.DisposeAsync().ConfigureAwait(false);
        while (_idleRecords.TryDequeue(out RecordWriter? records))
            records.Dispose();
    }

    /// <summary>A session is gone: whoever follows it or is bound to it is told, and nothing of it is remembered here.</summary>
    public void Ended(SessionId id)
    {
        Tickets.Forget(id);
        Deltas.Forget(id);
        Running.Rouse(id);
        Connections.End(id);
    }

    /// <summary>Whether the store knows that there is no such session.</summary>
    public async ValueTask<bool> IsGoneAsync(SessionId id)
    {
        try
        {
            return await Settings.Store.FindAsync(id).ConfigureAwait(false) is null;
        }
        catch (Exception e)
        {
            StoreFailed(e);
            return false;
        }
    }

    bool IEvictionWatch.IsRead(SessionId id) => Readers.Has(id);

    void IEvictionWatch.Evicted(SessionId id) => Ended(id);

    /// <summary>Gives a lease back. Where the store cannot be reached it runs out by itself.</summary>
    public async ValueTask ReleaseAsync(Lease lease)
    {
        try
        {
            await Settings.Store.ReleaseAsync(lease).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Report("store", e);
        }
    }

    /// <summary>Tells the host's log; one that throws itself harms no turn.</summary>
    public void Report(string what, Exception error, SessionId? session = null)
    {
        try
        {
            Settings.Failed(what, error, session is { } id ? SessionDigest.Of(id.Value) : null);
        }
        catch (Exception)
        {
            // There is nobody left to tell.
        }
    }

    public RecordWriter RentRecords() => _idleRecords.TryDequeue(out RecordWriter? records) ? records : new RecordWriter(_defDigest);

    public void ReturnRecords(RecordWriter records)
    {
        records.Clear();
        _idleRecords.Enqueue(records);
    }

    /// <summary>Appends one record behind a session's journal, durably, for whoever has leased it and runs nothing.</summary>
    public async ValueTask<AppendResult> AppendAsync(BeginResult begun, Func<RecordWriter, long, JournalEntry> write)
    {
        RecordWriter records = RentRecords();
        try
        {
            JournalEntry[] entries = [write(records, Settings.Time.GetUtcNow().ToUnixTimeMilliseconds())];
            return await Settings.Store.AppendAsync(begun.Lease, entries, null, Flush.Durable, CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            ReturnRecords(records);
        }
    }

    /// <summary>What a session's journal holds behind its head.</summary>
    public ValueTask<JournalTail> ReadTailAsync(SessionId id, SessionHead head, CancellationToken cancel = default) =>
        JournalTail.ReadAsync(Settings.Store.ReadAsync(id, head.TailFrom, cancel));

    /// <summary>The store failed: tells the log, and what the client is told.</summary>
    public Refusal StoreFailed(Exception e)
    {
        Report("store", e);
        return Refusal.StoreUnavailable;
    }
}
