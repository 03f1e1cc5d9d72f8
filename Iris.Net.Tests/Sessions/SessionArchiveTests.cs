using System.Text;
using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Sessions;

/// <summary>One session as a file: whole, or refused with the line that is wrong.</summary>
internal sealed class SessionArchiveTests
{
    private static readonly LeaseRequest Me = new("me", TimeSpan.FromSeconds(30));

    [Test]
    public async Task What_comes_in_is_what_went_out()
    {
        await using FileStateStore from = new(new MemoryDirectory(), "memory", new FileStoreOptions());
        await using MemoryStateStore to = new();
        (byte[] file, List<JournalEntry> records) = await ExportAsync(from, "one");
        ImportedSession imported = await ImportAsync(to, file);
        Assert.That((imported.Id.Value, imported.Records), Is.EqualTo(("one", (long)records.Count)));
        List<JournalEntry> read = await to.ReadAsync(imported.Id, 0).ToListAsync();
        Assert.That(read[..^1].Select(Text), Is.EqualTo(records.Select(Text)));
        SessionHead before = (await from.FindAsync(imported.Id))!, after = (await to.FindAsync(imported.Id))!;
        Assert.That(after.State.ToArray(), Is.EqualTo(before.State.ToArray()));
        Assert.That((after.Turn, after.ClientTurns, after.Status), Is.EqualTo((before.Turn, before.ClientTurns, before.Status)));
        Assert.That(after.Guard.ToArray(), Is.Not.EqualTo(before.Guard.ToArray()));
        BeginResult claim = await to.BeginAsync(imported.Id, before.Guard, Me);
        Assert.That(claim.Status, Is.EqualTo(BeginStatus.Stale), "what opened it there opens nothing here");
    }

    [Test]
    public async Task Twice_is_refused()
    {
        await using FileStateStore from = new(new MemoryDirectory(), "memory", new FileStoreOptions());
        await using MemoryStateStore to = new();
        (byte[] file, _) = await ExportAsync(from, "one");
        await ImportAsync(to, file);
        Assert.That(() => ImportAsync(to, file), Throws.InstanceOf<IOException>().With.Message.Contains("has a session 'one' already"));
    }

    [Test]
    public async Task Any_changed_byte_is_refused_with_its_line()
    {
        await using FileStateStore from = new(new MemoryDirectory(), "memory", new FileStoreOptions());
        await using MemoryStateStore to = new();
        (byte[] file, _) = await ExportAsync(from, "one");
        for (int i = 0; i < file.Length; i++)
        {
            int line = 1 + file.AsSpan(0, i).Count((byte)'\n');
            foreach (byte other in (byte[])[(byte)(file[i] ^ 1), (byte)'\n', (byte)' ', 0])
            {
                if (other == file[i])
                    continue;
                byte[] changed = [.. file];
                changed[i] = other;
                // The id in the first line is held against the chain of the second; without a line's end the next one is part of it.
                await AssertRefusedAsync(to, changed, line, line == 1 || file[i] == '\n' ? line + 1 : line);
            }
        }
    }

    [Test]
    public async Task Any_cut_is_refused_with_its_line()
    {
        await using FileStateStore from = new(new MemoryDirectory(), "memory", new FileStoreOptions());
        await using MemoryStateStore to = new();
        (byte[] file, _) = await ExportAsync(from, "one");
        for (int length = 0; length < file.Length; length++)
        {
            int line = 1 + file.AsSpan(0, length).Count((byte)'\n');
            await AssertRefusedAsync(to, file[..length], line, line);
        }
    }

    [Test]
    public async Task Lines_that_are_moved_missing_twice_or_another_sessions_are_refused()
    {
        await using FileStateStore from = new(new MemoryDirectory(), "memory", new FileStoreOptions());
        await using MemoryStateStore to = new();
        string[] lines = Lines((await ExportAsync(from, "one")).File), others = Lines((await ExportAsync(from, "two")).File);
        for (int i = 0; i < lines.Length; i++)
        {
            await AssertRefusedAsync(to, Join([.. lines[..i], .. lines[(i + 1)..]]), i + 1, i + 1);
            await AssertRefusedAsync(to, Join([.. lines[..i], lines[i], .. lines[i..]]), i + 2, i + 2);
            await AssertRefusedAsync(to, Join([.. lines[..i], others[i], .. lines[(i + 1)..]]), i + 1, i + 2);
            if (i > 0)
                await AssertRefusedAsync(to, Join([.. lines[..(i - 1)], lines[i], lines[i - 1], .. lines[(i + 1)..]]), i, i);
        }

        await AssertRefusedAsync(to, Join([.. lines, others[^1]]), lines.Length + 1, lines.Length + 1);
    }

