using System.IO.Enumeration;

namespace Iris.Net.Tests.Architecture;

/// <summary>Holds the mentions of an assembly against the floors.</summary>
/// <param name="root">The namespace below which the floors stand.</param>
/// <param name="folderOf">The folder of a type that stands in the root namespace itself: such a type belongs to the floor
/// of its folder.</param>
internal sealed class FloorCheck(string root, Func<string, string> folderOf)
{
    private readonly Dictionary<string, Floor> _floors = Floors.All.ToDictionary(floor => floor.Name);

    /// <summary>The floor's name of a type of ours; null for everybody else's, and for what compilers add.</summary>
    public string? FloorOf(string type)
    {
        string space = type.LastIndexOf('.') is int dot and >= 0 ? type[..dot] : "";
        string place = space == root ? folderOf(type).Replace('/', '.')
            : space.StartsWith(root + ".", StringComparison.Ordinal) ? space[(root.Length + 1)..]
            : "?";
        return place == "?" ? null : place.Split('.')[0];
    }

    public IEnumerable<string> Violations(IEnumerable<Mention> mentions)
    {
        foreach (Mention mention in mentions)
        {
            if (FloorOf(mention.From) is not { } from)
                continue;
            if (!_floors.TryGetValue(from, out Floor? floor))
                yield return $"{mention.From} stands on the floor '{from}', which has no row in Floors.";
            else if (FloorOf(mention.Type) is { } to)
            {
                if (to != from && !floor.Uses.Contains(to))
                    yield return $"{Name(from)} may not use {Name(to)}: {mention}";
            }
            else if (Array.Find(floor.Never, pattern => Matches(pattern, mention)) is { } never)
                yield return $"{Name(from)} never contains {never}: {mention}";
        }
    }

    private static bool Matches(string pattern, Mention mention) => FileSystemName.MatchesSimpleExpression(
        pattern, pattern.Contains("::", StringComparison.Ordinal) ? $"{mention.Type}::{mention.Member}" : mention.Type, ignoreCase: false);

    private static string Name(string floor) => floor.Length == 0 ? "the face" : floor;
}
