using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Iris.Net.Tests.Turns;

public sealed class JsonPayloadTests
{
    private static JsonElement Element(string json, JsonDocumentOptions options = default)
    {
        using JsonDocument document = JsonDocument.Parse(json, options);
        return document.RootElement.Clone();
    }

    private static string Nested(int levels) => new string('[', levels) + new string(']', levels);

    [Test]
    public void NoValueDiffersFromNull()
    {
        JsonPayload none = default;
        Assert.Multiple(() =>
        {
            Assert.That(none.HasValue, Is.False);
            Assert.That(none.Utf8.IsEmpty);
            Assert.That(none.ToString(), Is.Empty);
            Assert.That(JsonPayload.Null.HasValue);
            Assert.That(JsonPayload.Null.ToString(), Is.EqualTo("null"));
        });
    }

    [Test]
    public void AnUndefinedElementIsNoValueAndANullOneIsNull()
    {
        JsonPayload undefined = default(JsonElement), nothing = Element("null");
        Assert.That(undefined.HasValue, Is.False);
        Assert.That(nothing.ToString(), Is.EqualTo("null"));
    }

    [Test]
    public void ANullNodeIsNull()
    {
        JsonPayload payload = (JsonNode?)null;
        Assert.That(payload.ToString(), Is.EqualTo("null"));
    }

    [TestCase("""{"a":1.50,"a":2}""")]
    [TestCase("\"\\u0041\\/\"")]
    [TestCase("1E400")]
    [TestCase("[1, 2]")]
    [TestCase("\"ä😀\"")]
    [TestCase("\"\\ud800\"")]
    public void AnElementPassesThroughAsItWasWritten(string json)
    {
        JsonPayload payload = Element(json);
        Assert.That(payload.ToString(), Is.EqualTo(json));
    }

    [Test]
    public void AnElementIsItsOwnValueAndNotItsDocuments()
    {
        JsonPayload payload = Element("""{"a":{"b":[1]},"c":2}""").GetProperty("a");
        Assert.That(payload.ToString(), Is.EqualTo("""{"b":[1]}"""));
    }

    [Test]
    public void AnElementOutlivesItsDocument()
    {
        JsonPayload payload;
        using (JsonDocument document = JsonDocument.Parse("""{"a":"text"}"""))
            payload = document.RootElement;
        Assert.That(payload.ToString(), Is.EqualTo("""{"a":"text"}"""));
    }

    [Test]
    public void ANodeIsWrittenWithAsFewEscapesAsThereCanBe()
    {
        JsonPayload payload = new JsonObject { ["a"] = "<ä'>\n", ["n"] = null };
        Assert.That(payload.ToString(), Is.EqualTo("""{"a":"<ä'>\n","n":null}"""));
    }

    [Test]
    public void AValueIsSerialisedByItsContract()
    {
        JsonPayload payload = JsonPayload.From(new Fare("Kyōto", 12), FareJson.Default.Fare);
        Assert.That(payload.ToString(), Does.StartWith("{").And.Not.Contain("\n"));
        Assert.That(JsonSerializer.Deserialize(payload.Utf8.Span, FareJson.Default.Fare), Is.EqualTo(new Fare("Kyōto", 12)));
    }

    [Test]
    public void ANullValueIsSerialisedAsNull() =>
        Assert.That(JsonPayload.From(null!, FareJson.Default.Fare).ToString(), Is.EqualTo("null"));

    [TestCase("{\n  \"a\": [1,\r\n 2],\n \"b\": \" x \\n \"\n}", "{\"a\":[1,2],\"b\":\" x \\n \"}")]
    [TestCase("\r\n1\n", "1")]
    public void AValueThatCameOnSeveralLinesStandsOnOne(string json, string expected)
    {
        JsonPayload element = Element(json), parsed = JsonPayload.Parse(Encoding.UTF8.GetBytes(json));
        Assert.That(element.ToString(), Is.EqualTo(expected));
        Assert.That(parsed.ToString(), Is.EqualTo(expected));
    }

    [Test]
    public void AnIndentedContractsValueStandsOnOneLine() =>
        Assert.That(JsonPayload.From(new Fare("x", 1), IndentedJson.Default.Fare).ToString(), Is.EqualTo("""{"To":"x","Price":1}"""));

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("{")]
    [TestCase("{} {}")]
    [TestCase("1 2")]
    [TestCase("nul")]
    [TestCase("[1,]")]
    [TestCase("// x\n1")]
    [TestCase("\uFEFF{}")]
    public void ParseRefusesWhatIsNotOneValue(string json) =>
        Assert.That(() => JsonPayload.Parse(Encoding.UTF8.GetBytes(json)), Throws.InstanceOf<JsonException>());

    [TestCase(" 5 ", "5")]
    [TestCase("null", "null")]
    [TestCase("\"\"", "\"\"")]
    public void ParseTakesAnyOneValue(string json, string expected) =>
        Assert.That(JsonPayload.Parse(Encoding.UTF8.GetBytes(json)).ToString(), Is.EqualTo(expected));

    [Test]
    public void BytesThatAreNotUtf8AreRefused()
    {
        byte[] overlong = [(byte)'"', 0xC0, 0x80, (byte)'"'];
        Assert.That(() => JsonPayload.Parse(overlong), Throws.InstanceOf<JsonException>());
        using JsonDocument document = JsonDocument.Parse(overlong);
        Assert.That(() => (JsonPayload)document.RootElement, Throws.InstanceOf<JsonException>());
    }

    [TestCase("[1,/* x */2]", "[1,2]")]
    [TestCase("[1, // x\n 2]", "[1,2]")]
    [TestCase("{\"a\":[1,2,],}", "{\"a\":[1,2]}")]
    public void WhatALenientReaderLetThroughStaysOut(string json, string expected)
    {
        JsonPayload payload = Element(
            json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        Assert.That(payload.ToString(), Is.EqualTo(expected));
    }

    [Test]
    public void SixtyFourLevelsAreTakenFromEverySource()
    {
        string deepest = Nested(64);
        JsonPayload element = Element(deepest), node = JsonNode.Parse(deepest);
        Assert.That(element.ToString(), Is.EqualTo(deepest));
        Assert.That(node.ToString(), Is.EqualTo(deepest));
        Assert.That(JsonPayload.Parse(Encoding.UTF8.GetBytes(deepest)).ToString(), Is.EqualTo(deepest));
    }

    [Test]
    public void DeeperValuesAreRefusedFromEverySource()
    {
        string tooDeep = Nested(65);
        var options = new JsonDocumentOptions { MaxDepth = 500 };
        JsonElement element = Element(tooDeep, options);
        JsonNode node = JsonNode.Parse(tooDeep, documentOptions: options)!;
        Assert.That(() => JsonPayload.Parse(Encoding.UTF8.GetBytes(tooDeep)), Throws.InstanceOf<JsonException>());
        Assert.That(() => (JsonPayload)element, Throws.InstanceOf<JsonException>());
        Assert.That(() => (JsonPayload)node, Throws.InvalidOperationException);
    }
}

internal sealed record Fare(string To, int Price);

[JsonSerializable(typeof(Fare))]
internal sealed partial class FareJson : JsonSerializerContext;

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(Fare))]
internal sealed partial class IndentedJson : JsonSerializerContext;