    [TestCase("")]
    [TestCase("\n")]
    [TestCase("{}\n")]
    [TestCase("[]\n")]
    [TestCase("{\"format\":\"iris-session/2\",\"sessionId\":\"s\"}\n")]
    [TestCase("{\"format\":\"iris-session/1\"}\n")]
    [TestCase("{\"format\":\"iris-session/1\",\"sessionId\":\"\"}\n")]
    [TestCase("{\"format\":\"iris-session/1\",\"sessionId\":7}\n")]
    [TestCase("{\"format\":\"iris-session/1\",\"sessionId\":\"s\"} {}\n")]
    [TestCase("{\"format\":\"iris-session/1\",\"sessionId\":\"a\\u0000b\"}\n")]
    public async Task Another_first_line_is_refused(string file)
    {
        await using MemoryStateStore to = new();
        await AssertRefusedAsync(to, Encoding.UTF8.GetBytes(file), 1, 2);
    }

    [TestCase("16 0 {}")]
    [TestCase("16 0 ")]
    [TestCase("16 0 not JSON")]
    [TestCase("16 0")]
    [TestCase("16")]
    [TestCase("")]
    [TestCase("99 0 {}")]
    [TestCase("-1 0 {}")]
    [TestCase("20 0 {\"payload\":{}}")]
    [TestCase("16 -5 {\"payload\":{}}")]
    [TestCase("16 9223372036854775807 {\"payload\":{}}")]
    [TestCase("16 0 {\"payload\":{\"salt\":7}}")]
    public async Task A_record_that_is_none_is_refused_although_its_hash_fits(string record)
    {
        await using MemoryStateStore to = new();
        HashChain chain = HashChain.Of("s").After(Encoding.UTF8.GetBytes(record));
        string file = $"{{\"format\":\"iris-session/1\",\"sessionId\":\"s\"}}\n{chain} {record}\n{chain.After("end"u8)} end\n";
        Assert.That(() => ImportAsync(to, Encoding.UTF8.GetBytes(file)), Throws.InstanceOf<InvalidDataException>());
        Assert.That(await to.FindAsync(new SessionId("s")), Is.Null);
    }

    private static async Task AssertRefusedAsync(MemoryStateStore to, byte[] file, int least, int most)
    {
        InvalidDataException? refused = Assert.ThrowsAsync<InvalidDataException>(() => ImportAsync(to, file), Encoding.UTF8.GetString(file));
        Assert.That(refused!.Message, Does.Match("^Line [0-9]+: "));
        Assert.That(int.Parse(refused.Message[5..refused.Message.IndexOf(':')], null), Is.InRange(least, most), Encoding.UTF8.GetString(file));
        Assert.That(await to.ListAsync(new ListQuery()).AnyAsync(), Is.False, "nothing was made");
    }

    private static async Task<(byte[] File, List<JournalEntry> Records)> ExportAsync(IStateStore from, string name)
    {
        Player player = new(name);
        for (int turn = 0; turn < 3; turn++)
            await player.PlayAsync(from);
        List<JournalEntry> records = await from.ReadAsync(player.Session, 0).ToListAsync();
        using MemoryStream file = new();
        Assert.That(await SessionArchive.ExportAsync(player.Session, records.ToAsyncEnumerable(), file), Is.EqualTo(records.Count));
        return (file.ToArray(), records);
    }

    private static async Task<ImportedSession> ImportAsync(MemoryStateStore to, byte[] file)
    {
        using MemoryStream stream = new(file);
        return await SessionArchive.ImportAsync(to, stream);
    }

    private static string Text(JournalEntry record) => $"{record.Kind} {record.Seq} {Encoding.UTF8.GetString(record.Utf8.Span)}";

    private static string[] Lines(byte[] file) => Encoding.UTF8.GetString(file).Split('\n')[..^1];

    private static byte[] Join(string[] lines) => Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n")));
}
