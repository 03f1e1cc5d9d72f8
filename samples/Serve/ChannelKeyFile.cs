namespace Iris.Serve;

/// <summary>The file that holds the channel key.</summary>
internal static class ChannelKeyFile
{
    private const int Least = 32;

    /// <summary>The key alone; nothing where no file is named; null where it will not do, which was said.</summary>
    public static IReadOnlyList<ReadOnlyMemory<byte>>? TryRead(string? file)
    {
        if (file is null)
            return [];
        try
        {
            byte[] key = File.ReadAllBytes(file);
            if (key.Length >= Least)
                return [key];
            Console.Error.WriteLine($"iris: the key in {file} has {key.Length} bytes, and needs {Least}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"iris: cannot read the key: {e.Message}");
        }

        return null;
    }
}
