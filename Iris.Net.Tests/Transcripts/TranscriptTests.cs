using Iris.Net.Tests.Architecture;
using Iris.Net.Tests.Conformance;

namespace Iris.Net.Tests.Transcripts;

/// <summary>The base protocol byte for byte, as the Markdown files beside this one show it.</summary>
public sealed class TranscriptTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "Iris.Net.Tests", "Transcripts");

    [TestCaseSource(nameof(All))]
    public async Task Is_what_comes(object shown)
    {
        Transcript transcript = (Transcript)shown;
        using Gate gate = new();
        await using Channel channel = await Channel.StartAsync(
            new TranscriptProgram(gate, webSockets: !transcript.Options.Contains("no WebSockets")),
            options => options with { Compatibility = Compatibility.SeedExact, ExposeErrors = transcript.Options.Contains("ExposeErrors") });
        if (transcript.Blocks.Any(block => block.Kind == "client"))
            await MessagePlayer.PlayAsync(transcript, channel.Url, gate);
        else
            await RequestPlayer.PlayAsync(transcript, channel.Url, gate);
    }

    [Test]
    public void Names_are_used_once() => Assert.That(All().Select(test => test.TestName).ToArray(), Is.Unique.And.Length.GreaterThan(50));

    [Test]
    public void A_mask_covers_what_differs_and_nothing_else()
    {
        Mask mask = new();
        const string Reply = """{"sessionId":"a","continuationToken":"b","status":"finished"}""";
        Assert.That(mask.Cover(Reply), Is.EqualTo("""{"sessionId":"{uuid}","continuationToken":"{uuid}","status":"finished"}"""));
        Assert.That(mask.Cover(Reply), Is.EqualTo("""{"sessionId":"{session}","continuationToken":"{token}","status":"finished"}"""));
        Assert.That(mask.Fill("{session} {token}"), Is.EqualTo("a b"));
        Assert.That(mask.Cover("""{"continuationToken":"c"}"""), Is.EqualTo("""{"continuationToken":"{uuid}"}"""));
        Assert.That(mask.Fill("{token} {spent}"), Is.EqualTo("c b"));
        foreach (string wrong in (string[])
            ["\"seq\":\"1\"", "\"seq\":-1", "\"ts\":1.5e", "\"defDigest\":\"img\"", "\"continuationToken\":null", "\"seq\": 1", "\"idempotencyKey\":\"\""])
        {
            Assert.That(mask.Cover(wrong), Is.EqualTo(wrong).Or.EqualTo("\"ts\":{ts}.5e"));
        }
    }

    private static IEnumerable<TestCaseData> All() =>
        from file in Directory.GetFiles(Folder, "*.md").Order(StringComparer.Ordinal)
        from transcript in Transcript.Read(file)
        select new TestCaseData(transcript).SetName($"{Path.GetFileNameWithoutExtension(file)}: {transcript.Name}");
}
