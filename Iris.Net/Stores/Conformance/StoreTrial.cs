using System.Runtime.CompilerServices;
using Iris.Net.Journal;

namespace Iris.Net.Stores.Conformance;

/// <summary>One run of one check: a store at a place of its own, its clock, and what the checks say about it.</summary>
internal sealed class StoreTrial : IAsyncDisposable
{
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(30);
    public static readonly SessionId Id = new("session-1");
    public static readonly LeaseRequest Me = new("me", Ttl), You = new("you", Ttl);

    private readonly string _check, _place = $"s{Guid.NewGuid():N}";
    private readonly StoreOpener _open;
    private readonly CancellationToken _cancel;
    private int _races;

    private StoreTrial(string check, StoreOpener open, int rounds, CancellationToken cancel) =>
        (_check, _open, Rounds, _cancel) = (check, open, rounds, cancel);

    public TrialClock Time { get; } = new();

    public IStateStore Store { get; private set; } = null!;

    public int Rounds { get; }

    public static async ValueTask<StoreTrial> OpenAsync(string check, StoreOpener open, int rounds, CancellationToken cancel)
    {
        StoreTrial trial = new(check, open, rounds, cancel);
        trial.Store = await trial.OpenAgainAsync().ConfigureAwait(false);
        return trial;
    }

    /// <summary>The store of the same place once more: for a shared one, what another process sees.</summary>
    public ValueTask<IStateStore> OpenAgainAsync() => _open(_place, Time, _cancel);

    /// <summary>The empty store of another place.</summary>
    public ValueTask<IStateStore> OpenElsewhereAsync() => _open($"s{Guid.NewGuid():N}", Time, _cancel);

