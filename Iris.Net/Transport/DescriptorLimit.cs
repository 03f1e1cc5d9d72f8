namespace Iris.Net.Transport;

/// <summary>How many descriptors the process may have.</summary>
internal static class DescriptorLimit
{
    private const int MostConnections = 100_000;

    /// <summary>How many there are; a very large number where the system does not tell.</summary>
    public static long Count { get; } = Read();

    /// <summary>Three quarters of them, at most 100,000: the rest is for files, and for what is being closed.</summary>
    public static int ShareForConnections { get; } = (int)Math.Min(Count * 3 / 4, MostConnections);

    private static long Read()
    {
        const string limits = "/proc/self/limits", name = "Max open files";
        if (!File.Exists(limits))
            return long.MaxValue / 4;
        string? line = File.ReadLines(limits).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        string? soft = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return long.TryParse(soft, out long count) ? count : long.MaxValue / 4;
    }
}
