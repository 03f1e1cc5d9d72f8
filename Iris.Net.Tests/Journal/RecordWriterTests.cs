using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Tests.Journal;

/// <summary>The exact bytes of every kind of record: they are what journals hold for years, and what clients see.</summary>
public sealed class RecordWriterTests
{
    private const string Head = "{\"seq\":7,\"ts\":1700000000123,\"defDigest\":\"0123456789abcdef\",\"kind\":";
    private const long Ts = 1_700_000_000_123;

    private RecordWriter _writer = null!;

    [SetUp]
    public void Make() => _writer = new RecordWriter("0123456789abcdef");

    [TearDown]
    public void Drop() => _writer.Dispose();

    private static JsonPayload Json(string json) => JsonPayload.Parse(Encoding.UTF8.GetBytes(json));

    private static string Text(JournalEntry entry) => Encoding.UTF8.GetString(entry.Utf8.Span);

    private static void AssertRecord(JournalEntry entry, RecordKind kind, string rest)
    {
        Assert.That(Text(entry), Is.EqualTo(Head + rest));
        Assert.That(entry.Seq, Is.EqualTo(7));
        Assert.That(entry.Kind, Is.EqualTo(kind));
    }

    [Test]
    public void EffectIntent() => AssertRecord(
        _writer.EffectIntent(7, Ts, "fare", "KEY", new StepOptions()),
        RecordKind.EffectIntent,
        """
        "effect_intent","payload":{"effectId":"fare:7","effectKind":"step","request":null,"retrySafe":true,"idempotencyKey":"KEY"}}
        """);

    [Test]
    public void EffectIntentWithOptions() => AssertRecord(
        _writer.EffectIntent(7, Ts, "a:\"b\"", "K", new StepOptions { Kind = "tool_call", Request = Json("{\"q\":[1]}"), RetrySafe = false }),
        RecordKind.EffectIntent,
        """
        "effect_intent","payload":{"effectId":"a:\"b\":7","effectKind":"tool_call","request":{"q":[1]},"retrySafe":false,"idempotencyKey":"K"}}
        """);

    [TestCase("{\"p\":1.50}")]
    [TestCase("null")]
    [TestCase("\"\\u0041\"")]
    public void EffectResult(string value) => AssertRecord(
        _writer.EffectResult(7, Ts, "fare:5", Json(value)),
        RecordKind.EffectResult,
        "\"effect_result\",\"payload\":{\"effectId\":\"fare:5\",\"outcome\":{\"ok\":true,\"value\":" + value + "}}}");

    [Test]
    public void FinishWithoutOutput() => AssertRecord(
        _writer.Finish(7, Ts, default), RecordKind.Marker, """
        "marker","payload":{"marker":"finish"}}
        """);

    [TestCase("null")]
    [TestCase("{\"turn\":0}")]
    public void FinishWithOutput(string output) => AssertRecord(
        _writer.Finish(7, Ts, Json(output)), RecordKind.Marker, $$$"""
        "marker","payload":{"marker":"finish","output":{{{output}}}}}
        """);

    [Test]
    public void WaitForTheUser() => AssertRecord(
        _writer.Wait(7, Ts, SessionWait.User), RecordKind.Marker, """
        "marker","payload":{"marker":"wait","wait":{"kind":"user"}}}
        """);

    [Test]
    public void WaitForASignal() => AssertRecord(
        _writer.Wait(7, Ts, SessionWait.Signal("<ok>\n")), RecordKind.Marker, """
        "marker","payload":{"marker":"wait","wait":{"kind":"signal","name":"<ok>\n"}}}
        """);

    [Test]
    public void WaitForATime() => AssertRecord(
        _writer.Wait(7, Ts, SessionWait.Timer(DateTimeOffset.FromUnixTimeMilliseconds(1_893_456_000_001))), RecordKind.Marker, """
        "marker","payload":{"marker":"wait","wait":{"kind":"timer","at":1893456000001}}}
        """);

    [TestCase("{\"x\":1}")]
    [TestCase("3")]
    public void Decision(string payload) => AssertRecord(
        _writer.Decision(7, Ts, Json(payload)), RecordKind.Decision, $$$"""
        "decision","payload":{{{payload}}}}
        """);

