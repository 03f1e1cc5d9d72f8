using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Iris.Net.Tests.Serve;

/// <summary>The iris program as a process of its own, and a client that talks to the URL it printed.</summary>
internal sealed partial class IrisServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    private IrisServer(Process process)
    {
        _process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
                _errors.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
    }

    public HttpClient Client { get; } = new() { Timeout = Patience };

    public string ListeningLine { get; private set; } = "";

    public int ProcessId => _process.Id;

    /// <summary>What it wrote to standard error so far.</summary>
    public string Log
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    /// <summary>Runs iris to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using Process process = StartProcess(arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Patience);
        return (process.ExitCode, await output, await errors);
    }

    /// <summary>Starts <c>iris serve</c> on a free port, and waits for its line.</summary>
    public static Task<IrisServer> StartAsync(params string[] arguments) => StartAsync(null, arguments);

    /// <summary>The same with so many descriptors at most.</summary>
    public static async Task<IrisServer> StartAsync(int? descriptors, params string[] arguments)
    {
        string[] store = arguments.Contains("--data") || arguments.Contains("--memory") ? [] : ["--memory"];
        var server = new IrisServer(StartProcess(["serve", .. arguments, "--port", "0", .. store], descriptors));
        server.ListeningLine = await server._process.StandardOutput.ReadLineAsync().WaitAsync(Patience) ?? "";
        Match url = UrlPattern().Match(server.ListeningLine);
        Assert.That(url.Success, Is.True, $"'{server.ListeningLine}' {server.Log}");
        server.Client.BaseAddress = new Uri(url.Value);
        return server;
    }

    /// <summary>Runs a turn; a session and its token continue that session.</summary>
    public async Task<TurnReply> TurnAsync(object? body, TurnReply? after = null)
    {
        var json = JsonSerializer.SerializeToNode(body);
        if (after is not null)
            json!["continuationToken"] = after.Token;
        using var content = new StringContent(json?.ToJsonString() ?? "null", Encoding.UTF8, "application/json");
        using HttpResponseMessage reply = await Client.PostAsync(
            after is null ? "v1/session" : $"v1/session/{after.SessionId}/message", content);
        string text = await reply.Content.ReadAsStringAsync();
        return new TurnReply(reply.StatusCode, JsonElement.Parse(text), text);
    }

    /// <summary>Runs a turn and returns its event stream whole.</summary>
    public async Task<string> StreamAsync(object body)
    {
        using var content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using HttpResponseMessage reply = await Client.PostAsync("v1/session?stream=1", content);
        Assert.That(reply.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        return await reply.Content.ReadAsStringAsync();
    }

    public void Signal(int signal) => SignalTo(_process.Id, signal);

    public static void SignalTo(int process, int signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal.ToString(CultureInfo.InvariantCulture)}", $"{process}"]);
        kill.WaitForExit();
    }

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static Process StartProcess(IEnumerable<string> arguments, int? descriptors = null)
    {
        string program = Path.Combine(TestContext.CurrentContext.TestDirectory, "iris.dll");
        string[] limit = descriptors is null ? [] : ["-c", $"ulimit -n {descriptors}; exec \"$@\"", "sh", "dotnet"];
        var start = new ProcessStartInfo(descriptors is null ? "dotnet" : "sh")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (string argument in (IEnumerable<string>)[.. limit, "exec", program, .. arguments])
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    [GeneratedRegex("https?://[^ ]+")]
    private static partial Regex UrlPattern();
}

/// <summary>The reply to a turn: buffered, or what the last event said.</summary>
internal sealed record TurnReply(HttpStatusCode Status, JsonElement Json, string Text)
{
    public string SessionId => Json.GetProperty("sessionId").GetString()!;

    public string Token => Json.GetProperty("continuationToken").GetString()!;

    public JsonElement Output => Json.GetProperty("output");
}
