using Iris.Net.Journal;
using Iris.Net.Stores;
using Iris.Net.Stores.Files;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Serve;

/// <summary>A journal that <c>iris</c> wrote, cut at each byte and with each bit flipped: what is left is the exact beginning of
/// what was there, or it is refused.</summary>
[Platform("Linux")]
internal sealed class JournalDamageTests
{
    private const int Size = 16 << 10;
    private const string Name = "segment-0000000001.iris";
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    private readonly TempDirectory _data = new();
    private readonly Dictionary<string, List<JournalEntry>> _records = [];
    private readonly List<(long Length, string Session, long Turn)> _acknowledged = [];
    private byte[] _whole = [];

    [OneTimeSetUp]
    public async Task WriteAsync()
    {
        string file = _data[Name];
        await using (IrisServer server = await IrisServer.StartAsync("--data", _data.Path))
        {
            TurnReply?[] last = new TurnReply?[3];
            for (int turn = 0; new FileInfo(file).Length < Size; turn++)
            {
                last[turn % 3] = await server.TurnAsync(new { message = $"message {turn}" }, last[turn % 3]);
                _acknowledged.Add((new FileInfo(file).Length, last[turn % 3]!.SessionId, 1 + turn / 3));
            }
        }

        _whole = await File.ReadAllBytesAsync(file);
        await using FileStateStore store = Open(_whole);
        foreach (string session in _acknowledged.Select(one => one.Session).Distinct())
            _records[session] = await store.ReadAsync(new SessionId(session), 0).ToListAsync();
    }

    [OneTimeTearDown]
    public void Remove() => _data.Dispose();

    [Test, Category("Long")]
    public async Task Every_cut_leaves_the_beginning()
    {
        for (int length = _whole.Length; length >= 0; length -= IsLong || length > _whole.Length - 600 ? 1 : 37)
        {
            await using FileStateStore store = Open(_whole[..length]);
            foreach ((string session, List<JournalEntry> records) in _records)
            {
                long acknowledged = _acknowledged.LastOrDefault(one => one.Length <= length && one.Session == session).Turn;
                SessionHead? head = await store.FindAsync(new SessionId(session));
                Assert.That(head?.Turn ?? 0, Is.InRange(acknowledged, acknowledged + 1), $"{length} bytes");
                List<JournalEntry> left = await store.ReadAsync(new SessionId(session), 0).ToListAsync();
                Assert.That(left.Select(Text), Is.EqualTo(records.Take(left.Count).Select(Text)), $"{length} bytes");
                Assert.That(left.Count(record => record.Kind == RecordKind.Commit), Is.EqualTo(head?.Turn ?? 0), $"{length} bytes");
            }
        }
    }

    [Test, Category("Long")]
    public void Every_flipped_bit_is_refused_and_found()
    {
        for (int bit = 0; bit < _whole.Length * 8; bit += IsLong ? 1 : 61)
        {
            byte[] flipped = [.. _whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<DamagedStoreException>(() => Open(flipped), $"bit {bit}");
            Assert.That(new FileJournals(Disk(flipped)).Verify().Damage?.Offset, Is.LessThanOrEqualTo(bit / 8), $"bit {bit}");
        }
    }

    [Test]
    public async Task The_program_finds_flips_and_says_where()
    {
        using TempDirectory data = new();
        foreach (int bit in (int[])[3, 8 * SegmentHeader.Size + 1, 4 * _whole.Length, 8 * _whole.Length - 1])
        {
            byte[] flipped = [.. _whole];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            await File.WriteAllBytesAsync(data[Name], flipped);
            (int code, string output, string errors) = await IrisServer.RunAsync("verify", data.Path);
            Assert.That((code, output), Is.EqualTo((1, "")));
            Assert.That(errors, Does.Match($"^iris: The store is damaged: '{data[Name]}' at offset [0-9]+: .*\\.\n$"));
        }
    }

    private static MemoryDirectory Disk(byte[] segment) => new() { [Name] = segment };

    private static FileStateStore Open(byte[] segment) => new(Disk(segment), "memory", new FileStoreOptions());

    private static string Text(JournalEntry record) => $"{record.Kind} {record.Seq} {Convert.ToHexString(record.Utf8.Span)}";
}
