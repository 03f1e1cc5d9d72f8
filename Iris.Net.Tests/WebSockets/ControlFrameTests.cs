using static Iris.Net.Tests.WebSockets.ClientFrame;

namespace Iris.Net.Tests.WebSockets;

/// <summary>Pings, pongs and closes (RFC 6455 sections 5.5 and 7.4).</summary>
[TestFixture]
internal sealed class ControlFrameTests
{
    private const string Refused = "failed 1002, send close 1002";
    private static readonly string LongestReason = new('*', 123);

    private static readonly FrameCase[] Cases =
    [
        new("ping without payload", "ping, send pong ''", Frame(0x89)),
        new("ping with text", "ping, send pong 'Hello'", Frame(0x89, "Hello")),
        new("ping with bytes that are not text", "ping, send pong 00fffefdfcfb00ff", Frame(0x89, Hex("00fffefdfcfb00ff"))),
        new("ping of 125 bytes", "ping, send pong 125 x fe", Frame(0x89, [.. Enumerable.Repeat((byte)0xfe, 125)])),
        new("ping short of its last byte", "", Frame(0x89, "Hello")[..^1]),
        new("ten pings are answered in order",
            string.Join(", ", Enumerable.Range(0, 10).Select(i => $"ping, send pong '{i}'")),
            [.. Enumerable.Range(0, 10).Select(i => Frame(0x89, $"{i}"))]),
        new("pong that nobody asked for", "pong", Frame(0x8A)),
        new("pong with payload", "pong", Frame(0x8A, "unsolicited")),
        new("pong, then ping", "pong, ping, send pong 'p'", Frame(0x8A, "x"), Frame(0x89, "p")),
        new("message, ping, message", "text 'a', ping, send pong 'p', text 'b'",
            Frame(0x81, "a"), Frame(0x89, "p"), Frame(0x81, "b")),

        new("close without code", "close 1005, send close", Frame(0x88)) { EndsAtLastByte = true },
        new("close with code", "close 1000, send close 1000", Close(1000)) { EndsAtLastByte = true },
        new("close with reason", "close 1000 'bye', send close 1000", Close(1000, "bye")) { EndsAtLastByte = true },
        new("close with a reason in UTF-8", "close 1001 'cześć 😀', send close 1001", Close(1001, "cześć 😀")),
        new("close with the longest reason", $"close 1000 '{LongestReason}', send close 1000", Close(1000, LongestReason)),
        new("close after a message", "text 'a', close 1000, send close 1000", Frame(0x81, "a"), Close(1000)),
        new("message after a close is not read", "close 1000, send close 1000", Close(1000), Frame(0x81, "a")),
        new("ping after a close is not answered", "close 1000, send close 1000", Close(1000), Frame(0x89, "a")),
        new("second close is not read", "close 1000, send close 1000", Close(1000), Close(1001)),
        new("nonsense after a close is not read", "close 1000, send close 1000", Close(1000), Hex("ff ff ff ff")),
        new("message after a failure is not read", Refused, Frame(0x83), Frame(0x81, "a")),
        new("close after a failure is not read", Refused, Frame(0x83), Close(1000)),

        .. from code in new[] { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999 }
           select new FrameCase($"takes close code {code}", $"close {code} 'x', send close {code}", Close(code, "x")),
        .. from code in new[] { 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535 }
           select new FrameCase($"refuses close code {code}", Refused, Close(code)) { EndsAtLastByte = true },
        new("refuses a close code that may not be sent, with a reason", Refused, Close(1006, "x")),
        new("refuses half a close code", Refused, Frame(0x88, [3])) { EndsAtLastByte = true },
        new("refuses a reason that is not UTF-8", "failed 1007, send close 1007", Close(1000, Hex("ceba80ff"))),
        new("refuses a reason that ends within a character", "failed 1007, send close 1007", Close(1000, Hex("61e282"))),
        new("refuses a surrogate in a reason", "failed 1007, send close 1007", Close(1000, Hex("eda080"))),
        new("judges the code before the reason", Refused, Close(1005, Hex("ff"))),
        new("refuses a close of 126 bytes", Refused, Close(1000, new string('*', 124))),
    ];

    [TestCaseSource(nameof(Cases))]
    public void ControlFrame(FrameCase given) => ProtocolFeeder.AssertEveryWay(given);
}
