using System.Globalization;
using System.Runtime.InteropServices;

namespace Iris.Serve.Images;

/// <summary>All processes that one image process brought forth: those of its session, and those that left the session but
/// kept the mark in their environment. Found in /proc, signalled through libc.</summary>
internal static partial class ProcessSession
{
    public const int SigTerm = 15;
    public const int SigKill = 9;

    private const uint KernelThread = 0x00200000;   // PF_KTHREAD

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Whoever has no environment for longer than that was started without one.
    private static readonly TimeSpan LongestExec = TimeSpan.FromMilliseconds(250);

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
            List<int> members = Members(leader, mark.Span, out bool isSure);
            long passed = Environment.TickCount64 - start;
            if (members.Count == 0 && (isSure || passed > LongestExec.TotalMilliseconds))
                return true;
            if (passed > Patience.TotalMilliseconds)
                return false;
            foreach (int member in members)
                Kill(member, SigKill);
            await Task.Delay(pause);
        }
    }

    private static List<int> Members(int leader, ReadOnlySpan<byte> mark, out bool isSure)
    {
        isSure = true;
        var members = new List<int>();
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                continue;
            bool? isMember = IsMember(folder, leader, mark);
            isSure &= isMember is not null;
            if (isMember == true)
                members.Add(id);
        }

        return members;
    }

    // Null in the middle of an exec, when a process has no environment to be known by.
    private static bool? IsMember(string folder, int leader, ReadOnlySpan<byte> mark)
    {
        try
        {
            // "PID (NAME) STATE PARENT GROUP SESSION TTY TPGID FLAGS …": the name may hold blanks and brackets
            string stat = File.ReadAllText(folder + "/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 8);
            if (fields[0] is "Z" or "X" || (uint.Parse(fields[6], CultureInfo.InvariantCulture) & KernelThread) != 0)
                return false;
            if (fields[3] == leader.ToString(CultureInfo.InvariantCulture))
                return true;
            byte[] environment = File.ReadAllBytes(folder + "/environ");
            return environment.Length == 0 ? null : environment.AsSpan().IndexOf(mark) >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;   // gone meanwhile, or another user's
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
