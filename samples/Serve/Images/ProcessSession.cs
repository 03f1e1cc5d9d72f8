using System.Globalization;
using System.Runtime.InteropServices;

namespace Iris.Serve.Images;

/// <summary>All processes that one image process brought forth: those of its session, and those that left the session but
/// kept the mark in their environment. Found in /proc, signalled through libc.</summary>
internal static partial class ProcessSession
{
    public const int SigTerm = 15;
    public const int SigKill = 9;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Signals the process group that the leader heads; the leader alone where it does not head one yet.</summary>
    public static void Signal(int leader, int signal)
    {
        if (Kill(-leader, signal) != 0)
            Kill(leader, signal);
    }

    /// <summary>Kills every process of the session until none is left, for 5 s at most (one that hangs in the kernel
    /// cannot be killed).</summary>
    /// <returns>False where some are left.</returns>
    public static async Task<bool> KillAllAsync(int leader, ReadOnlyMemory<byte> mark)
    {
        long start = Environment.TickCount64;
        for (int pause = 1; ; pause = Math.Min(2 * pause, 50))
        {
            List<int> members = Members(leader, mark.Span);
            if (members.Count == 0)
                return true;
            if (Environment.TickCount64 - start > Patience.TotalMilliseconds)
                return false;
            foreach (int member in members)
                Kill(member, SigKill);
            await Task.Delay(pause);
        }
    }

    private static List<int> Members(int leader, ReadOnlySpan<byte> mark)
    {
        var members = new List<int>();
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                && IsMember(folder, leader, mark))
                members.Add(id);
        }

        return members;
    }

    private static bool IsMember(string folder, int leader, ReadOnlySpan<byte> mark)
    {
        try
        {
            // "PID (NAME) STATE PARENT GROUP SESSION …": the name may hold blanks and brackets
            string stat = File.ReadAllText(folder + "/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 5);
            return fields[0] is not ("Z" or "X")
                && (fields[3] == leader.ToString(CultureInfo.InvariantCulture)
                    || File.ReadAllBytes(folder + "/environ").AsSpan().IndexOf(mark) >= 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;   // gone meanwhile, or another user's
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
