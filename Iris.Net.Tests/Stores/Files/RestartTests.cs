using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Stores.Files;

/// <summary>What a store knows after it was closed and opened.</summary>
public sealed class RestartTests
{
    private static readonly LeaseRequest Me = new("me", TimeSpan.FromSeconds(30));

    private readonly ManualTime _time = new();

    private FileStateStore Open(TempDirectory directory, int hot = 10_000) =>
        new(directory.Path, new FileStoreOptions { Time = _time, HotSessions = hot });

    [Test]
    public async Task Sessions_stand_where_they_stood()
    {
        using TempDirectory directory = new();
        Player[] players = [.. Enumerable.Range(0, 20).Select(i => new Player($"session-{i}"))];
        await using (FileStateStore store = Open(directory))
            foreach (Player player in players)
                for (int turn = 0; turn < 3; turn++)
                    await player.PlayAsync(store);
        await using FileStateStore again = Open(directory, hot: 2);
        foreach (Player player in players)
            await player.CheckTurnAsync(again, 3, player.Id);
        Assert.That(
            (await again.ListAsync(new ListQuery()).ToListAsync()).Select(row => row.Id.Value),
            Is.EqualTo(players.Select(player => player.Id).Order(StringComparer.Ordinal)));
        foreach (Player player in players)
            await player.PlayAsync(again);
    }

    [Test]
    public async Task A_lease_of_an_earlier_process_is_no_lease()
    {
        using TempDirectory directory = new();
        Lease old;
        await using (FileStateStore store = Open(directory))
        {
            old = await Player.CreateAsync(store, "s");
            Assert.That(await store.AppendAsync(old, Records(1), null, Flush.Durable), Is.EqualTo(AppendResult.Appended));
        }

        await using FileStateStore again = Open(directory);
        Assert.That(await again.AppendAsync(old, Records(2), null, Flush.Durable), Is.EqualTo(AppendResult.StaleFence));
        BeginResult begun = await again.BeginAsync(old.Session, default, Me);
        Assert.That((begun.Status, begun.NextSeq), Is.EqualTo((BeginStatus.Begun, 2L)));
        Assert.That(begun.Lease.Fence, Is.GreaterThan(old.Fence));
        Assert.That(await again.AppendAsync(old, Records(2), null, Flush.Durable), Is.EqualTo(AppendResult.StaleFence));
    }

    [Test]
    public async Task Timers_signals_and_accepted_requests_are_still_due()
    {
        using TempDirectory directory = new();
        DateTimeOffset at = _time.GetUtcNow().AddHours(1);
        await using (FileStateStore store = Open(directory))
        {
            await Player.CommitAsync(store, await Player.CreateAsync(store, "timer"), 1, 1, SessionWait.Timer(at));
            await Player.CommitAsync(store, await Player.CreateAsync(store, "later"), 1, 1, SessionWait.Timer(at.AddHours(1)));
            await Player.CommitAsync(store, await Player.CreateAsync(store, "signal"), 1, 1, SessionWait.Signal("go"));
            Assert.That(await store.PostAsync(new SessionId("signal"), new SignalMail(1, Records(3, RecordKind.Signal)[0])));
            await store.AppendAsync(await Player.CreateAsync(store, "request"), Records(1, RecordKind.RequestAccepted), null, Flush.Durable);
            await Player.CommitAsync(store, await Player.CreateAsync(store, "idle"), 1, 1);
        }

        await using FileStateStore again = Open(directory);
        Assert.That(
            (await again.DueAsync(at, 9).ToListAsync()).Select(id => id.Value), Is.EquivalentTo((string[])["timer", "signal", "request"]));
        _time.Advance(TimeSpan.FromDays(1));
        Assert.That(
            (await again.IdleAsync(_time.GetUtcNow(), 9).ToListAsync()).Select(id => id.Value), Is.EquivalentTo((string[])["idle", "timer", "later"]));
    }

    [Test]
    public async Task A_deleted_session_is_known_as_deleted_and_its_id_is_free()
    {
        using TempDirectory directory = new();
        await using (FileStateStore store = Open(directory))
            await store.DeleteAsync(await Player.CreateAsync(store, "s"), Tombstone.Expired);
        await using (FileStateStore again = Open(directory))
        {
            BeginResult begun = await again.BeginAsync(new SessionId("s"), default, Me);
            Assert.That((begun.Status, begun.Why), Is.EqualTo((BeginStatus.Unknown, Tombstone.Expired)));
            await Player.CommitAsync(again, await Player.CreateAsync(again, "s"), 1, 1);
        }

        await using FileStateStore third = Open(directory);
        await new Player("s").CheckTurnAsync(third, 1, "the new one");
        Assert.That(new FileJournals(directory.Path).Verify(), Is.EqualTo(new JournalCheck(1, 4, null, null, 0)));
    }

    [Test]
    public async Task The_key_stays_and_is_its_owners_alone()
    {
        using TempDirectory directory = new();
        string below = Path.Combine(directory.Path, "a", "b");
        byte[] key;
        await using (FileStateStore store = new(below))
            key = (await store.KeyAsync()).ToArray();
        await using FileStateStore again = new(below);
        Assert.That((await again.KeyAsync()).ToArray(), Is.EqualTo(key).And.Length.EqualTo(32));
        if (OperatingSystem.IsWindows())
            return;
        Assert.That(File.GetUnixFileMode(Path.Combine(below, "key")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(File.GetUnixFileMode(below), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Test]
    public async Task Journals_are_read_beside_a_store_that_is_open()
    {
        using TempDirectory directory = new();
        await using FileStateStore store = Open(directory);
        await Player.CommitAsync(store, await Player.CreateAsync(store, "s"), 1, 1);
        using FileJournals journals = new(directory.Path);
        Assert.That(journals.Sessions(), Is.EqualTo((SessionId[])[new("s")]));
        Assert.That((await journals.ReadAsync(new SessionId("s")).ToListAsync()).Select(entry => entry.Seq), Is.EqualTo((long[])[0, 1, 2]));
        Assert.That(journals.Verify(), Is.EqualTo(new JournalCheck(1, 3, null, null, 0)));
    }

    [Test]
    public void Journals_of_no_directory_are_refused() => Assert.That(
        () => new FileJournals(Path.Combine(Path.GetTempPath(), "iris-nowhere")), Throws.InstanceOf<DirectoryNotFoundException>());

    private static JournalEntry[] Records(long seq, RecordKind kind = RecordKind.Decision) => [new(seq, kind, "{}"u8.ToArray())];
}
