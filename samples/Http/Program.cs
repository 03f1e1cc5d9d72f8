using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using Iris.Http;
using Iris.Net.Server;
using Iris.Net.Transport;

bool isDump = args.Contains("--dump"), isLarge = args.Contains("--large");
if (args.Except(["--dump", "--large"]).ToArray() is not [string given]
    || !ushort.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port))
{
    Console.Error.WriteLine("usage: Http PORT [--dump] [--large]");
    return 2;
}

Router router = new Router()
    .Map("GET", "/", Answers.GreetAsync)        // and HEAD
    .Map("POST", "/", Answers.RepeatAsync)
    .Map("OPTIONS", "/", Answers.AllowAsync)
    .Map("GET", "/echo", Answers.EchoHeadersAsync)
    .Map("POST", "/echo", Answers.EchoHeadersAsync)
    .Map("GET", "/cookie", Answers.ListCookiesAsync)
    .MapWebSocket("/ws", Answers.EchoMessagesAsync, isLarge ? Large() : null);
await using HttpServer server = new(router, new HttpServerOptions
{
    Before = isDump ? Answers.DumpAsync : null,     // answers, so that no route does
    Log = line => Console.Error.WriteLine($"{line.Level}: {line.Text}: {line.Exception}"),
});
Console.WriteLine(await server.ListenAsync(ListenEndpoint.Tcp(IPAddress.Loopback, port)));

TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
await stopped.Task;
await server.StopAsync(TimeSpan.FromSeconds(10));
return 0;

void Stop(PosixSignalContext signal) => signal.Cancel = stopped.TrySetResult();

// A ping may stand between any two fragments.
static WebSocketOptions Large() => new()
{
    MaxMessageSize = 16 * 1024 * 1024,
    MaxFragmentsPerMessage = 262_144,
    MaxControlFrames = int.MaxValue,
};
