using System.Globalization;

namespace Iris.Net.Tests.Serve;

/// <summary>What a process uses, as the system counts it.</summary>
internal static class ProcessUse
{
    /// <summary>Bytes of memory that are resident.</summary>
    public static long ResidentBytes(int process)
    {
        string line = File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    public static int Descriptors(int process) => Directory.GetFileSystemEntries($"/proc/{process}/fd").Length;
}
