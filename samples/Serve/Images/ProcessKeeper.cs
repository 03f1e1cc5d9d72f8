using System.Diagnostics;
using System.Globalization;

namespace Iris.Serve.Images;

/// <summary>A small process beside the server that ends the image processes when the server cannot: its standard input is a
/// pipe that only the server holds, and ends with the server however that ends.</summary>
internal sealed class ProcessKeeper : IDisposable
{
    /// <summary>The variable that marks every process of an image.</summary>
    public const string MarkVariable = "IRIS_IMAGE_PROCESS";

    // Told "+ ID" and "- ID" of sessions; at the end of its input it kills what is left, until a look finds nothing.
    private const string Script = """
        trap '' HUP INT TERM; exec >/dev/null 2>&1; cd /
        sessions=' '
        while read -r change id; do
          case $change in
            +) sessions="$sessions$id " ;;
            -) sessions="${sessions%% $id *} ${sessions#* $id }" ;;
          esac
        done
        mark=$1 looks=0
        while [ $looks -lt 600 ]; do
          left=$(grep -lsF "$mark" /proc/[0-9]*/environ | tr -dc '0-9\n')
          for stat in /proc/[0-9]*/stat; do
            read -r line < "$stat" || continue
            id=${stat#/proc/}; id=${id%/stat}
            set -- ${line##*) }
            case $1 in Z|X) continue ;; esac
            case $sessions in
              *" $4 "*) left="$left $id" ;;
            esac
          done
          [ -n "$left" ] || exit 0
          kill -9 $left
          looks=$((looks + 1)); sleep 0.1
        done
        """;

    private readonly string _run = $"{Environment.ProcessId}-{Guid.NewGuid():N}";
    private readonly Lock _writing = new();
    private readonly HashSet<int> _sessions = [];
    private Process? _process;
    private long _marks;

    /// <summary>A value of <see cref="MarkVariable"/> that no other process has.</summary>
    public string NewMark() => $"{_run}-{Interlocked.Increment(ref _marks)}";

    /// <summary>From when this returned, the session does not outlive the server.</summary>
    public void Add(int session)
    {
        lock (_writing)
        {
            _sessions.Add(session);
            Tell('+', session);
        }
    }

    /// <summary>The session has no process any more.</summary>
    public void Remove(int session)
    {
        lock (_writing)
        {
            if (_sessions.Remove(session))
                Tell('-', session);
        }
    }

    /// <summary>Ends the keeper, and with it every session that is still there.</summary>
    public void Dispose()
    {
        lock (_writing)
        {
            _process?.StandardInput.Dispose();
            _process?.Dispose();
        }
    }

    private void Tell(char change, int session)
    {
        try
        {
            if (_process is { } running)
                Write(running, change, session);
            else
                Start();
        }
        catch (IOException)
        {
            Start();   // somebody ended it
        }
    }

    private void Start()
    {
        _process?.Dispose();
        ProcessStartInfo start = Setsid.Start(Script, $"{MarkVariable}={_run}-");
        start.RedirectStandardInput = true;
        _process = Process.Start(start)!;
        foreach (int session in _sessions)
            Write(_process, '+', session);
    }

    private static void Write(Process keeper, char change, int session)
    {
        keeper.StandardInput.Write(string.Create(CultureInfo.InvariantCulture, $"{change} {session}\n"));
        keeper.StandardInput.Flush();
    }
}
