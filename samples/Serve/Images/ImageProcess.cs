using System.Diagnostics;
using System.Globalization;
using System.Text;
using Iris.Net;

namespace Iris.Serve.Images;

/// <summary>One process of an image, and whatever it starts: a session of its own, which ends with its leader.</summary>
internal sealed class ImageProcess
{
    /// <summary>How long a process has to end by itself: after SIGTERM, and after the end of its input.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>The most bytes of a line that a program writes; a longer one is none of the protocol's.</summary>
    public const int LongestLine = 16 * 1024 * 1024;

    private const int LongestLogLine = 8 * 1024;

    // The program runs only once the keeper knows its session: the shell waits for a line, which read(1) takes byte by byte.
    private const string Script = "read -r go && exec \"$@\"";

    private readonly Process _process;
    private readonly byte[] _mark;
    private readonly ProcessKeeper _keeper;
    private readonly Action<string> _log;
    private readonly CancellationTokenSource _reading = new();
    private readonly LineReader _output;
    private readonly Task _errorsLogged;
    private Task<byte[]?> _nextLine;
    private Task _written = Task.CompletedTask;

    private ImageProcess(Process process, string mark, ProcessKeeper keeper, Action<string> log)
    {
        _process = process;
        _mark = Encoding.UTF8.GetBytes($"{ProcessKeeper.MarkVariable}={mark}\0");
        _keeper = keeper;
        _log = log;
        Id = process.Id;
        _output = new LineReader(process.StandardOutput.BaseStream, LongestLine, _reading.Token);
        _nextLine = _output.ReadAsync();
        _errorsLogged = LogErrorsAsync();
        Gone = WatchAsync();
    }

    /// <summary>The process, its group and its session.</summary>
    public int Id { get; }

    /// <summary>What it exited with; null while it runs.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>Completes when no process of the session is left.</summary>
    public Task Gone { get; }

    /// <summary>True while the process lives and keeps quiet, as one does between turns.</summary>
    public bool IsIdle => !_nextLine.IsCompleted && !_process.HasExited;

    /// <summary>Starts a process of the image.</summary>
    /// <param name="image">Says what to run.</param>
    /// <param name="turn">The turn that it is started for; null for a worker that serves many.</param>
    /// <param name="keeper">Ends the session where the server cannot.</param>
    /// <param name="log">Gets the lines of its standard error.</param>
    public static ImageProcess Start(ImageManifest image, TurnContext? turn, ProcessKeeper keeper, Action<string> log)
    {
        ProcessStartInfo start = Setsid.Start(Script, image.Command);
        start.WorkingDirectory = image.Folder;
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        string mark = keeper.NewMark();
        start.Environment[ProcessKeeper.MarkVariable] = mark;
        if (turn is not null)
        {
            start.Environment["IRIS_SESSION_ID"] = turn.SessionId;
            start.Environment["IRIS_TURN"] = turn.Number.ToString(CultureInfo.InvariantCulture);
        }

        Process process = Process.Start(start)!;
        keeper.Add(process.Id);
        var started = new ImageProcess(process, mark, keeper, log);
        started.Send("go\n"u8.ToArray());
        return started;
    }

    /// <summary>The next line that the program wrote; null where it writes no more.</summary>
    public async Task<byte[]?> ReadLineAsync()
    {
        byte[]? line = await _nextLine;
        if (line is not null)
            _nextLine = _output.ReadAsync();
        return line;
    }

    /// <summary>Sends a line after those before it. Does not wait, and does not mind a program that does not listen: what
    /// the program says, or its end, is what counts.</summary>
    public void Send(byte[] line)
    {
        _written = SendAsync(_written);

        async Task SendAsync(Task before)
        {
            await before;
            try
            {
                await _process.StandardInput.BaseStream.WriteAsync(line);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // It closed its input, or is gone.
            }
        }
    }

    /// <summary>Asks the process group to end: SIGTERM.</summary>
    public void Terminate()
    {
        if (!Gone.IsCompleted)
            ProcessSession.Signal(Id, ProcessSession.SigTerm);
    }

    /// <summary>Kills the session, and returns when nothing of it is left.</summary>
    public Task KillAsync()
    {
        if (!Gone.IsCompleted)
            ProcessSession.Signal(Id, ProcessSession.SigKill);
        return Task.WhenAny(Gone, Task.Delay(Grace));
    }

    /// <summary>Ends the program's input, gives it a while to end by itself, kills what is left, and lets go of it.</summary>
    public async Task EndAsync(TimeSpan grace)
    {
        Stream input = _process.StandardInput.BaseStream;
        _ = _written.ContinueWith(_ => input.Dispose(), TaskScheduler.Default);
        if (await Task.WhenAny(Gone, Task.Delay(grace)) != Gone)
            await KillAsync();
        if (!Gone.IsCompleted)
            await _reading.CancelAsync();
        await Task.WhenAll(_nextLine, _errorsLogged);
        input.Dispose();
        _process.StandardOutput.Dispose();
        _process.StandardError.Dispose();
        if (Gone.IsCompleted)
            _process.Dispose();
    }

    private async Task WatchAsync()
    {
        await _process.WaitForExitAsync();
        ExitCode = _process.ExitCode;
        if (await ProcessSession.KillAllAsync(Id, _mark))
            _keeper.Remove(Id);
        else
            _log($"some processes of session {Id} cannot be killed");
        _reading.CancelAfter(Grace);   // somebody who left the session may still hold the other end of its pipes
    }

    private async Task LogErrorsAsync()
    {
        var errors = new LineReader(_process.StandardError.BaseStream, LongestLogLine, _reading.Token);
        while (await errors.ReadAsync() is { } line)
            _log($"[{Id}] {Encoding.UTF8.GetString(line)}");
    }
}
