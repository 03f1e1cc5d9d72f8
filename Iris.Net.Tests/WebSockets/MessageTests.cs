using System.Text;
using Iris.Net.WebSockets;
using static Iris.Net.Tests.WebSockets.ClientFrame;

namespace Iris.Net.Tests.WebSockets;

/// <summary>Messages of every size that a head has a form for, whole and fragmented (RFC 6455 sections 5.2 and 5.4).</summary>
[TestFixture]
internal sealed class MessageTests
{
    private static readonly FrameCase[] Cases =
    [
        new("text of the RFC's example", "text 'Hello'", Hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")),
        new("text with a key of zero", "text 'Hello'", Hex("81 85 00 00 00 00 48 65 6c 6c 6f")),
        new("text of no bytes", "text ''", Frame(0x81)),
        new("text of one byte", "text 'a'", Frame(0x81, "a")),
        new("text with NUL", "text 610062", Frame(0x81, "a\0b")),
        new("binary of no bytes", "binary ''", Frame(0x82)),
        new("binary that is not UTF-8", "binary fffe80", Frame(0x82, [0xff, 0xfe, 0x80])),
        .. from size in new[] { 124, 125, 126, 127, 128, 255, 256, 1023, 4095, 4096, 4097, 65535, 65536, 65537 }
           from kind in new[] { (First: (byte)0x81, Name: "text"), (First: (byte)0x82, Name: "binary") }
           select new FrameCase($"{kind.Name} of {size} bytes", $"{kind.Name} {size} x 2a",
               Frame(kind.First, [.. Enumerable.Repeat((byte)'*', size)])),
        new("two texts in one input", "text 'a', text 'b'", Frame(0x81, "a"), Frame(0x81, "b")),
        new("text, binary, text", "text 'a', binary 00, text ''", Frame(0x81, "a"), Frame(0x82, [0]), Frame(0x81)),
        new("half a head is no message", "text 'a'", Frame(0x81, "a"), Hex("81")),
        new("a head without its payload is no message", "", Head(0x81, 5)),
        new("a payload short of one byte is no message", "", Hex("81 85 37 fa 21 3d 7f 9f 4d 51")),

        new("text in two fragments", "text 'Hello'", Frame(0x01, "Hel"), Frame(0x80, "lo")),
        new("binary in two fragments", "binary 0102", Frame(0x02, [1]), Frame(0x80, [2])),
        new("text in four fragments", "text 'abcd'", Frame(0x01, "a"), Frame(0x00, "b"), Frame(0x00, "c"), Frame(0x80, "d")),
        new("fragments without payload", "text ''", Frame(0x01), Frame(0x00), Frame(0x80)),
        new("payload in the middle fragment only", "text 'x'", Frame(0x01), Frame(0x00, "x"), Frame(0x80)),
        new("payload in the last fragment only", "text 'x'", Frame(0x01), Frame(0x00), Frame(0x80, "x")),
        new("a character cut by fragments", "text 'κ€😀'", Frame(0x01, [0xce]), Frame(0x00, [0xba, 0xe2, 0x82]),
            Frame(0x00, [0xac, 0xf0]), Frame(0x00), Frame(0x00, [0x9f, 0x98]), Frame(0x80, [0x80])),
        new("an unfinished message is none", "", Frame(0x01, "Hel"), Frame(0x00, "lo")),
        new("fragmented, then whole", "text 'ab', text 'c'", Frame(0x01, "a"), Frame(0x80, "b"), Frame(0x81, "c")),
        new("whole, then fragmented", "text 'c', binary 6101", Frame(0x81, "c"), Frame(0x02, "a"), Frame(0x80, [1])),
        new("a ping between fragments is answered at once", "ping, send pong 'p', text 'ab'",
            Frame(0x01, "a"), Frame(0x89, "p"), Frame(0x80, "b")),
        new("pings between all fragments, in order", "ping, send pong '1', ping, send pong '2', text 'abc', ping, send pong '3'",
            Frame(0x01, "a"), Frame(0x89, "1"), Frame(0x00, "b"), Frame(0x89, "2"), Frame(0x80, "c"), Frame(0x89, "3")),
        new("a pong between fragments", "pong, text 'ab'", Frame(0x01, "a"), Frame(0x8A, "p"), Frame(0x80, "b")),
        new("a ping inside a cut character", "ping, send pong '', text 'κ'",
            Frame(0x01, [0xce]), Frame(0x89), Frame(0x80, [0xba])),
        new("a close between fragments drops the message", "close 1000, send close 1000", Frame(0x01, "a"), Close(1000)),

        new("refuses a continuation of nothing", "failed 1002, send close 1002", Frame(0x80, "x")),
        new("refuses an unfinished continuation of nothing", "failed 1002, send close 1002", Frame(0x00, "x")),
        new("refuses an empty continuation of nothing", "failed 1002, send close 1002", Frame(0x80)) { EndsAtLastByte = true },
        new("refuses a continuation after a whole message", "text 'a', failed 1002, send close 1002",
            Frame(0x81, "a"), Frame(0x80, "b")),
        new("refuses a continuation after the final fragment", "text 'ab', failed 1002, send close 1002",
            Frame(0x01, "a"), Frame(0x80, "b"), Frame(0x00, "c")),
        new("refuses a text within a text", "failed 1002, send close 1002", Frame(0x01, "a"), Frame(0x81, "b")),
        new("refuses a text fragment within a text", "failed 1002, send close 1002", Frame(0x01, "a"), Frame(0x01, "b")),
        new("refuses a binary within a text", "failed 1002, send close 1002", Frame(0x01, "a"), Frame(0x82, "b")),
        new("refuses a text within a binary", "failed 1002, send close 1002", Frame(0x02, "a"), Frame(0x81, "b")),
        new("refuses a text after a ping within a text", "ping, send pong '', failed 1002, send close 1002",
            Frame(0x01, "a"), Frame(0x89), Frame(0x81)) { EndsAtLastByte = true },
    ];

    [TestCaseSource(nameof(Cases))]
    public void Message(FrameCase given) => ProtocolFeeder.AssertEveryWay(given);

    [TestCase(1)]
    [TestCase(64)]
    [TestCase(1000)]
    public void A_message_in_many_fragments_comes_out_as_it_went_in(int size)
    {
        var text = string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i}: żółć; "));
        var bytes = Encoding.UTF8.GetBytes(text);
        var pieces = bytes.Chunk(size).ToArray();
        var feeder = new ProtocolFeeder(new MessageLimits { MaxFragments = pieces.Length });

        for (var i = 0; i < pieces.Length; i++)
            feeder.Take(Frame((byte)((i == 0 ? 1 : 0) | (i == pieces.Length - 1 ? 0x80 : 0)), pieces[i]));

        Assert.That(feeder.Said, Is.EqualTo($"text '{text}'"));
    }
}
