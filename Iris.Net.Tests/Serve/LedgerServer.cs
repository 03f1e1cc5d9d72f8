using System.Diagnostics;
using System.Text;

namespace Iris.Net.Tests.Serve;

/// <summary>The ledger program as a process of its own, killed and started again over one directory.</summary>
internal sealed class LedgerServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _data = System.IO.Directory.CreateTempSubdirectory("iris-ledger-").FullName;
    private readonly StringBuilder _errors = new();
    private TaskCompletionSource<Uri> _url = New();
    private Process? _process;

    /// <summary>The store; within the server's directory where no test says otherwise.</summary>
    public string Data { get => field ?? Path.Combine(_data, "data"); init; }

    /// <summary>A directory of its own, gone when the test ends.</summary>
    public string Directory => _data;

    public int ProcessId => _process!.Id;

    /// <summary>What it wrote to standard error so far.</summary>
    public string Log
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    /// <summary>The file outside.</summary>
    public string Ledger => Path.Combine(_data, "ledger.txt");

    /// <summary>Where it listens, once it does.</summary>
    public Task<Uri> UrlAsync(CancellationToken cancel) => Volatile.Read(ref _url).Task.WaitAsync(cancel);

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";   // a killed process would leave its socket behind
        foreach (string argument in (string[])["exec", Path.Combine(TestContext.CurrentContext.TestDirectory, "ledger.dll"), Data, Ledger])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
                _errors.AppendLine(line.Data);
        };
        _process.BeginErrorReadLine();
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        Assert.That(line, Does.StartWith("http"), Log);
        Volatile.Read(ref _url).SetResult(new Uri(line!));
    }

    /// <summary>SIGKILL, and the end of the process.</summary>
    public async Task KillAsync()
    {
        Volatile.Write(ref _url, New());
        _process!.Kill();
        await _process.WaitForExitAsync().WaitAsync(Patience);
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await KillAsync();
        System.IO.Directory.Delete(_data, recursive: true);
    }

    private static TaskCompletionSource<Uri> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
