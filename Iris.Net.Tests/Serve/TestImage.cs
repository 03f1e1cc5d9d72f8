using System.Globalization;

namespace Iris.Net.Tests.Serve;

/// <summary>An image in a temporary folder.</summary>
internal sealed class TestImage : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>Starts of shell programs: <c>say</c> writes a line; <c>brood</c> starts a child in the session, one that leaves
    /// it, and a grandchild, and writes down who they are and its own id.</summary>
    private const string Prelude = """
        say() { printf '%s\n' "$1"; }
        brood() {
          echo $$ >> pids
          sleep 1000 & echo $! >> pids
          setsid sh -c 'echo $$ >> pids; exec sleep 1000' &
          sh -c 'sleep 1000 & echo $! >> pids; echo $$ >> pids; wait' &
          while [ "$(wc -l < pids)" -lt 5 ]; do sleep 0.01; done
        }

        """;

    private TestImage() => Folder = Directory.CreateTempSubdirectory("iris-image-").FullName;

    public string Folder { get; }

    /// <summary>An image whose program is a shell script.</summary>
    public static TestImage Shell(string script, string fields = "") => Write("sh", "agent.sh", Prelude + script, fields);

    /// <summary>An image whose program is a Python script; the test is skipped where there is no Python.</summary>
    public static TestImage Python(string script, string fields = "")
    {
        string path = Environment.GetEnvironmentVariable("PATH") ?? "";
        if (!path.Split(':').Any(folder => File.Exists(Path.Combine(folder, "python3"))))
            Assert.Ignore("there is no python3 here");
        return Write("python3", "agent.py", script, fields);
    }

    /// <summary>A folder with this manifest and nothing else.</summary>
    public static TestImage Manifest(string json)
    {
        var image = new TestImage();
        File.WriteAllText(Path.Combine(image.Folder, "iris.json"), json);
        return image;
    }

    public string Read(string file) => File.Exists(Path.Combine(Folder, file)) ? File.ReadAllText(Path.Combine(Folder, file)) : "";

    public void Put(string file) => File.WriteAllText(Path.Combine(Folder, file), "");

    /// <summary>The processes that its program wrote down.</summary>
    public int[] Pids => [.. Read("pids").Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => int.Parse(line, CultureInfo.InvariantCulture))];

    public static bool IsAlive(int process)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        foreach (int process in Pids.Where(IsAlive))
            IrisServer.SignalTo(process, 9);
        for (long start = Environment.TickCount64; ; Thread.Sleep(10))
        {
            try
            {
                Directory.Delete(Folder, recursive: true);
                return;
            }
            catch (IOException) when (Environment.TickCount64 - start < Patience.TotalMilliseconds)
            {
                // A program whose server was killed writes on until its keeper ends it.
            }
        }
    }

    private static TestImage Write(string interpreter, string file, string script, string fields)
    {
        TestImage image = Manifest($$"""{ "name": "desk", "version": "1.2.0", "command": ["{{interpreter}}", "{{file}}"]{{fields}} }""");
        File.WriteAllText(Path.Combine(image.Folder, file), script);
        return image;
    }
}
