using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Iris.Net.Tests.Serve;

/// <summary>Lets system calls of a running server fail, and knows what it wrote and synced meanwhile: strace(1), attached.</summary>
internal sealed partial class DiskTrace : IAsyncDisposable
{
    private const int Segments = 400;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly string _file;

    private DiskTrace(Process process, string file) => (_process, _file) = (process, file);

    /// <param name="server">It, running.</param>
    /// <param name="inject">Which call fails, how, and when.</param>
    public static async Task<DiskTrace> AttachAsync(LedgerServer server, string inject)
    {
        if (!OperatingSystem.IsLinux() || !File.Exists("/usr/bin/strace"))
            Assert.Ignore("strace is missing");
        string file = Path.Combine(server.Directory, "strace.log");
        ProcessStartInfo start = new("strace") { RedirectStandardError = true };
        foreach (string argument in (string[])[
            "-f", "-y", "-s", "0", "-o", file, "-e", "trace=fsync,fdatasync,write,pwrite64", "-e", $"inject={inject}",
            .. Enumerable.Range(1, Segments).SelectMany(number => Names(server.Data, number)), "-P", server.Data, "-p", $"{server.ProcessId}"])
            start.ArgumentList.Add(argument);
        Process process = Process.Start(start)!;
        string? line = await process.StandardError.ReadLineAsync().WaitAsync(Patience);
        if (line is null || !line.Contains("attached", StringComparison.Ordinal))
            Assert.Ignore($"strace cannot attach: {line}");
        _ = process.StandardError.ReadToEndAsync();   // never holds it up
        return new DiskTrace(process, file);
    }

    /// <summary>Lets the server go on alone.</summary>
    public async Task DetachAsync()
    {
        IrisServer.SignalTo(_process.Id, 2);
        await EndAsync();
    }

    /// <summary>Waits for the end of the server, which was killed.</summary>
    public Task EndAsync() => _process.WaitForExitAsync().WaitAsync(Patience);

    /// <summary>The calls, in their order.</summary>
    public List<DiskCall> Calls()
    {
        List<DiskCall> calls = [];
        Dictionary<string, string> unfinished = [];
        foreach (string line in File.ReadLines(_file))
        {
            string thread = line[..line.IndexOf(' ')], text = line;
            if (line.EndsWith(" <unfinished ...>", StringComparison.Ordinal))
            {
                unfinished[thread] = line[..^" <unfinished ...>".Length];
                continue;
            }

            if (Resumed().Match(line) is { Success: true } resumed && unfinished.Remove(thread, out string? begun))
                text = begun + line[(resumed.Index + resumed.Length)..];
            if (Call().Match(text) is not { Success: true } call)
                continue;
            string[] arguments = call.Groups["rest"].Value.Split(", ", StringSplitOptions.RemoveEmptyEntries);
            long offset = call.Groups["call"].Value == "pwrite64" ? long.Parse(arguments[^1], CultureInfo.InvariantCulture) : 0;
            calls.Add(new DiskCall(
                thread, call.Groups["call"].Value, call.Groups["path"].Value, offset, long.Parse(call.Groups["result"].Value, CultureInfo.InvariantCulture)));
        }

        return calls;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await DetachAsync();
        _process.Dispose();
    }

    private static IEnumerable<string> Names(string data, int number)
    {
        string name = Path.Combine(data, $"segment-{number:D10}.iris");
        return ["-P", name, "-P", name + ".new"];
    }

    [GeneratedRegex(@"<\.\.\. \w+ resumed>")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"^\d+ +(?<call>\w+)\(\d+<(?<path>[^>]*)>(?<rest>.*)\) += (?<result>-?\d+)")]
    private static partial Regex Call();
}

/// <summary>What a server asked of a file.</summary>
internal sealed record DiskCall(string Thread, string Name, string Path, long Offset, long Result)
{
    public bool IsSync => Name is "fsync" or "fdatasync";

    public bool Failed => Result < 0;

    /// <summary>Its file's, also while that has not its final name.</summary>
    public string File => System.IO.Path.GetFileName(Path).Replace(".new", "", StringComparison.Ordinal);
}
