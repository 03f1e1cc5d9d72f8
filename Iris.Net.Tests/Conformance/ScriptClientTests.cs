using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Iris.Net.Server;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Conformance;

/// <summary>The WebSocket clients of Node and of Chromium hold a conversation, each driven by the same script.</summary>
[NonParallelizable]
public sealed class ScriptClientTests
{
    private const int Turns = 100;

    private const string Script =
        """
        async function converse(url, turns) {
          const socket = new WebSocket(url);
          await new Promise((done, fail) => {
            socket.onopen = done;
            socket.onerror = () => fail(new Error('refused'));
          });
          for (let turn = 1; turn <= turns; turn++) {
            let text = '';
            const output = await new Promise((done, fail) => {
              socket.onclose = close => fail(new Error(`closed with ${close.code}`));
              socket.onmessage = message => {
                const event = JSON.parse(message.data);
                if (event.type === 'delta') text += event.text;
                if (event.type === 'error') fail(new Error(message.data));
                if (event.type === 'outcome') done(event.output);
              };
              socket.send(JSON.stringify({ message: `a ${turn}` }));
            });
            if (output !== turn || text !== `a ${turn}`) throw new Error(`turn ${turn} said ${output}, ${text}`);
          }
          const closed = new Promise(done => socket.onclose = done);
          socket.close(1000);
          return `${turns} turns, ${(await closed).code}, [${socket.extensions.split(';')[0]}]`;
        }

        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Where the clients were installed for the tests, none may be missing.
    private static readonly bool NeedsAll = Environment.GetEnvironmentVariable("IRIS_NEEDS_CLIENTS") == "1";

    [Test, Combinatorial]
    public async Task Node_holds_a_conversation([Values("", "whole", "takeover")] string compression)
    {
        if (await NodeFlagsAsync() is not { } flags)
        {
            Missing("There is no node with a WebSocket of its own.");
            return;
        }

        await using RestChannel channel = new(Program(), Options(compression));
        Uri url = await channel.ListenAsync();
        string script = $"{Script}converse('ws://{url.Authority}/v1/ws', {Turns}).then(console.log, console.log);";
        string said = await RunAsync("node", [.. flags, "-e", script]);
        // Not every version of it offers compression.
        TestContext.Out.Write(said);
        Assert.That(said.Trim(), Is.EqualTo(Expected(compression)).Or.EqualTo(Expected("")));
    }

    [Test, Platform("Linux"), Combinatorial]
    public async Task Chromium_holds_a_conversation([Values("", "whole", "takeover")] string compression)
    {
        if (Find("chromium") is not { } chromium)
        {
            Missing("There is no chromium.");
            return;
        }

        TaskCompletionSource<string> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        byte[] page = [];
        await using HttpServer site = new(new Router()
            .Map("GET", "/", (exchange, cancel) =>
            {
                exchange.Response.Headers.Add("Content-Type"u8, "text/html"u8);
                return exchange.Response.SendAsync(page.AsMemory(), cancel);
            })
            .Map("POST", "/told", async (exchange, cancel) =>
            {
                RequestBody body = await exchange.Request.ReadBodyAsync(cancel: cancel);
                told.TrySetResult(Encoding.UTF8.GetString(body.Bytes.Span));
                await exchange.Response.SendAsync(cancel: cancel);
            }));
        Uri home = await site.ListenAsync(ListenEndpoint.Tcp(IPAddress.Loopback, 0));
        await using RestChannel channel = new(Program(), Options(compression) with { AllowedOrigins = [$"http://{home.Authority}"] });
        Uri url = await channel.ListenAsync();
        page = Encoding.UTF8.GetBytes(
            $$"""
            <!doctype html><script>{{Script}}
            const tell = body => fetch('/told', { method: 'POST', body: String(body) });
            converse('ws://{{url.Authority}}/v1/ws', {{Turns}}).then(tell, tell);
            </script>
            """);
        DirectoryInfo profile = Directory.CreateTempSubdirectory("iris-chromium-");
        using Process process = Start(chromium, [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            $"--user-data-dir={profile.FullName}", home.AbsoluteUri]);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            if (await Task.WhenAny(told.Task, output, Task.Delay(Patience)) != told.Task)
                Assert.Fail($"The page told nothing. {(errors.IsCompleted ? await errors : "")}");
            Assert.That(await told.Task, Is.EqualTo(Expected(compression)));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            await errors.WaitAsync(Patience);     // its children are gone as well
            profile.Delete(recursive: true);
        }
    }

    private static string Expected(string compression) =>
        $"{Turns} turns, 1000, [{(compression.Length == 0 ? "" : "permessage-deflate")}]";

    private static RestChannelOptions Options(string compression) => new()
    {
        WebSocketCompression = compression.Length == 0
            ? null
            : new WebSocketCompression { ContextTakeover = compression == "takeover", MinMessageSize = 1 },
    };

    private static IHostAdapter Program() => HostAdapter.Create(async (turn, cancel) =>
    {
        foreach (char letter in turn.Body.GetProperty("message").GetString()!)
            await turn.DeltaAsync(letter.ToString(), cancel);
        return TurnOutcome.Finished(JsonValue.Create(turn.Number));
    });

    private static void Missing(string what)
    {
        if (NeedsAll)
            Assert.Fail(what);
        Assert.Ignore(what);
    }

    // Built in since node 22, behind a flag since 20.10.
    private static async Task<string[]?> NodeFlagsAsync()
    {
        if (Find("node") is null)
            return null;
        foreach (string[] flags in (string[][])[[], ["--experimental-websocket"]])
            if ((await RunAsync("node", [.. flags, "-e", "console.log(typeof WebSocket)"])).Trim() == "function")
                return flags;
        return null;
    }

    private static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator)
        .SelectMany(folder => (string[])[Path.Combine(folder, program), Path.Combine(folder, program + ".exe")])
        .FirstOrDefault(File.Exists);

    private static async Task<string> RunAsync(string program, IEnumerable<string> arguments)
    {
        using Process process = Start(program, arguments);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            string said = await output.WaitAsync(Patience);
            TestContext.Out.Write(await errors);
            await process.WaitForExitAsync();
            return said;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill();
        }
    }

    private static Process Start(string program, IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
