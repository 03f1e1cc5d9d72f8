using static Iris.Net.Tests.WebSockets.ClientFrame;

namespace Iris.Net.Tests.WebSockets;

/// <summary>Text that is UTF-8 and text that is not (RFC 6455 section 8.1): 1007 at the first byte that cannot be.</summary>
[TestFixture]
internal sealed class Utf8Tests
{
    private const string Refused = "failed 1007, send close 1007";

    private static readonly (string Name, string Hex)[] Valid =
    [
        ("two bytes, first", "c280"), ("two bytes, last", "dfbf"),
        ("three bytes, first", "e0a080"), ("before the surrogates", "ed9fbf"), ("after the surrogates", "ee8080"),
        ("replacement character", "efbfbd"), ("not a character, U+FFFE", "efbfbe"), ("not a character, U+FFFF", "efbfbf"),
        ("byte order mark", "efbbbf"), ("four bytes, first", "f0908080"), ("the last code point", "f48fbfbf"),
        ("not a character, U+1FFFE", "f09fbfbe"), ("Greek", "cebae1bdb9cf83cebcceb5"), ("ASCII, DEL", "7f"),
    ];

    // Each ends at the first byte that no valid text can have there.
    private static readonly (string Name, string Hex)[] Invalid =
    [
        ("a lone continuation byte", "80"), ("the last continuation byte", "bf"), ("a continuation byte too many", "c28080"),
        ("an overlong slash", "c0"), ("an overlong DEL", "c1"), ("an overlong slash in three bytes", "e080"),
        ("the last overlong of three bytes", "e09f"), ("an overlong slash in four bytes", "f080"),
        ("the last overlong of four bytes", "f08f"), ("the first surrogate", "eda0"), ("the last surrogate", "edbf"),
        ("U+110000", "f490"), ("lead byte F5", "f5"), ("lead byte F8", "f8"), ("lead byte FC", "fc"), ("byte FE", "fe"),
        ("byte FF", "ff"), ("ASCII within two bytes", "c361"), ("ASCII within three bytes", "e28261"),
        ("ASCII within four bytes", "f0908061"), ("a lead byte within a character", "e282c2"),
        ("a surrogate after valid text", "cebae1bdb9cf83cebcceb5eda0"),
        ("beyond Unicode after valid text", "cebae1bdb9cf83cebcceb5f490"),
    ];

    private static readonly FrameCase[] Cases =
    [
        .. from text in Valid
           select new FrameCase($"takes {text.Name}", $"text {text.Hex}00", Frame(0x81, Hex(text.Hex + "00"))),
        .. from text in Invalid
           select new FrameCase($"refuses {text.Name}", Refused, Frame(0x81, Hex(text.Hex))) { EndsAtLastByte = true },
        .. from text in Invalid
           select new FrameCase($"refuses {text.Name} within an unfinished frame", Refused,
               Head(0x81, 100), Masked(Hex(text.Hex))) { EndsAtLastByte = true },
        .. from text in Invalid
           select new FrameCase($"refuses {text.Name} within an unfinished message", Refused,
               Frame(0x01, Hex(text.Hex))) { EndsAtLastByte = true },
        .. from text in Invalid
           select new FrameCase($"refuses {text.Name} in fragments of a byte", Refused,
               [Frame(0x01), .. Hex(text.Hex).Select(octet => Frame(0x00, [octet]))]) { EndsAtLastByte = true },
        .. from text in Invalid
           select new FrameCase($"refuses {text.Name} after 100 bytes of ASCII", Refused,
               Frame(0x81, [.. Enumerable.Repeat((byte)'a', 100), .. Hex(text.Hex)])),
        .. from cut in new[] { "c2", "e1", "e1bd", "f0", "f090", "f09080", "61f4", "61626364e282" }
           select new FrameCase($"refuses a text that ends after {cut}", Refused,
               Frame(0x81, Hex(cut))) { EndsAtLastByte = true },
        .. from cut in new[] { "c2", "e1bd", "f09080" }
           select new FrameCase($"refuses a fragmented text that ends after {cut}", Refused,
               Frame(0x01, Hex(cut)), Frame(0x80)) { EndsAtLastByte = true },
        new("refuses a text whose next begins in the middle", "text 'a', " + Refused, Frame(0x81, "a"), Frame(0x81, [0x80])),
        new("forgets a character cut by a close", "close 1000, send close 1000", Frame(0x01, [0xce]), Close(1000)),
        new("does not judge binary", "binary 80c0f5", Frame(0x02, Hex("80c0")), Frame(0x80, Hex("f5"))),
        new("judges text after binary anew", "binary c2, text 'a'", Frame(0x82, [0xc2]), Frame(0x81, "a")),
    ];

    [TestCaseSource(nameof(Cases))]
    public void Text(FrameCase given) => ProtocolFeeder.AssertEveryWay(given);
}
