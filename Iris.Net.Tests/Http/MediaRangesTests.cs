using System.Text;
using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

public class MediaRangesTests
{
    [TestCase("a/b")]
    [TestCase("A/B")]
    [TestCase("x/y, a/b")]
    [TestCase("x/y;q=1 , a/b;q=0.1, z/z")]
    [TestCase(",, a/b ,")]
    [TestCase("a/b;p=1")]
    [TestCase("a/b ; p=1 ; Q=0.001")]
    [TestCase("a/b;q=1")]
    [TestCase("a/b;q=1.")]
    [TestCase("a/b;q=1.000")]
    [TestCase("a/b;q=0.5;ext=1")]
    [TestCase("a/b;p=\";q=0\"")]
    [TestCase("a/b;p=\"\\\";q=0\"")]
    [TestCase("a/b;p=\"x, y\";q=0.2")]
    [TestCase("a/b;;")]
    [TestCase("a/b;q=0, a/b")]
    [TestCase("a/b;qq=0")]
    public void Names(string accept) => Assert.That(Names(accept, "a/b"));

    [TestCase("")]
    [TestCase("*/*")]
    [TestCase("a/*")]
    [TestCase("a/b+c")]
    [TestCase("xa/b")]
    [TestCase("a/ b")]
    [TestCase("a/b;q=0")]
    [TestCase("a/b;q=0.")]
    [TestCase("a/b; q=0.000")]
    [TestCase("a/b;p=1;q=0")]
    [TestCase("a/b;q=")]
    [TestCase("a/b;q=2")]
    [TestCase("a/b;q=1.001")]
    [TestCase("a/b;q=0.1234")]
    [TestCase("a/b;q=-1")]
    [TestCase("a/b;q=.5")]
    [TestCase("a/b;q=\"1\"")]
    [TestCase("x/y;p=\"a/b\"")]
    [TestCase("x/y;p=\", a/b, \"")]
    [TestCase("x/y;a/b")]
    public void DoesNotName(string accept) => Assert.That(Names(accept, "a/b"), Is.False);

    private static bool Names(string accept, string type) => MediaRanges.Name(Encoding.ASCII.GetBytes(accept), Encoding.ASCII.GetBytes(type));
}
