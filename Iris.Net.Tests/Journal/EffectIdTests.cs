using Iris.Net.Journal;

namespace Iris.Net.Tests.Journal;

public sealed class EffectIdTests
{
    [TestCase("fare", 0, "fare:0")]
    [TestCase("a:b", 12, "a:b:12")]
    [TestCase(":", 3, "::3")]
    [TestCase("a:1", long.MaxValue, "a:1:9223372036854775807")]
    public void NamesWithColonsComeBackWhole(string name, long seq, string id)
    {
        Assert.That(EffectId.Format(name, seq), Is.EqualTo(id));
        Assert.That(EffectId.NameOf(id), Is.EqualTo(name));
    }
}
