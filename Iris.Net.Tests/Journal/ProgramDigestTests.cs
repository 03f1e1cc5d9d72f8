using Iris.Net.Journal;

namespace Iris.Net.Tests.Journal;

public sealed class ProgramDigestTests
{
    [TestCase("program", "1", "a15d00e74a04f3eb")]
    [TestCase("", "", "01ba4719c80b6fe9")]   // of one LF
    public void ItIsSixteenDigitsOfNameAndVersion(string name, string version, string digest) =>
        Assert.That(ProgramDigest.Of(name, version), Is.EqualTo(digest));

    [Test]
    public void NameAndVersionCount() =>
        Assert.That(new[] { ProgramDigest.Of("a", "1"), ProgramDigest.Of("a", "2"), ProgramDigest.Of("b", "1"), ProgramDigest.Of("a1", "") }, Is.Unique);
}