    /// <summary>Closes the store and opens it again, once every lease ran out.</summary>
    public async ValueTask RestartAsync()
    {
        await Store.DisposeAsync().ConfigureAwait(false);
        Time.Advance(Ttl);
        Store = await OpenAgainAsync().ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    public void Is<T>(T expected, T seen, string when = "", [CallerArgumentExpression(nameof(seen))] string what = "")
    {
        if (!EqualityComparer<T>.Default.Equals(expected, seen))
            throw Failed(what, when, expected?.ToString() ?? "null", seen?.ToString() ?? "null");
    }

    public void Are<T>(
        IEnumerable<T> expected, IEnumerable<T> seen, string when = "", [CallerArgumentExpression(nameof(seen))] string what = "")
    {
        if (!expected.SequenceEqual(seen))
            throw Failed(what, when, $"[{string.Join(", ", expected)}]", $"[{string.Join(", ", seen)}]");
    }

    public void Holds(bool seen, string when = "", [CallerArgumentExpression(nameof(seen))] string what = "") => Is(true, seen, when, what);

    public async ValueTask<Lease> CreateAsync(string guard = "T0", string? id = null)
    {
        CreateResult created =
            await Store.CreateAsync(id is null ? Id : new SessionId(id), TrialRecords.Seed(guard), Me, _cancel).ConfigureAwait(false);
        Is(CreateStatus.Created, created.Status);
        return created.Lease;
    }

    public ValueTask<BeginResult> BeginAsync(string guard, LeaseRequest by) =>
        Store.BeginAsync(Id, TrialRecords.Bytes(guard), by, _cancel);

    /// <summary>Begins with the empty guard, which must succeed.</summary>
    public async ValueTask<Lease> TakeAsync(string? id = null)
    {
        BeginResult begun = await Store.BeginAsync(id is null ? Id : new SessionId(id), default, Me, _cancel).ConfigureAwait(false);
        Is(BeginStatus.Begun, begun.Status);
        return begun.Lease;
    }

    public ValueTask<AppendResult> AppendAsync(Lease lease, params JournalEntry[] entries) =>
        Store.AppendAsync(lease, entries, null, Flush.Durable, _cancel);

    public ValueTask<AppendResult> AppendAsync(Lease lease, long firstSeq, params RecordKind[] kinds) =>
        AppendAsync(lease, [.. kinds.Select((kind, i) => TrialRecords.Of(firstSeq + i, kind))]);

    /// <summary>A commit whose record has this seq, behind other records.</summary>
    public ValueTask<AppendResult> CommitAsync(Lease lease, long seq, SessionHead head, params JournalEntry[] before)
    {
        head = head with { NextSeq = seq + 1 };
        return Store.AppendAsync(lease, (JournalEntry[])[.. before, TrialRecords.Commit(seq, head)], head, Flush.Durable, _cancel);
    }

    /// <summary>Makes a session that waits: two records, one turn.</summary>
    public async ValueTask ParkAsync(string id, SessionWait wait) =>
        Is(
            AppendResult.Appended,
            await CommitAsync(await CreateAsync(id: id).ConfigureAwait(false), 1, TrialRecords.Head("T1") with { Wait = wait })
                .ConfigureAwait(false));

    public async ValueTask<string> GuardAsync()
    {
        SessionHead? head = await Store.FindAsync(Id, _cancel).ConfigureAwait(false);
        return head is null ? "none" : TrialRecords.Text(head.Guard);
    }

    public ValueTask<List<JournalEntry>> ReadAsync(long from) => Store.ReadAsync(Id, from, _cancel).ToListAsync(_cancel);

    public async ValueTask<IEnumerable<long>> SeqsAsync(long from) =>
        (await ReadAsync(from).ConfigureAwait(false)).Select(record => record.Seq);

    /// <summary>The ids in ordinal order: a store may find them in any.</summary>
    public async ValueTask<List<string>> DueAsync(DateTimeOffset now, int limit = 100) =>
        Sorted(await Store.DueAsync(now, limit, _cancel).ToListAsync(_cancel).ConfigureAwait(false));

    public async ValueTask<List<string>> IdleAsync(DateTimeOffset since) =>
        Sorted(await Store.IdleAsync(since, 100, _cancel).ToListAsync(_cancel).ConfigureAwait(false));

    public async ValueTask<List<string>> ListAsync(ListQuery query) =>
        await Store.ListAsync(query, _cancel).Select(row => row.Id.Value).ToListAsync(_cancel).ConfigureAwait(false);

    /// <summary>Runs two calls at the same moment, each on a thread that has spun until the other one was there: a thread that
    /// is woken comes too late to race. Now the one, now the other has a little start.</summary>
    public async ValueTask<(TOne One, TOther Other)> RaceAsync<TOne, TOther>(Func<ValueTask<TOne>> one, Func<ValueTask<TOther>> other)
    {
        _cancel.ThrowIfCancellationRequested();
        int here = 0, race = _races++, start = race / 2 % 8;
        Task<TOther> second = Task.Run(
            () =>
            {
                Meet(ref here, race % 2 == 0 ? start : 0);
                return other().AsTask();
            },
            _cancel);
        Meet(ref here, race % 2 == 0 ? 0 : start);
        Task<TOne> first = one().AsTask();
        await Task.WhenAll(first, second).ConfigureAwait(false);
        return (await first.ConfigureAwait(false), await second.ConfigureAwait(false));
    }

    // First both are there, which may take a while; then both are awake, and leave within nanoseconds.
    private static void Meet(ref int here, int thenSpin)
    {
        Await(ref here, 2, spinning: 0);
        Await(ref here, 4, spinning: 10_000);
        Thread.SpinWait(thenSpin);
    }

    private static void Await(ref int here, int both, int spinning)
    {
        Interlocked.Increment(ref here);
        SpinWait spin = default;
        while (Volatile.Read(ref here) < both)
            if (spinning-- <= 0)
                spin.SpinOnce(sleep1Threshold: -1);
    }

    private static List<string> Sorted(List<SessionId> ids) => [.. ids.Select(id => id.Value).Order(StringComparer.Ordinal)];

    private StoreConformanceException Failed(string what, string when, string expected, string seen) =>
        new(_check, when.Length == 0 ? what : $"{what} ({when})", expected, seen);
}
