namespace Iris.Net.Tests.Architecture;

/// <summary>The check of the floors, seen red on every way in which an arrow can hide.</summary>
public sealed class PlantedTests
{
    private const string Root = "Iris.Net.Tests.Architecture.Planted";

    private static readonly string[] Violations = new FloorCheck(Root, _ => "Sessions")
        .Violations(MentionReader.Read(typeof(PlantedTests).Assembly.Location)).ToArray();

    [TestCase("InBase")]
    [TestCase("InInterface")]
    [TestCase("InConstraint")]
    [TestCase("InAttribute")]
    [TestCase("InField")]
    [TestCase("InReturn")]
    [TestCase("InParameter")]
    [TestCase("InGenericArgument")]
    [TestCase("InArray")]
    [TestCase("InLocal")]
    [TestCase("InCall")]
    [TestCase("InGenericCall")]
    [TestCase("InSwitch")]
    [TestCase("InTypeOf")]
    [TestCase("InCatch")]
    [TestCase("InCast")]
    [TestCase("InLambda")]
    [TestCase("InLocalFunction")]
    [TestCase("InIterator")]
    [TestCase("InNestedType")]
    public void An_arrow_that_climbs_is_seen(string type) =>
        Assert.That(Violations, Has.Some.StartsWith($"Http may not use Server: {Root}.Http.{type} "));

    [TestCase("Waits", "System.Threading.Tasks.*")]
    [TestCase("WaitsInside", "System.Threading.Tasks.*")]
    [TestCase("ReadsStream", "System.IO.*")]
    [TestCase("ReadsPipe", "System.IO.*")]
    [TestCase("OpensSocket", "System.Net.Sockets.*")]
    [TestCase("AsksTime", "System.DateTime::get_*Now")]
    [TestCase("AsksTicks", "System.Environment::get_TickCount*")]
    [TestCase("AsksProvider", "System.TimeProvider")]
    [TestCase("Measures", "System.Diagnostics.Stopwatch")]
    [TestCase("ThrowsDice", "System.Random")]
    [TestCase("MakesId", "System.Guid::NewGuid")]
    [TestCase("Logs", "System.Console")]
    public void What_a_pure_core_never_contains_is_seen(string type, string pattern) =>
        Assert.That(Violations, Has.Some.StartsWith($"Http never contains {pattern}: {Root}.Http.{type} "));

    [Test]
    public void A_type_of_the_root_namespace_is_judged_by_its_folder() =>
        Assert.That(Violations, Has.Some.StartsWith($"Sessions may not use Server: {Root}.StandsInSessions "));

    [Test]
    public void A_floor_that_nobody_planned_is_seen() =>
        Assert.That(Violations, Has.Some.StartsWith($"{Root}.Attic.Stray stands on the floor 'Attic'"));

    [TestCase("Http.Pure")]
    [TestCase("Server.Room")]
    public void What_is_allowed_is_not_a_violation(string type) =>
        Assert.That(Violations, Has.None.Contains($"{Root}.{type} "));
}
