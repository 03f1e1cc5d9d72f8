using System.Reflection;

namespace Iris.Net.Tests.Architecture;

public sealed class PublicSurfaceTests
{
    /// <summary>Set to 1, the test writes the list anew; read the difference before it is committed.</summary>
    private const string Rewrite = "IRIS_WRITE_API";

    private static readonly Assembly Library = typeof(TurnContext).Assembly;
    private static readonly string List = Path.Combine(Repository.Library, "PublicApi.txt");

    [Test]
    public void What_users_can_see_is_what_the_list_says()
    {
        string surface = PublicSurface.Write(Library);
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
            File.WriteAllText(List, surface);
        string[] listed = File.ReadAllLines(List);
        string[] shown = surface.TrimEnd('\n').Split('\n');
        Assert.Multiple(() =>
        {
            Assert.That(Qualify(shown).Except(Qualify(listed)), Is.Empty, $"shown and not listed ({Rewrite}=1 writes the list)");
            Assert.That(Qualify(listed).Except(Qualify(shown)), Is.Empty, $"listed and not shown ({Rewrite}=1 writes the list)");
            Assert.That(listed, Is.EqualTo(shown), "the list's order");
        });
    }

    [TestCase("abstract class Iris.Net.TurnContext")]
    [TestCase("  abstract ValueTask DeltaAsync(string text, CancellationToken cancel = default)")]
    [TestCase("  abstract string? Principal { get; }")]
    [TestCase("  abstract JsonElement? State { get; }")]
    [TestCase("sealed record Iris.Net.StepOptions")]
    [TestCase("  string Kind { get; init; }")]
    [TestCase("readonly struct Iris.Net.JsonPayload")]
    [TestCase("  Signal = 1")]
    public void The_surface_is_written_as(string line) =>
        Assert.That(PublicSurface.Write(Library).Split('\n'), Has.Member(line));

    // A member's line says nothing without its type's.
    private static List<string> Qualify(IEnumerable<string> lines)
    {
        List<string> qualified = [];
        string type = "";
        foreach (string line in lines)
        {
            if (!line.StartsWith(' '))
                type = line;
            qualified.Add(line.StartsWith(' ') ? type + " ::" + line : line);
        }

        return qualified;
    }
}
