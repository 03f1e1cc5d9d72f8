using System.Text.RegularExpressions;

namespace Iris.Net.Tests.Architecture;

public sealed partial class FloorTests
{
    private const string Root = "Iris.Net";
    private static readonly string Assembly = typeof(TurnContext).Assembly.Location;
    private static readonly Dictionary<string, SortedSet<string>> Folders = SourceFolders.Read(Assembly, Root);
    private static readonly FloorCheck Check = new(Root, type => Folders[type].FirstOrDefault("") ?? "");

    [Test]
    public void No_floor_uses_what_stands_above_it() =>
        Assert.That(Check.Violations(MentionReader.Read(Assembly)), Is.Empty);

    [Test]
    public void The_table_of_floors_has_no_circle()
    {
        // A floor may use only floors that are settled already: what is left over stands in a circle.
        HashSet<string> settled = [];
        while (Floors.All.FirstOrDefault(f => !settled.Contains(f.Name) && f.Uses.All(settled.Contains)) is { } next)
            settled.Add(next.Name);
        Assert.That(Floors.All.Select(floor => floor.Name).Except(settled), Is.Empty);
    }

    [Test]
    public void A_type_stands_in_the_folder_of_its_namespace()
    {
        // The root namespace is open to every floor: a first program needs one using.
        IEnumerable<string> strangers =
            from pair in Folders
            let type = pair.Key
            let space = type.LastIndexOf('.') is int dot and >= 0 ? type[..dot] : ""
            where space.StartsWith(Root + ".", StringComparison.Ordinal)
            from folder in pair.Value
            where folder.Replace('/', '.') != space[(Root.Length + 1)..]
            select $"{type} stands in folder '{folder}'";
        Assert.That(strangers, Is.Empty);
    }

    [Test]
    public void Every_type_of_the_root_namespace_has_a_floor() => Assert.That(
        from pair in Folders
        where pair.Key.StartsWith(Root + ".", StringComparison.Ordinal) && pair.Value.Count != 1
        select $"{pair.Key} stands in folders '{string.Join("', '", pair.Value)}'",
        Is.Empty);

    [Test]
    public void The_reader_sees_the_arrows_that_there_are() => Assert.That(
        MentionReader.Read(Assembly).Select(mention => mention.Type),
        Is.SupersetOf(["System.Threading.Tasks.ValueTask`1", "System.Text.Json.JsonElement"]));

    [Test]
    public void The_transport_does_not_know_the_protocol_it_carries()
    {
        string folder = Path.Combine(Repository.Library, "Transport");
        string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories) : [];
        Assert.That(
            from file in files
            from line in File.ReadLines(file)
            where ProtocolsName().IsMatch(line)
            select $"{Path.GetFileName(file)}: {line.Trim()}",
            Is.Empty);
    }

    [TestCase("// one HTTP request", ExpectedResult = true)]
    [TestCase("private readonly HttpParser _parser;", ExpectedResult = true)]
    [TestCase("\"https://\"", ExpectedResult = true)]
    [TestCase("// one socket", ExpectedResult = false)]
    public bool The_protocols_name_is_found_in(string line) => ProtocolsName().IsMatch(line);

    [GeneratedRegex("http", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ProtocolsName();
}
