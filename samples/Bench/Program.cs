using System.Globalization;
using System.Runtime.InteropServices;
using Iris.Bench;
using Iris.Bench.Durable;
using Iris.Net;

if (args is ["durable"])
    return await DurableRun.RunAsync();
if (args is not [string given] || !int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out int port))
{
    Console.Error.WriteLine("usage: Bench PORT | Bench durable");
    return 2;
}

await using var channel = new RestChannel(HostAdapter.Create(EchoBench.RunAsync, "bench"), new RestChannelOptions { Port = port });
Console.WriteLine(await channel.ListenAsync());
var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
await stopped.Task;
return 0;

void Stop(PosixSignalContext signal) => signal.Cancel = stopped.TrySetResult();
