using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Tests.Journal;

public sealed class OpenRequestTests
{
    private RecordWriter _writer = null!;

    [SetUp]
    public void Make() => _writer = new RecordWriter("0123456789abcdef");

    [TearDown]
    public void Drop() => _writer.Dispose();

    private JournalEntry Started(long seq, int attempt, string body = "") =>
        _writer.TurnStarted(seq, 0, 1, attempt, "abcdef", Encoding.UTF8.GetBytes(body), default);

    private JournalEntry Intent(long seq, string name, bool retrySafe = true) =>
        _writer.EffectIntent(seq, 0, name, $"key-{seq}", new StepOptions { RetrySafe = retrySafe });

    private JournalEntry Result(long seq, string effectId, string value) =>
        _writer.EffectResult(seq, 0, effectId, JsonPayload.Parse(Encoding.UTF8.GetBytes(value)));

    private JournalEntry Closed(long seq) => _writer.RequestClosed(seq, 0);

    private JournalEntry Commit(long seq) => _writer.Commit(seq, 0, new SessionHead { Guard = default, Reply = "{}"u8.ToArray() });

    private static async ValueTask<OpenRequest?> Read(params JournalEntry[] records) =>
        (await JournalTail.ReadAsync(records.ToAsyncEnumerable())).Open;

    private static string[] Describe(OpenRequest request) =>
        [.. request.Steps.Select(s => $"{s.EffectId} {s.Name} {s.IdempotencyKey} {s.RetrySafe} {(s.Result.HasValue ? s.Result.ToString() : "-")}")];

    [Test]
    public async Task NothingIsOpenWhereNothingBegan()
    {
        Assert.That(await Read(), Is.Null);
        Assert.That(await Read(_writer.Session(0, 0, new SessionHead { Guard = default })), Is.Null);
    }

    [Test]
    public async Task AnAttemptOpensItWithItsBody()
    {
        OpenRequest open = (await Read(Started(4, 1, "{\"a\":[1.50,\"\\u0041\"]}")))!;
        Assert.That(open.FirstSeq, Is.EqualTo(4));
        Assert.That(open.Attempts, Is.EqualTo(1));
        Assert.That(Encoding.UTF8.GetString(open.Body.Span), Is.EqualTo("{\"a\":[1.50,\"\\u0041\"]}"));
        Assert.That(open.Steps, Is.Empty);
    }

    [Test]
    public async Task LaterAttemptsCountAndChangeNeitherBodyNorFirstSeq()
    {
        OpenRequest open = (await Read(Started(4, 1, "null"), Started(5, 2), Started(6, 3)))!;
        Assert.That((open.FirstSeq, open.Attempts, Encoding.UTF8.GetString(open.Body.Span)), Is.EqualTo((4L, 3, "null")));
    }

    [Test]
    public async Task StepsStandInTheOrderOfTheirIntents()
    {
        OpenRequest open = (await Read(
            Started(1, 1, "{}"), Intent(2, "a"), Intent(3, "b:c", retrySafe: false), Intent(4, "a"), Result(5, "a:4", "null"),
            Result(6, "b:c:3", "{\"v\":1}"), Started(7, 2), Intent(8, "d")))!;
        Assert.That(Describe(open), Is.EqualTo((string[])[
            "a:2 a key-2 True -",
            "b:c:3 b:c key-3 False {\"v\":1}",
            "a:4 a key-4 True null",
            "d:8 d key-8 True -",
        ]));
    }

    [Test]
    public async Task NothingBehindAClosingIsOpen()
    {
        Assert.That(await Read(Started(1, 1, "{}"), Intent(2, "a"), Result(3, "a:2", "1"), Closed(4)), Is.Null);
        Assert.That(await Read(Started(1, 1, "{}"), Intent(2, "a"), Commit(3)), Is.Null);
    }

    [Test]
    public async Task AClosedRequestLeavesTheNextOneNothing()
    {
        OpenRequest open = (await Read(
            Started(1, 1, "1"), Intent(2, "a"), Result(3, "a:2", "\"theirs\""), Started(4, 2),
            Closed(5), Started(6, 1, "2"), Intent(7, "a"), Result(8, "a:2", "\"late\"")))!;
        Assert.That((open.FirstSeq, open.Attempts, Encoding.UTF8.GetString(open.Body.Span)), Is.EqualTo((6L, 1, "2")));
        Assert.That(Describe(open), Is.EqualTo((string[])["a:7 a key-7 True -"]));
    }

    [Test]
    public async Task StepsWithoutAnAttemptBelongToNobody() => Assert.That(await Read(Intent(2, "a"), Result(3, "a:2", "1")), Is.Null);

    [Test]
    public async Task AResultWithoutAValueIsNone()
    {
        JournalEntry failed = new(3, RecordKind.EffectResult, Encoding.UTF8.GetBytes(
            """{"seq":3,"ts":0,"defDigest":"x","kind":"effect_result","payload":{"effectId":"a:2","outcome":{"ok":false,"error":{"message":"no"}}}}"""));
        OpenRequest open = (await Read(Started(1, 1, "1"), Intent(2, "a"), failed))!;
        Assert.That(Describe(open), Is.EqualTo((string[])["a:2 a key-2 True -"]));
    }

    [Test]
    public async Task OtherRecordsChangeNothing()
    {
        OpenRequest open = (await Read(
            Started(1, 1, "1"), _writer.Decision(2, 0, JsonPayload.Null), Intent(3, "a"), _writer.RequestAccepted(4, 0)))!;
        Assert.That(Describe(open), Has.Length.EqualTo(1));
        Assert.That(open.Attempts, Is.EqualTo(1));
    }

    [Test]
    public async Task TheDeepestValuesComeBack()
    {
        string deepest = new string('[', 64) + new string(']', 64);
        OpenRequest open = (await Read(Started(1, 1, deepest), Intent(2, "a"), Result(3, "a:2", deepest)))!;
        Assert.That(Encoding.UTF8.GetString(open.Body.Span), Is.EqualTo(deepest));
        Assert.That(open.Steps[0].Result.ToString(), Is.EqualTo(deepest));
    }
}
