using System.IO.Compression;
using System.Xml.Linq;

namespace Iris.Net.Tests.Architecture;

public sealed class PackageTests
{
    [Test]
    public void The_project_names_no_package()
    {
        XDocument project = XDocument.Load(Path.Combine(Repository.Library, "Iris.Net.csproj"));
        Assert.That(
            project.Descendants().Select(element => element.Name.LocalName),
            Has.None.EqualTo("PackageReference").And.None.EqualTo("ProjectReference").And.None.EqualTo("FrameworkReference"));
    }

    [Test]
    public void Properties_that_every_project_shares_name_no_package() => Assert.That(
        from file in Directory.GetFiles(Repository.Root, "Directory.*.*")
        from element in XDocument.Load(file).Descendants()
        where element.Name.LocalName is "PackageReference" or "GlobalPackageReference"
        select $"{Path.GetFileName(file)}: {element}",
        Is.Empty);

    [Test]
    public void The_assembly_needs_the_base_class_library_alone()
    {
        string shared = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        Assert.That(
            typeof(TurnContext).Assembly.GetReferencedAssemblies().Select(name => name.Name)
                .Where(name => !File.Exists(Path.Combine(shared, name + ".dll"))),
            Is.Empty);
    }

    /// <summary>The package that <c>dotnet pack</c> made stands at the path in IRIS_PACKAGE.</summary>
    [Test]
    [Category("Package")]
    public void The_package_depends_on_nothing_and_holds_what_a_user_needs()
    {
        if (Environment.GetEnvironmentVariable("IRIS_PACKAGE") is not { Length: > 0 } path)
        {
            Assert.Ignore("IRIS_PACKAGE names no package.");
            return;
        }

        using ZipArchive package = ZipFile.OpenRead(path);
        string[] parts = package.Entries.Select(entry => entry.FullName)
            .Where(name => name is not ("[Content_Types].xml" or "_rels/.rels") && !name.StartsWith("package/", StringComparison.Ordinal))
            .ToArray();
        using Stream stream = package.GetEntry("Iris.Net.nuspec")!.Open();
        XElement metadata = XDocument.Load(stream).Root!.Elements().Single();
        XElement? dependencies = metadata.Elements().SingleOrDefault(element => element.Name.LocalName == "dependencies");
        Assert.Multiple(() =>
        {
            Assert.That(
                parts,
                Is.EquivalentTo(["Iris.Net.nuspec", "lib/net10.0/Iris.Net.dll", "lib/net10.0/Iris.Net.xml", "README.md"]));
            Assert.That(dependencies?.Elements().Select(group => (string?)group.Attribute("targetFramework")), Is.EqualTo(["net10.0"]));
            Assert.That(dependencies?.Descendants().Where(element => element.Name.LocalName == "dependency"), Is.Empty);
            Assert.That(metadata.Descendants().Select(element => element.Name.LocalName), Has.None.EqualTo("frameworkReference"));
            Assert.That(metadata.Elements().Single(element => element.Name.LocalName == "license").Value, Is.EqualTo("MIT"));
        });
    }
}
