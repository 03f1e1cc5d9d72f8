using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Tests.Journal;

/// <summary>The exact bytes of every kind of record: they are what journals hold for years, and what clients see.</summary>
public sealed class RecordWriterTests
{
    private const string Head = "{\"seq\":7,\"ts\":1700000000123,\"defDigest\":\"0123456789abcdef\",\"kind\":";
    private const long Ts = 1_700_000_000_123;

    private static readonly SessionHead New = new()
    {
        Guard = new byte[] { 1, 2, 3 },
        Salt = new byte[16],
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000),
    };

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
        _writer.Wait(7, Ts, SessionWait.Signal("<ok>\"")), RecordKind.Marker, """
        "marker","payload":{"marker":"wait","wait":{"kind":"signal","name":"<ok>\""}}}
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
        _writer.Session(7, Ts, New), RecordKind.Session, """
        "session","payload":{"created":1700000000000,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","guard":"AQID"}}
        """);

    [Test]
    public void SessionOfAPrincipalWithATokenOfTheHost() => AssertRecord(
        _writer.Session(7, Ts, New with { Principal = "a\"b", Sealed = new byte[] { 255 } }), RecordKind.Session, """
        "session","payload":{"principal":"a\"b","created":1700000000000,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","guard":"AQID","sealed":"/w=="}}
        """);

    [Test]
    public void TurnStartedWithTheRequestsBody() => AssertRecord(
        _writer.TurnStarted(7, Ts, 3, 1, "abc-_9", "{\"text\":\"hi\"}"u8, default), RecordKind.TurnStarted, """
        "turn_started","payload":{"turn":3,"attempt":1,"name":"abc-_9","body":{"text":"hi"}}}
        """);

    [Test]
    public void TurnStartedAgain() => AssertRecord(
        _writer.TurnStarted(7, Ts, 3, 2, "abc-_9", default, new byte[] { 1, 2, 3 }), RecordKind.TurnStarted, """
        "turn_started","payload":{"turn":3,"attempt":2,"name":"abc-_9","key":"AQID"}}
        """);

    [Test]
    public void RequestClosed() => AssertRecord(
        _writer.RequestClosed(7, Ts), RecordKind.RequestClosed, """
        "request_closed","payload":{}}
        """);

    [Test]
    public void RequestClosedByACancel() => AssertRecord(
        _writer.RequestClosed(7, Ts, new CancelledRequest(3, default, default)), RecordKind.RequestClosed, """
        "request_closed","payload":{"reason":"cancelled","from":3}}
        """);

    [Test]
    public void RequestWithAKeyClosedByACancel() => AssertRecord(
        _writer.RequestClosed(7, Ts, new CancelledRequest(3, new byte[] { 1, 2, 3 }, new byte[] { 4 })), RecordKind.RequestClosed, """
        "request_closed","payload":{"reason":"cancelled","from":3,"key":"AQID","body":"BA=="}}
        """);

    [Test]
    public void TurnEnded() => AssertRecord(
        _writer.TurnEnded(7, Ts, "lease_lost"), RecordKind.TurnEnded, """
        "turn_ended","payload":{"reason":"lease_lost"}}
        """);

    [Test]
    public void RequestAccepted() => AssertRecord(
        _writer.RequestAccepted(7, Ts), RecordKind.RequestAccepted, """
        "request_accepted","payload":{}}
        """);

    [Test]
    public void RequestDeferred() => AssertRecord(
        _writer.RequestDeferred(7, Ts), RecordKind.RequestDeferred, """
        "request_deferred","payload":{}}
        """);

    [Test]
    public void CommitWithoutState() => AssertRecord(
        _writer.Commit(7, Ts, New with { Turn = 2, ClientTurns = 1, Status = SessionStatus.Finished, RequestSeq = 4, Reply = "{\"status\":\"finished\"}"u8.ToArray() }),
        RecordKind.Commit,
        """
        "commit","payload":{"turn":2,"clientTurns":1,"status":2,"requestSeq":4,"created":1700000000000,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","guard":"AQID","reply":{"status":"finished"}}}
        """);

    [Test]
    public void CommitWithEverything() => AssertRecord(
        _writer.Commit(7, Ts, New with
        {
            Turn = 2,
            ClientTurns = 2,
            Status = SessionStatus.Parked,
            Wait = SessionWait.Signal("go"),
            RequestSeq = 4,
            Principal = "me",
            Spent = new byte[] { 4 },
            Sealed = new byte[] { 5 },
            RequestKey = new byte[] { 6 },
            RequestBody = new byte[] { 7 },
            State = "[1]"u8.ToArray(),
            Reply = "{\"status\":\"parked\",\"wait\":{\"kind\":\"user\"}}"u8.ToArray(),
        }),
        RecordKind.Commit,
        """
        "commit","payload":{"turn":2,"clientTurns":2,"status":1,"requestSeq":4,"wait":{"kind":"signal","name":"go"},"principal":"me","created":1700000000000,"salt":"AAAAAAAAAAAAAAAAAAAAAA==","guard":"AQID","spent":"BA==","sealed":"BQ==","requestKey":"Bg==","requestBody":"Bw==","state":[1],"reply":{"status":"parked","wait":{"kind":"user"}}}}
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
