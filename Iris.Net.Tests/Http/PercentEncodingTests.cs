using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

public class PercentEncodingTests
{
    [TestCase("", "")]
    [TestCase("abc", "abc")]
    [TestCase("a+b", "a+b")]
    [TestCase("%41%2f%2F", "A//")]
    [TestCase("%25%34%31", "%41")]
    [TestCase("%C3%A9", "\u00e9")]
    [TestCase("x%e2%82%acy", "x\u20acy")]
    [TestCase("%F0%9F%98%80", "\U0001F600")]
    [TestCase("%EF%BF%BF", "\uffff")]
    [TestCase("%00", "\0")]
    public void Decodes(string segment, string expected)
    {
        Assert.That(PercentEncoding.TryDecode(Bytes.Of(segment), out string text), Is.True);
        Assert.That(text, Is.EqualTo(expected));
    }

    [TestCase("%")]
    [TestCase("a%4")]
    [TestCase("%ZZ")]
    [TestCase("%4g")]
    [TestCase("% 41")]
    [TestCase("%+41")]
    [TestCase("%%41")]
    [TestCase("%u0041")]
    [TestCase("%FF")]
    [TestCase("%80")]
    [TestCase("%C3")]
    [TestCase("%C3%28")]
    [TestCase("%C0%80")]
    [TestCase("%C0%AF")]
    [TestCase("%E0%80%AF")]
    [TestCase("%ED%A0%80")]
    [TestCase("%F4%90%80%80")]
    [TestCase("%F0%9F%98")]
    [TestCase("\u00ff")]
    public void Refuses(string segment)
    {
        Assert.That(PercentEncoding.TryDecode(Bytes.Of(segment), out string text), Is.False);
        Assert.That(text, Is.Empty);
    }

    [Test]
    public void Every_length_is_decoded([Values(84, 85, 86, 256, 257, 5000)] int count)
    {
        string segment = string.Concat(Enumerable.Repeat("%41", count));
        Assert.That(PercentEncoding.TryDecode(Bytes.Of(segment), out string text), Is.True);
        Assert.That(text, Is.EqualTo(new string('A', count)));
    }

    [Test]
    public void What_the_platform_encodes_is_decoded([Values("a b/c?d", "\u00fc\u4e2d\U0001F600", "100%")] string text)
    {
        Assert.That(PercentEncoding.TryDecode(Bytes.Of(Uri.EscapeDataString(text)), out string decoded), Is.True);
        Assert.That(decoded, Is.EqualTo(text));
    }
}
