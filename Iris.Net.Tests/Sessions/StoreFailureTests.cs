using System.Text;
using Iris.Net.Journal;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Tests.Sessions;

/// <summary>A store that fails at its k-th call, in every way and for every k: nothing is said that is not so, and nobody is
/// locked out.</summary>
internal sealed class StoreFailureTests
{
    private static readonly Fault[] Faults = Enum.GetValues<Fault>();

    [TestCaseSource(nameof(Faults))]
    public async Task OneFailureAtEveryCall(object fault)
    {
        foreach (bool catches in (bool[])[false, true])
            for (int at = 1; await RunAsync((Fault)fault, at, lasts: false, catches); at++) { }
    }

    [TestCaseSource(nameof(Faults))]
    public async Task AFailureThatLastsFromEveryCallOn(object fault)
    {
        foreach (bool catches in (bool[])[false, true])
            for (int at = 1; await RunAsync((Fault)fault, at, lasts: true, catches); at++) { }
    }

    /// <summary>Some turns with two steps each, one of whose attempts fails; false where it all went well.</summary>
    private static async Task<bool> RunAsync(Fault fault, int at, bool lasts, bool catches)
    {
        string what = $"{fault} at {at}{(lasts ? " and on" : "")}{(catches ? ", caught" : "")}";
        Dictionary<string, int> recorded = [], rerun = [];
        int runs = 0;
        bool fail = false, doomed = false;
        FaultyStore store = null!;
        await using SessionTester host = new(async (turn, _) =>
        {
            string body = turn.Body.GetRawText();
            for (int i = 0; i < 2; i++)
            {
                string step = $"{body}/{turn.Number}/{i}";
                if (recorded.ContainsKey(step))
                    rerun[step] = rerun.GetValueOrDefault(step);
                try
                {
                    await turn.StepAsync($"s{i}", (_, _) =>
                    {
                        if (recorded.ContainsKey(step))
                            rerun[step]++;
                        return ValueTask.FromResult(SessionTester.Json($"{++runs}"));
                    });
                    recorded[step] = runs;
                }
                catch (InvalidOperationException) when (catches)
                {
                    doomed = true;   // a program that goes on all the same gets nowhere
                }
            }

            return fail ? throw new InvalidOperationException() : TurnOutcome.ParkedOnUser();
        }, wrap: memory => store = new FaultyStore(memory) { At = at, Fault = fault, Lasts = lasts });
        SessionTesterClient client = host.Client();

        foreach ((string body, bool fails) in ((string, bool)[])[("1", false), ("2", true), ("2", false), ("3", false)])
        {
            fail = fails;
            Admission admission = await client.AdmitAsync(body);
            if (admission.Turn is not { } turn)
            {
                Assert.That(admission.Refusal, Is.Not.EqualTo(Refusal.None), what);
                continue;
            }

            doomed = false;
            TurnEnd end = await turn.RunAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            Assert.That(end.IsCommitted && doomed, Is.False, $"{what}: a step was lost");
            SessionHead head = (await host.Memory.FindAsync(client.Id))!;
            await AssertSoundAsync(host.Memory, client.Id, what);
            if (end.IsCommitted)
                Assert.That(Text(head.Guard), Is.EqualTo(Text(end.Token)), $"{what}: a commit was reported that is not there");
            else
                Assert.That(Text(end.Token), Is.EqualTo(client.TokenText), $"{what}: an uncommitted end keeps the token");
            if (end.Status is not (TurnStatus.StoreUnavailable or TurnStatus.Parked))
                Assert.That(Text(head.Guard), Is.EqualTo(client.TokenText), $"{what}: the end says that nothing committed");
            client.Take(end);
        }

        bool struck = store.Struck;
        string? struckAt = store.StruckAt;
        (store.At, fail) = (0, false);
        if (client.Id.Value is not null && await host.Memory.FindAsync(client.Id) is { } last)
        {
            // Whoever holds the current token goes on: at once, or where the lease could not be given back once it ran out.
            client.Token = last.Guard;
            Admission admission = await client.AdmitAsync("4");
            if (admission.Refusal == Refusal.InFlight)
            {
                Assert.That(lasts || struckAt is "ReleaseAsync" or "BeginAsync", $"{what}: held after {struckAt}");
                host.Time.Advance(host.Sessions.Settings.LeaseTtl);
                admission = await client.AdmitAsync("4");
            }

            Assert.That(admission.Refusal, Is.EqualTo(Refusal.None), what);
            TurnEnd end = await admission.Turn!.RunAsync();
            Assert.That(end.IsCommitted, $"{what}: {end.Error}");
            await AssertSoundAsync(host.Memory, client.Id, what);
        }

        Assert.That(rerun.Values, Has.All.Zero, $"{what}: a recorded step ran again");
        return struck;
    }

    private static async Task AssertSoundAsync(MemoryStateStore store, SessionId id, string what)
    {
        List<JournalEntry> records = await store.ReadAsync(id, 0).ToListAsync();
        long turns = (await store.FindAsync(id))!.Turn;
        Assert.That(records.Count(r => r.Kind == RecordKind.Marker), Is.EqualTo(turns), $"{what}: a marker for each commit");
        Assert.That(records.Select(r => r.Seq), Is.Ordered.And.Unique, what);
        foreach (JournalEntry record in records)
            Assert.That(SessionTester.Json(Text(record.Utf8)).GetProperty("seq").GetInt64(), Is.EqualTo(record.Seq), what);
    }

    private static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
