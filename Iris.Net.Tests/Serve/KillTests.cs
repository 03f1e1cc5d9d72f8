using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Serve;

/// <summary>SIGKILL under load, over and over: what was acknowledged is there, what is recorded as done is never done again, and
/// nobody is locked out.</summary>
internal sealed class KillTests
{
    private const int Clients = 16;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    [Test, Category("Long")]
    public async Task Nothing_acknowledged_is_lost_and_nothing_recorded_runs_again()
    {
        int cycles = IsLong ? 1000 : 6, least = IsLong ? 50_000 : 200;
        Random random = new(1);
        await using LedgerServer server = new();
        using CancellationTokenSource stop = new();
        SemaphoreSlim acknowledged = new(0);
        LedgerClient[] clients = [.. Enumerable.Range(0, Clients).Select(i => new LedgerClient(server, i % 2 == 0, () => acknowledged.Release()))];
        Task running = Task.WhenAll(clients.Select(client => client.RunAsync(stop.Token)));
        DoneOnce done = new(server);
        for (int cycle = 1; cycle <= cycles; cycle++)
        {
            await server.StartAsync();
            for (int left = random.Next(10, 110); left > 0; left--)
                await AcknowledgedAsync(acknowledged, running);
            await server.KillAsync();
            await done.CheckAsync(clients, cycle);
        }

        await server.StartAsync();
        foreach (LedgerClient client in clients)
            for (long before = client.Acknowledged; client.Acknowledged == before;)
                await AcknowledgedAsync(acknowledged, running);   // nobody is locked out
        await stop.CancelAsync();
        await running;
        await server.KillAsync();
        await done.CheckAsync(clients, cycles + 1);
        using FileJournals journals = new(server.Data);
        Assert.That(journals.Verify().Damage, Is.Null);
        long turns = clients.Sum(client => client.Acknowledged);
        TestContext.Out.WriteLine(
            $"{cycles} kills, {turns} turns acknowledged, {clients.Sum(client => client.Recovered)} replies lost and found, "
            + $"{done.Recorded} steps recorded, {done.Effects} effects");
        Assert.That(turns, Is.GreaterThanOrEqualTo(least));
        Assert.That(done.Effects, Is.GreaterThanOrEqualTo(2 * turns));
    }

    private static async Task AcknowledgedAsync(SemaphoreSlim acknowledged, Task running)
    {
        Task next = acknowledged.WaitAsync(TimeSpan.FromMinutes(2));
        if (await Task.WhenAny(next, running) == running)
            await running;   // a client failed
        Assert.That(await (Task<bool>)next, "a turn is acknowledged");
    }

    /// <summary>Counts from outside: the keys of recorded results never appear again in the effects.</summary>
    private sealed class DoneOnce(LedgerServer server)
    {
        private readonly HashSet<string> _recorded = [];
        private readonly Dictionary<string, (long NextSeq, Dictionary<string, string> Intents)> _read = [];
        private long _offset;

        public int Recorded => _recorded.Count;

        public int Effects { get; private set; }

        public async Task CheckAsync(IEnumerable<LedgerClient> clients, int cycle)
        {
            foreach (string line in NewEffects())
            {
                Effects++;
                Assert.That(_recorded.Contains(line.Split(' ')[0]), Is.False, $"kill {cycle}: done again: {line}");
            }

            await using FileStateStore store = new(server.Data);
            foreach (LedgerClient client in clients)
                if (client.SessionId is { } id)
                    await ReadAsync(store, id);
        }

        private IEnumerable<string> NewEffects()
        {
            using FileStream file = new(server.Ledger, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Position = _offset;
            string text = new StreamReader(file).ReadToEnd();
            _offset += text.Length;
            return text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }

        private async Task ReadAsync(FileStateStore store, string id)
        {
            (long next, Dictionary<string, string> intents) = _read.GetValueOrDefault(id, (0, []));
            await foreach (JournalEntry entry in store.ReadAsync(new SessionId(id), next))
            {
                next = entry.Seq + 1;
                if (entry.Kind is not (RecordKind.EffectIntent or RecordKind.EffectResult))
                    continue;
                System.Text.Json.JsonElement payload = System.Text.Json.JsonElement.Parse(entry.Utf8.Span).GetProperty("payload");
                string effect = payload.GetProperty("effectId").GetString()!;
                if (entry.Kind == RecordKind.EffectIntent)
                    intents[effect] = payload.GetProperty("idempotencyKey").GetString()!;
                else
                    _recorded.Add(intents[effect]);
            }

            _read[id] = (next, intents);
        }
    }
}
