using System.Diagnostics;

namespace Iris.Net.Tests.Serve;

/// <summary>The ledger program as a process of its own, killed and started again over one directory.</summary>
internal sealed class LedgerServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _data = Directory.CreateTempSubdirectory("iris-ledger-").FullName;
    private TaskCompletionSource<Uri> _url = New();
    private Process? _process;

    /// <summary>The store.</summary>
    public string Data => Path.Combine(_data, "data");

    /// <summary>The file outside.</summary>
    public string Ledger => Path.Combine(_data, "ledger.txt");

    /// <summary>Where it listens, once it does.</summary>
    public Task<Uri> UrlAsync(CancellationToken cancel) => Volatile.Read(ref _url).Task.WaitAsync(cancel);

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])["exec", Path.Combine(TestContext.CurrentContext.TestDirectory, "ledger.dll"), Data, Ledger])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        Assert.That(line, Does.StartWith("http"), line is null ? await _process.StandardError.ReadToEndAsync() : "");
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
        Directory.Delete(_data, recursive: true);
    }

    private static TaskCompletionSource<Uri> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
