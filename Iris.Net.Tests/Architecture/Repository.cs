namespace Iris.Net.Tests.Architecture;

/// <summary>Where the sources stand, seen from the tests' own build output.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Library => Path.Combine(Root, "Iris.Net");

    private static string Find()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "IrisRest.sln")))
                return at.FullName;
        }

        throw new DirectoryNotFoundException($"No IrisRest.sln above {AppContext.BaseDirectory}.");
    }
}
