using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Iris.Net;
using Iris.Net.Stores;

namespace Iris.Bench.Durable;

/// <summary>Acknowledged turns a second with one client and with many, on the memory store, the file store and SQLite, side by side
/// in one run; server and clients share this process.</summary>
internal static class DurableRun
{
    private const int Rounds = 3, Many = 64;

    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(2), Measured = TimeSpan.FromSeconds(3);
    private static readonly (string Name, Func<string, IStateStore> Open)[] Stores =
    [
        ("memory", _ => new MemoryStateStore(maxBytes: 4L << 30)),
        ("file", folder => new FileStateStore(Path.Combine(folder, "file"))),
        ("sqlite", folder => new SqliteStore(Path.Combine(folder, "sqlite.db"))),
    ];

    /// <returns>The exit code: 1 where a client met an error.</returns>
    public static async Task<int> RunAsync()
    {
        Dictionary<(string Store, int Clients), List<(double Turns, double Commits)>> measured = [];
        for (int round = 1; round <= Rounds; round++)
            foreach ((string name, Func<string, IStateStore> open) in Stores)
                foreach (int clients in (int[])[1, Many])
                {
                    (double Turns, double Commits) figures = await MeasureAsync(open, clients, name == Stores[0].Name && round == 1);
                    if (!measured.TryGetValue((name, clients), out List<(double Turns, double Commits)>? list))
                        measured.Add((name, clients), list = []);
                    list.Add(figures);
                    Print($"round {round}  {name,-7} {clients,3} clients {figures.Turns,9:F0} turns/s {figures.Commits,7:F1} commits a sync");
                }

        double Median(string store, int clients) => measured[(store, clients)].Select(f => f.Turns).Order().ElementAt(Rounds / 2);
        double many = Median("file", Many), one = Median("file", 1), memory = Median("memory", Many), sqlite = Median("sqlite", Many);
        double commits = measured[("file", Many)].Select(f => f.Commits).Order().ElementAt(Rounds / 2);
        Print($"medians: file with {Many} clients is {many / one:F1} times file with one, {100 * many / memory:F0} % of memory with {Many}");
        Print($"medians: file is {many / sqlite:F1} times SQLite with {Many} clients; {commits:F1} commits a sync");
        return 0;
    }

    private static async Task<(double Turns, double Commits)> MeasureAsync(Func<string, IStateStore> open, int count, bool isFirst)
    {
        string folder = Directory.CreateTempSubdirectory("iris-bench-").FullName;
        try
        {
            await using IStateStore store = open(folder);
            await using RestChannel channel = new(HostAdapter.Create(EchoBench.RunAsync, "bench"), new RestChannelOptions { Store = store });
            Uri url = await channel.ListenAsync();
            using SyncCounter syncs = new();
            using CancellationTokenSource stop = new();
            LoadClient[] clients = [.. Enumerable.Range(0, count).Select(_ => new LoadClient(url))];
            Task running = Task.WhenAll(clients.Select(client => Task.Run(() => client.RunAsync(stop.Token))));
            await Task.WhenAny(running, Task.Delay(isFirst ? 4 * Warm : Warm));
            (long turnsBefore, long syncsBefore, long at) = (clients.Sum(c => c.Turns), syncs.Count, Stopwatch.GetTimestamp());
            await Task.WhenAny(running, Task.Delay(Measured));
            (long turns, long synced, TimeSpan time) =
                (clients.Sum(c => c.Turns) - turnsBefore, syncs.Count - syncsBefore, Stopwatch.GetElapsedTime(at));
            await stop.CancelAsync();
            try
            {
                await running;
            }
            catch (OperationCanceledException)
            {
                // As asked.
            }

            return (turns / time.TotalSeconds, synced == 0 ? 0 : (double)turns / synced);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));

    /// <summary>Counts what the store says of its syncs.</summary>
    private sealed class SyncCounter : IDisposable
    {
        private readonly MeterListener _listener = new();
        private long _count;

        public SyncCounter()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument is { Meter.Name: "Iris.Net", Name: "iris.store.syncs" })
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref _count, value));
            _listener.Start();
        }

        public long Count => Interlocked.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}
