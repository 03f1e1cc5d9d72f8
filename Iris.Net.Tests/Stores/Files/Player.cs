using System.Text;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores.Files;

/// <summary>Plays turns of one session, and knows which of them were acknowledged.</summary>
internal sealed class Player(string id, int stateSize = 0)
{
    private static readonly LeaseRequest Me = new("me", TimeSpan.FromSeconds(30));

    private long _attempted, _acknowledged = -1;

    public string Id => id;

    public SessionId Session { get; } = new(id);

    /// <summary>The last turn that the store said it has; -1 where not even the session was made.</summary>
    public long Acknowledged => Volatile.Read(ref _acknowledged);

    public static SessionHead Head(string id, long turn, long nextSeq, int stateSize = 0) => new()
    {
        Guard = Encoding.UTF8.GetBytes($"{id}-{turn}"),
        Turn = turn,
        ClientTurns = turn,
        NextSeq = nextSeq,
        Status = turn == 0 ? SessionStatus.New : SessionStatus.Parked,
        Wait = turn == 0 ? null : SessionWait.User,
        State = Encoding.UTF8.GetBytes($"\"{new string('s', stateSize + (int)(turn * 7 % 50))}\""),
        Reply = "{}"u8.ToArray(),
    };

    public static async Task<Lease> CreateAsync(IStateStore store, string id)
    {
        using RecordWriter writer = new("0123456789abcdef");
        SessionHead head = Head(id, 0, 1);
        CreateResult created = await store.CreateAsync(
            new SessionId(id), new SessionSeed(head, new[] { writer.Session(0, 1, head) }), Me);
        Assert.That(created.Status, Is.EqualTo(CreateStatus.Created));
        return created.Lease;
    }

    /// <summary>A turn of two records, the second its commit.</summary>
    public static async Task<AppendResult> CommitAsync(IStateStore store, Lease lease, long turn, long seq, SessionWait? wait = null, int stateSize = 0)
    {
        using RecordWriter writer = new("0123456789abcdef");
        SessionHead head = Head(lease.Session.Value, turn, seq + 2, stateSize);
        head = wait is null ? head : head with { Wait = wait };
        JournalEntry[] entries = [writer.Decision(seq, 1, JsonPayload.Null), writer.Commit(seq + 1, 1, head)];
        return await store.AppendAsync(lease, entries, head, Flush.Durable);
    }

    /// <summary>One turn more, of a session that is made where it is missing.</summary>
    /// <exception cref="IOException">The store cannot say what became of it.</exception>
    public async Task PlayAsync(IStateStore store)
    {
        BeginResult begun = await store.BeginAsync(Session, default, Me);
        (Lease lease, long turn, long seq) = begun.Status switch
        {
            BeginStatus.Begun => (begun.Lease, begun.Head!.Turn + 1, begun.NextSeq),
            BeginStatus.Unknown => (await CreateAsync(store, id), 1, 1),
            _ => throw new IOException("what became of the last turn is told in a moment"),
        };
        Assert.That(turn, Is.GreaterThan(Acknowledged), "the store forgot a turn");
        try
        {
            _attempted = turn;
            Assert.That(await CommitAsync(store, lease, turn, seq, stateSize: stateSize), Is.EqualTo(AppendResult.Appended));
            Volatile.Write(ref _acknowledged, turn);
        }
        catch (IOException)
        {
            await store.ReleaseAsync(lease);
            throw;
        }
    }

    /// <summary>The session stands at just this turn.</summary>
    public async Task CheckTurnAsync(IStateStore store, long turn, string when)
    {
        Assert.That((await store.FindAsync(Session))?.Turn, Is.EqualTo(turn), when);
        _attempted = turn;
        await CheckAsync(store, turn);
    }

    /// <summary>Nothing that was acknowledged is missing, and nothing is there in part.</summary>
    public async Task CheckAsync(IStateStore store, long acknowledged)
    {
        SessionHead? head = await store.FindAsync(Session);
        if (head is null)
        {
            Assert.That(acknowledged, Is.EqualTo(-1), $"{id} is gone");
            return;
        }

        Assert.That(head.Turn, Is.GreaterThanOrEqualTo(acknowledged).And.LessThanOrEqualTo(Math.Max(_attempted, 0) + 1), id);
        Assert.That(Encoding.UTF8.GetString(head.Guard.Span), Is.EqualTo($"{id}-{head.Turn}"));
        Assert.That(head.NextSeq, Is.EqualTo(1 + 2 * head.Turn), "a turn has two records");
        List<JournalEntry> records = await store.ReadAsync(Session, 0).ToListAsync();
        Assert.That(
            records.Where(record => record.Kind != RecordKind.Commit).Select(record => record.Seq),
            Is.EqualTo((long[])[0, .. Enumerable.Range(0, (int)head.Turn).Select(turn => 1L + 2 * turn)]));
        Assert.That(records[^1].Seq, Is.EqualTo(head.NextSeq - 1));
    }
}
