using System.Buffers;
using System.Text;
using Iris.Net.Endpoints;
using Iris.Net.Sessions;

namespace Iris.Net.Tests.Endpoints;

public sealed class WireJsonTests
{
    private static readonly byte[] Token = "tok"u8.ToArray();

    private static string Text(ReadOnlyMemory<byte> json) => Encoding.UTF8.GetString(json.Span);

    private static TurnEnd Committed(TurnOutcome outcome) =>
        TurnEnd.Committed(TurnEnd.ReplyOf((CommittedOutcome)outcome), Token, expiresAt: null);

    private static IEnumerable<TestCaseData> Ends()
    {
        yield return new(Committed(TurnOutcome.Finished()), "\"status\":\"finished\"");
        yield return new(Committed(TurnOutcome.Finished(JsonPayload.Null)), "\"status\":\"finished\",\"output\":null");
        yield return new(Committed(TurnOutcome.Finished(JsonPayload.Parse("{\"a\":1.50}"u8))), "\"status\":\"finished\",\"output\":{\"a\":1.50}");
        yield return new(Committed(TurnOutcome.ParkedOnUser(JsonPayload.Null)), "\"status\":\"parked\",\"wait\":{\"kind\":\"user\"}");
        yield return new(Committed(TurnOutcome.ParkedOnSignal("a\"b")), "\"status\":\"parked\",\"wait\":{\"kind\":\"signal\",\"name\":\"a\\\"b\"}");
        yield return new(
            Committed(TurnOutcome.ParkedOnTimer(DateTimeOffset.FromUnixTimeMilliseconds(1_893_456_000_001))),
            "\"status\":\"parked\",\"wait\":{\"kind\":\"timer\",\"at\":1893456000001}");
        yield return new(TurnEnd.Contended(7, Token), "\"status\":\"contended\",\"current\":7");
        yield return new(TurnEnd.Aborted(AbortReason.Timeout, Token), "\"status\":\"aborted\"");
    }

    [TestCaseSource(nameof(Ends))]
    public void RepliesAndOutcomesNameTheirFieldsInOrder(object end, string fields)
    {
        Assert.That(Text(Reply("S", (TurnEnd)end)), Is.EqualTo($"{{\"sessionId\":\"S\",\"continuationToken\":\"tok\",{fields}}}"));
        Assert.That(
            Text(WireJson.Outcome("S", (TurnEnd)end, isExtended: false)),
            Is.EqualTo($"{{\"type\":\"outcome\",\"sessionId\":\"S\",{fields},\"continuationToken\":\"tok\"}}"));
    }

    [TestCase(AbortReason.Failed, "failed")]
    [TestCase(AbortReason.Timeout, "timeout")]
    [TestCase(AbortReason.LeaseLost, "lease_lost")]
    [TestCase(AbortReason.Cancelled, "cancelled")]
    [TestCase(AbortReason.Stopped, "crashed")]
    [TestCase(AbortReason.Crashed, "crashed")]
    public void AnExtendedReplySaysWhyNothingCommitted(object reason, string text)
    {
        TurnEnd end = TurnEnd.Aborted((AbortReason)reason, Token);
        Assert.That(
            Text(Reply("S", end, isExtended: true)),
            Is.EqualTo($"{{\"sessionId\":\"S\",\"continuationToken\":\"tok\",\"status\":\"aborted\",\"committed\":false,\"reason\":\"{text}\"}}"));
        Assert.That(
            Text(WireJson.Outcome("S", end, isExtended: true)), Does.EndWith($",\"continuationToken\":\"tok\",\"committed\":false,\"reason\":\"{text}\"}}"));
    }

    [TestCase("a\"b\\c\n", "a\\\"b\\\\c\\n")]
    [TestCase("ä/<&>'+", "ä/<&>'+")]
    [TestCase("\u0000", "\\u0000")]
    public void IdsAndTokensAreEscapedAsLittleAsMayBe(string raw, string escaped)
    {
        TurnEnd end = TurnEnd.Aborted(AbortReason.Failed, Encoding.UTF8.GetBytes(raw));
        Assert.That(Text(Reply(raw, end)), Is.EqualTo($"{{\"sessionId\":\"{escaped}\",\"continuationToken\":\"{escaped}\",\"status\":\"aborted\"}}"));
    }

    [Test]
    public void TheLongestSessionIdIsWrittenWhole()
    {
        string id = new('\u20AC', 128);
        Assert.That(Text(Reply(id, TurnEnd.Aborted(AbortReason.Failed, Token))), Does.StartWith($"{{\"sessionId\":\"{id}\","));
    }

    [TestCase(null, null, "{\"error\":\"no \\\"x\\\"\"}")]
    [TestCase("in-flight", null, "{\"error\":\"no \\\"x\\\"\",\"code\":\"in-flight\"}")]
    [TestCase("turn-failed", "abc", "{\"error\":\"no \\\"x\\\"\",\"code\":\"turn-failed\",\"errorId\":\"abc\"}")]
    public void ARefusalHasWhatItIsGiven(string? code, string? errorId, string expected)
    {
        Assert.That(Text(WireJson.Refusal("no \"x\"", code, errorId)), Is.EqualTo(expected));
        Assert.That(
            Text(WireJson.ErrorEvent("no \"x\"", code, errorId)),
            Is.EqualTo(expected.Replace("{\"error\"", "{\"type\":\"error\",\"message\"", StringComparison.Ordinal)));
    }

    private static ReadOnlyMemory<byte> Reply(string sessionId, TurnEnd end, bool isExtended = false)
    {
        ArrayBufferWriter<byte> buffer = new();
        WireJson.WriteReply(buffer, sessionId, end, isExtended);
        return buffer.WrittenMemory;
    }
}
