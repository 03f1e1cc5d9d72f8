using System.Text;

namespace Iris.Net.Tests.Turns;

public sealed class JsonWhiteSpaceTests
{
    [TestCase("{}", "{}")]
    [TestCase(" \t\r\n{ \"a\" :\t1 ,\r\n\"b\" : [ true , null ] } ", "{\"a\":1,\"b\":[true,null]}")]
    [TestCase("\" a \"", "\" a \"")]
    [TestCase("\"\\\" \\\\\" ", "\"\\\" \\\\\"")]
    [TestCase("[ \"\\\\\" , \"x y\" ]", "[\"\\\\\",\"x y\"]")]
    [TestCase("{ \"a \\\" b\" : \" \\\\\\\" \" }", "{\"a \\\" b\":\" \\\\\\\" \"}")]
    [TestCase("\"\u00A0\u2028\"", "\"\u00A0\u2028\"")]
    [TestCase("", "")]
    [TestCase(" \n", "")]
    public void StringsKeepTheirsAndTokensLoseIt(string json, string expected) =>
        Assert.That(Encoding.UTF8.GetString(JsonWhiteSpace.Remove(Encoding.UTF8.GetBytes(json))), Is.EqualTo(expected));
}
