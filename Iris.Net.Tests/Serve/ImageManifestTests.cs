using Iris.Serve.Images;

namespace Iris.Net.Tests.Serve;

internal sealed class ImageManifestTests
{
    [Test]
    public void Reads_every_field()
    {
        using TestImage image = TestImage.Manifest("""
            { "name": "fare-desk", "version": "1.2.0", "command": ["python3", "agent.py"], "workers": 2,
              "capabilities": { "websockets": false }, "turnTimeoutSeconds": 120 }
            """);
        ImageManifest read = ImageManifest.Read(image.Folder);
        Assert.Multiple(() =>
        {
            Assert.That(read.Name, Is.EqualTo("fare-desk"));
            Assert.That(read.Version, Is.EqualTo("1.2.0"));
            Assert.That(read.Command, Is.EqualTo(new[] { "python3", "agent.py" }));
            Assert.That(read.Workers, Is.EqualTo(2));
            Assert.That(read.WebSockets, Is.False);
            Assert.That(read.TurnTimeout, Is.EqualTo(TimeSpan.FromSeconds(120)));
            Assert.That(read.Folder, Is.EqualTo(image.Folder));
        });
    }

    [Test]
    public void Starts_a_process_for_each_turn_and_takes_WebSockets_by_default()
    {
        using TestImage image = TestImage.Manifest("""{ "name": "desk", "command": ["sh"], "capabilities": {} }""");
        ImageManifest read = ImageManifest.Read(image.Folder);
        Assert.That((read.Workers, read.WebSockets, read.TurnTimeout, read.Version), Is.EqualTo((0, true, (TimeSpan?)null, "1")));
    }

    [TestCase("", "JSON")]
    [TestCase("{", "JSON|brace|end of data")]
    [TestCase("[]", "an image must be a JSON object")]
    [TestCase("""{"command":["sh"]}""", "'name' is missing")]
    [TestCase("""{"name":"a"}""", "'command' is missing")]
    [TestCase("""{"name":"","command":["sh"]}""", "'name' must be a string")]
    [TestCase("""{"name":"a\nb","command":["sh"]}""", "'name' must be a string")]
    [TestCase("""{"name":5,"command":["sh"]}""", "'name' must be a string")]
    [TestCase("""{"name":"a","command":"sh"}""", "'command' must be a list of strings")]
    [TestCase("""{"name":"a","command":[]}""", "'command' must be a list of strings")]
    [TestCase("""{"name":"a","command":[""]}""", "'command' must be a list of strings")]
    [TestCase("""{"name":"a","command":["sh",1]}""", "'command' must be a list of strings")]
    [TestCase("""{"name":"a","command":["sh"],"worker":1}""", "unknown field 'worker'")]
    [TestCase("""{"name":"a","command":["sh"],"Workers":1}""", "unknown field 'Workers'")]
    [TestCase("""{"name":"a","command":["sh"],"workers":-1}""", "'workers' must be a whole number from 0")]
    [TestCase("""{"name":"a","command":["sh"],"workers":1.5}""", "'workers' must be a whole number from 0")]
    [TestCase("""{"name":"a","command":["sh"],"workers":100000}""", "'workers' must be a whole number from 0")]
    [TestCase("""{"name":"a","command":["sh"],"workers":"1"}""", "'workers' must be a whole number from 0")]
    [TestCase("""{"name":"a","command":["sh"],"turnTimeoutSeconds":0}""", "'turnTimeoutSeconds' must be a whole number from 1")]
    [TestCase("""{"name":"a","command":["sh"],"capabilities":true}""", "'capabilities' must be a JSON object")]
    [TestCase("""{"name":"a","command":["sh"],"capabilities":{"sse":true}}""", "unknown field 'capabilities.sse'")]
    [TestCase("""{"name":"a","command":["sh"],"capabilities":{"websockets":1}}""", "'capabilities.websockets' must be true or false")]
    [TestCase("""{"name":"a","name":"b","command":["sh"]}""", "name")]
    public void Refuses(string json, string why)
    {
        using TestImage image = TestImage.Manifest(json);
        Assert.That(() => ImageManifest.Read(image.Folder), Throws.TypeOf<ImageException>()
            .With.Message.Match(why).And.Message.Contains("iris.json").And.Message.Not.Contains("\n"));
    }
}
