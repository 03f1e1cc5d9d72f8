using Iris.Net;
using Iris.Net.Journal;
using Iris.Net.Stores;
using Microsoft.Data.Sqlite;

namespace Iris.Bench.Durable;

/// <summary>What SQLite can do behind the same server: claims and leases in memory, and each commit one prepared transaction in a
/// database in WAL mode with <c>synchronous=FULL</c>. It is a yardstick, no store to use: it is never read back.</summary>
internal sealed class SqliteStore : IStateStore
{
    private readonly MemoryStateStore _memory = new(maxBytes: 4L << 30);
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _record, _head;
    private readonly Lock _gate = new();

    public SqliteStore(string file)
    {
        _connection = new SqliteConnection($"Data Source={file}");
        _connection.Open();
        Run("PRAGMA journal_mode=WAL");
        Run("PRAGMA synchronous=FULL");
        Run("CREATE TABLE record (session TEXT, seq INTEGER, kind INTEGER, json BLOB, PRIMARY KEY (session, seq)) WITHOUT ROWID");
        Run("CREATE TABLE head (session TEXT PRIMARY KEY, turn INTEGER, guard BLOB) WITHOUT ROWID");
        _record = Prepare("INSERT INTO record VALUES ($session, $seq, $kind, $json)", "$session", "$seq", "$kind", "$json");
        _head = Prepare("INSERT OR REPLACE INTO head VALUES ($session, $turn, $guard)", "$session", "$turn", "$guard");
    }

    public StoreTraits Traits { get; } = new("sqlite", Durable: true, Shared: false, KeepsPrivateRecords: true);

    public ValueTask<ReadOnlyMemory<byte>> KeyAsync(CancellationToken cancel = default) => _memory.KeyAsync(cancel);

    public ValueTask<CreateResult> CreateAsync(SessionId id, SessionSeed seed, LeaseRequest by, CancellationToken cancel = default) =>
        _memory.CreateAsync(id, seed, by, cancel);

    public ValueTask<BeginResult> BeginAsync(
        SessionId id, ReadOnlyMemory<byte> guard, LeaseRequest by, CancellationToken cancel = default) =>
        _memory.BeginAsync(id, guard, by, cancel);

    public ValueTask<AppendResult> AppendAsync(
        Lease lease, ReadOnlyMemory<JournalEntry> entries, SessionHead? commit, Flush flush, CancellationToken cancel = default)
    {
        if (flush == Flush.Durable)
            Write(lease.Session.Value, entries.Span, commit);
        return _memory.AppendAsync(lease, entries, commit, flush, cancel);
    }

    public ValueTask<bool> RenewAsync(Lease lease, TimeSpan ttl, CancellationToken cancel = default) => _memory.RenewAsync(lease, ttl, cancel);

    public ValueTask ReleaseAsync(Lease lease, CancellationToken cancel = default) => _memory.ReleaseAsync(lease, cancel);

    public ValueTask<SessionHead?> FindAsync(SessionId id, CancellationToken cancel = default) => _memory.FindAsync(id, cancel);

    public IAsyncEnumerable<JournalEntry> ReadAsync(SessionId id, long from, CancellationToken cancel = default) =>
        _memory.ReadAsync(id, from, cancel);

    public ValueTask<bool> PostAsync(SessionId id, Mail mail, CancellationToken cancel = default) => _memory.PostAsync(id, mail, cancel);

    public IAsyncEnumerable<SessionId> DueAsync(DateTimeOffset now, int limit, CancellationToken cancel = default) =>
        _memory.DueAsync(now, limit, cancel);

    public IAsyncEnumerable<SessionId> IdleAsync(DateTimeOffset since, int limit, CancellationToken cancel = default) =>
        _memory.IdleAsync(since, limit, cancel);

    public IAsyncEnumerable<ListedSession> ListAsync(ListQuery query, CancellationToken cancel = default) => _memory.ListAsync(query, cancel);

    public ValueTask DeleteAsync(Lease lease, Tombstone why, CancellationToken cancel = default) => _memory.DeleteAsync(lease, why, cancel);

    public async ValueTask DisposeAsync()
    {
        await _record.DisposeAsync();
        await _head.DisposeAsync();
        await _connection.DisposeAsync();
        await _memory.DisposeAsync();
    }

    private void Write(string session, ReadOnlySpan<JournalEntry> entries, SessionHead? commit)
    {
        lock (_gate)
        {
            using SqliteTransaction transaction = _connection.BeginTransaction();
            _record.Transaction = _head.Transaction = transaction;
            foreach (JournalEntry entry in entries)
            {
                _record.Parameters[0].Value = session;
                _record.Parameters[1].Value = entry.Seq;
                _record.Parameters[2].Value = (int)entry.Kind;
                _record.Parameters[3].Value = entry.Utf8.ToArray();
                _record.ExecuteNonQuery();
            }

            if (commit is not null)
            {
                _head.Parameters[0].Value = session;
                _head.Parameters[1].Value = commit.Turn;
                _head.Parameters[2].Value = commit.Guard.ToArray();
                _head.ExecuteNonQuery();
            }

            transaction.Commit();
        }
    }

    private void Run(string sql)
    {
        using SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private SqliteCommand Prepare(string sql, params string[] names)
    {
        SqliteCommand command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (string name in names)
        {
            SqliteParameter parameter = command.CreateParameter();
            parameter.ParameterName = name;
            command.Parameters.Add(parameter);
        }

        command.Prepare();
        return command;
    }
}
