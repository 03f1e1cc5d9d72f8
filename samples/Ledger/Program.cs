using System.Globalization;
using System.Text;
using System.Text.Json;
using Iris.Ledger;
using Iris.Net;

// Books each message in a file outside of the store, twice over: a debit and a credit, each a durable step. Whenever the process is
// killed, what the journal has as done is not done again.
if (args is not [string data, string path, .. string[] rest] || rest.Length > 1)
{
    Console.Error.WriteLine("usage: ledger DATA-DIRECTORY LEDGER-FILE [PORT]");
    return 2;
}

int port = rest is [string given] ? int.Parse(given, CultureInfo.InvariantCulture) : 0;
await using FileStream ledger = new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
using SemaphoreSlim gate = new(1, 1);
await using FileStateStore store = new(data, new FileStoreOptions { Log = Console.Error.WriteLine });
await using RestChannel channel = new(HostAdapter.Create(RunAsync), new RestChannelOptions { Store = store, Port = port });
Console.WriteLine(await channel.ListenAsync());
await Task.Delay(Timeout.Infinite);
return 0;

async ValueTask<TurnOutcome> RunAsync(TurnContext turn, CancellationToken cancel)
{
    long count = (turn.State?.GetInt64() ?? 0) + 1;
    foreach (string entry in (string[])["debit", "credit"])
        await turn.StepAsync(
            entry, (step, ct) => BookAsync($"{step.IdempotencyKey} {turn.SessionId} {count} {entry}\n", ct), LedgerJson.Default.Int64,
            cancel: cancel);
    JsonElement counted = JsonSerializer.SerializeToElement(count, LedgerJson.Default.Int64);
    return TurnOutcome.Finished(output: counted, state: counted);
}

async ValueTask<long> BookAsync(string line, CancellationToken cancel)
{
    await gate.WaitAsync(cancel);
    try
    {
        ledger.Write(Encoding.UTF8.GetBytes(line));
        ledger.Flush();
        return ledger.Length;
    }
    finally
    {
        gate.Release();
    }
}
