using System.Text;
using Iris.Net.Endpoints;

namespace Iris.Net.Tests.Endpoints;

public sealed class IdempotencyKeyFieldTests
{
    [TestCase("a", "a")]
    [TestCase("\"a\"", "a")]
    [TestCase("!~", "!~")]
    [TestCase("a,b", "a,b")]
    [TestCase("a\"b", "a\"b")]
    [TestCase("a\\b", "a\\b", TestName = "A bare key has no escapes")]
    [TestCase("\"a\\\"b\\\\c\"", "a\"b\\c")]
    [TestCase("\"\\\\\"", "\\")]
    public void A_key_is_read(string value, string key)
    {
        Assert.That(IdempotencyKeyField.TryParse(Encoding.Latin1.GetBytes(value), out string? read));
        Assert.That(read, Is.EqualTo(key));
    }

    [TestCase("")]
    [TestCase("\"")]
    [TestCase("\"\"")]
    [TestCase("\"a")]
    [TestCase("\"a\\\"", TestName = "A quote that is escaped closes nothing")]
    [TestCase("\"a\"b\"")]
    [TestCase("\"a\\b\"")]
    [TestCase("\"a\";p=1")]
    [TestCase("a b")]
    [TestCase("\"a b\"")]
    [TestCase("a, b")]
    [TestCase("a\tb")]
    [TestCase("a\u0001")]
    [TestCase("a\u007f")]
    [TestCase("\u00e4")]
    [TestCase("\u0080")]
    public void What_is_no_key_is_refused(string value)
    {
        Assert.That(IdempotencyKeyField.TryParse(Encoding.Latin1.GetBytes(value), out string? read), Is.False);
        Assert.That(read, Is.Null);
    }

    [TestCase(255, true)]
    [TestCase(256, false)]
    public void A_key_has_255_characters_at_most(int length, bool isKey)
    {
        string key = new('x', length - 1);
        Assert.That(IdempotencyKeyField.TryParse(Encoding.Latin1.GetBytes(key + "y"), out _), Is.EqualTo(isKey));
        Assert.That(IdempotencyKeyField.TryParse(Encoding.Latin1.GetBytes($"\"{key}\\\"\""), out _), Is.EqualTo(isKey));
    }
}
