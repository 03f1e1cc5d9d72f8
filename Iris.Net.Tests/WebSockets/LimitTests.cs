using Iris.Net.WebSockets;
using static Iris.Net.Tests.WebSockets.ClientFrame;

namespace Iris.Net.Tests.WebSockets;

/// <summary>What one peer may send at most: limit - 1, limit and limit + 1.</summary>
[TestFixture]
internal sealed class LimitTests
{
    private const string TooBig = "failed 1009, send close 1009";
    private const string Policy = "failed 1008, send close 1008";
    private static readonly MessageLimits Hundred = new() { MaxMessageSize = 100 };
    private static readonly MessageLimits ThreeFragments = new() { MaxFragments = 3 };
    private static readonly MessageLimits ThreeControls = new() { MaxControlFrames = 3 };
    private static readonly MessageLimits TextOnly = new() { AcceptBinary = false };

    private static readonly FrameCase[] Cases =
    [
        new("takes a message of limit - 1", "binary 99 x 61", Frame(0x82, A(99))) { Limits = Hundred },
        new("takes a message of the limit", "binary 100 x 61", Frame(0x82, A(100))) { Limits = Hundred },
        new("refuses a message of limit + 1 by its head", TooBig, Head(0x82, 101)) { Limits = Hundred, EndsAtLastByte = true },
        new("refuses a text of limit + 1", TooBig, Frame(0x81, A(101))) { Limits = Hundred },
        new("takes fragments of the limit", "text 100 x 61", Frame(0x01, A(60)), Frame(0x80, A(40))) { Limits = Hundred },
        new("refuses the fragment that passes the limit by its head", TooBig, Frame(0x01, A(60)), Head(0x80, 41))
        { Limits = Hundred, EndsAtLastByte = true },
        new("counts each message for itself", "binary 100 x 61, binary 100 x 61", Frame(0x82, A(100)), Frame(0x82, A(100)))
        { Limits = Hundred },
        new("refuses the largest length by its head", TooBig, Head(0x82, long.MaxValue)) { EndsAtLastByte = true },
        new("refuses the largest length in a continuation", TooBig, Frame(0x02, "a"), Head(0x80, long.MaxValue))
        { EndsAtLastByte = true },
        new("takes the default limit's head", "", Head(0x82, 1_048_576)),
        new("refuses the default limit + 1 by its head", TooBig, Head(0x82, 1_048_577)) { EndsAtLastByte = true },
        new("takes nothing but empty messages where the limit is 0", "binary '', " + TooBig, Frame(0x82), Frame(0x82, "a"))
        { Limits = new() { MaxMessageSize = 0 } },
        new("judges framing before size", "failed 1002, send close 1002", Hex("82 7f 00 00 00 01 00 00 00 00"))
        { EndsAtLastByte = true },

        new("takes fragments of limit - 1", "text ''", Frame(0x01), Frame(0x80)) { Limits = ThreeFragments },
        new("takes fragments of the limit, twice", "text '', text ''",
            Frame(0x01), Frame(0x00), Frame(0x80), Frame(0x01), Frame(0x00), Frame(0x80)) { Limits = ThreeFragments },
        new("refuses one fragment too many", Policy, Frame(0x01), Frame(0x00), Frame(0x00), Frame(0x80))
        { Limits = ThreeFragments, EndsAtLastByte = true },
        new("takes the default number of fragments", "text ''", Repeat(Frame(0x01), Frame(0x00), 1022), Frame(0x80)),
        new("refuses one more than the default number of fragments", Policy, Repeat(Frame(0x01), Frame(0x00), 1023), Frame(0x80))
        { EndsAtLastByte = true },

        new("takes control frames of the limit", "ping, send pong '', pong, ping, send pong '', text ''",
            Frame(0x89), Frame(0x8A), Frame(0x89), Frame(0x81)) { Limits = ThreeControls },
        new("refuses one control frame too many", "ping, send pong '', pong, pong, " + Policy,
            Frame(0x89), Frame(0x8A), Frame(0x8A), Frame(0x89)) { Limits = ThreeControls, EndsAtLastByte = true },
        new("takes a close after all the control frames", "pong, pong, pong, close 1000, send close 1000",
            Frame(0x8A), Frame(0x8A), Frame(0x8A), Close(1000)) { Limits = ThreeControls },

        new("refuses binary where only text is taken", "failed 1003, send close 1003", Head(0x82, 1))
        { Limits = TextOnly, EndsAtLastByte = true },
        new("refuses a binary fragment where only text is taken", "failed 1003, send close 1003", Frame(0x02))
        { Limits = TextOnly, EndsAtLastByte = true },
        new("refuses empty binary after text", "text 'a', failed 1003, send close 1003", Frame(0x81, "a"), Frame(0x82))
        { Limits = TextOnly, EndsAtLastByte = true },
        new("judges framing before the type", "failed 1002, send close 1002", Unmasked(0x82, "a")) { Limits = TextOnly },
        new("judges the type before the size", "failed 1003, send close 1003", Head(0x82, long.MaxValue))
        { Limits = TextOnly, EndsAtLastByte = true },
    ];

    [TestCaseSource(nameof(Cases))]
    public void Limit(FrameCase given) => ProtocolFeeder.AssertEveryWay(given);

    private static byte[] A(int count) => [.. Enumerable.Repeat((byte)'a', count)];

    private static byte[] Repeat(byte[] first, byte[] next, int count) =>
        [.. first, .. Enumerable.Repeat(next, count).SelectMany(frame => frame)];
}