    [Test]
    public void SessionOfNobody() => AssertRecord(
        _writer.Session(7, Ts, new byte[16], null), RecordKind.Session, """
        "session","payload":{"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}}
        """);

    [Test]
    public void SessionOfAPrincipal() => AssertRecord(
        _writer.Session(7, Ts, new byte[16], "a\"b"), RecordKind.Session, """
        "session","payload":{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","principal":"a\"b"}}
        """);

    [Test]
    public void TurnStartedWithTheRequestsBody() => AssertRecord(
        _writer.TurnStarted(7, Ts, 3, 1, "abc-_9", "{\"text\":\"hi\"}"u8), RecordKind.TurnStarted, """
        "turn_started","payload":{"turn":3,"attempt":1,"name":"abc-_9","body":{"text":"hi"}}}
        """);

    [Test]
    public void TurnStartedAgain() => AssertRecord(
        _writer.TurnStarted(7, Ts, 3, 2, "abc-_9", default), RecordKind.TurnStarted, """
        "turn_started","payload":{"turn":3,"attempt":2,"name":"abc-_9"}}
        """);

    [Test]
    public void RequestClosed() => AssertRecord(
        _writer.RequestClosed(7, Ts), RecordKind.RequestClosed, """
        "request_closed","payload":{}}
        """);

    [Test]
    public void CommitWithoutState() => AssertRecord(
        _writer.Commit(7, Ts, new SessionHead { Guard = "secret"u8.ToArray(), Turn = 2, ClientTurns = 1, Reply = "{\"status\":\"finished\"}"u8.ToArray() }),
        RecordKind.Commit,
        """
        "commit","payload":{"turn":2,"clientTurns":1,"reply":{"status":"finished"}}}
        """);

    [Test]
    public void CommitWithState() => AssertRecord(
        _writer.Commit(7, Ts, new SessionHead
        {
            Guard = "secret"u8.ToArray(),
            Turn = 2,
            ClientTurns = 2,
            State = "[1]"u8.ToArray(),
            Reply = "{\"status\":\"parked\",\"wait\":{\"kind\":\"user\"}}"u8.ToArray(),
        }),
        RecordKind.Commit,
        """
        "commit","payload":{"turn":2,"clientTurns":2,"state":[1],"reply":{"status":"parked","wait":{"kind":"user"}}}}
        """);

    [Test]
    public void SeveralEntriesKeepTheirBytesUntilTheWriterIsCleared()
    {
        var entries = new List<JournalEntry>();
        for (int i = 0; i < 100; i++)   // more than the buffer has room for at first
            entries.Add(_writer.EffectResult(i, Ts, $"s:{i}", Json($"\"{new string('x', i)}\"")));
        for (int i = 0; i < 100; i++)
            Assert.That(Text(entries[i]), Does.StartWith($"{{\"seq\":{i},").And.EndWith($"\"value\":\"{new string('x', i)}\"}}}}}}"));
    }

    [Test]
    public void AClearedWriterWritesWholeRecords()
    {
        _writer.EffectResult(1, Ts, "long:1", Json($"\"{new string('x', 5000)}\""));
        _writer.Clear();
        AssertRecord(_writer.RequestClosed(7, Ts), RecordKind.RequestClosed, """
            "request_closed","payload":{}}
            """);
    }

    [Test]
    public void OnlyTheFourKindsOfTheWireArePublic()
    {
        RecordKind[] shown = [RecordKind.EffectIntent, RecordKind.EffectResult, RecordKind.Decision, RecordKind.Marker];
        foreach (RecordKind kind in Enum.GetValues<RecordKind>())
            Assert.That(new JournalEntry(0, kind, default).IsPublic, Is.EqualTo(shown.Contains(kind)), kind.ToString());
    }

    [Test]
    public void CommitsAndClosingsEndARequest()
    {
        foreach (RecordKind kind in Enum.GetValues<RecordKind>())
            Assert.That(
                new JournalEntry(0, kind, default).ClosesRequest,
                Is.EqualTo(kind is RecordKind.Commit or RecordKind.RequestClosed),
                kind.ToString());
    }
}
