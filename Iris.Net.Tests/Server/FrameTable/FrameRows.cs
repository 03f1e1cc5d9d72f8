using System.Buffers.Binary;
using System.Text;
using static Iris.Net.Tests.WebSockets.ClientFrame;

namespace Iris.Net.Tests.Server.FrameTable;

/// <summary>Sequences of frames with their one right answer (RFC 6455).</summary>
internal static class FrameRows
{
    public const int MaxMessageSize = 70_000, MaxFragments = 8, MaxControlFrames = 20;

    private const int ProtocolError = 1002, NotUtf8 = 1007, Policy = 1008, TooBig = 1009;

    public static IEnumerable<FrameRow> All => [.. Taken, .. Mistakes];

    public static IEnumerable<FrameRow> Taken =>
    [
        .. from size in (int[])[0, 1, 2, 63, 64, 124, 125, 126, 127, 128, 255, 256, 4095, 4096, 4097, 65_535, 65_536, 70_000]
           from kind in (byte[])[0x81, 0x82]
           select Takes($"{(kind == 0x81 ? "text" : "binary")} of {size} bytes", Frame(kind, Fill(size)), Echo(kind, Fill(size))),
        Takes("text of the RFC's example", Hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), Hex("81 05 48 65 6c 6c 6f")),
        Takes("a key of zeros", Hex("81 82 00000000 6869"), Hex("81 02 6869")),
        Takes("nothing but a close", [], []),
        Takes("two texts at once", [.. Frame(0x81, "a"), .. Frame(0x81, "b")], Hex("81 01 61 81 01 62")),
        Takes("text, binary, text", [.. Frame(0x81, "a"), .. Frame(0x82, "b"), .. Frame(0x81)], Hex("81 01 61 82 01 62 81 00")),
        Takes("binary that is not UTF-8", Frame(0x82, Hex("fffe80c0")), Hex("82 04 fffe80c0")),
        Takes("text in two fragments", [.. Frame(0x01, "Hel"), .. Frame(0x80, "lo")], Hex("81 05 48656c6c6f")),
        Takes("binary in three fragments", [.. Frame(0x02, "a"), .. Frame(0x00, "b"), .. Frame(0x80, "c")], Hex("82 03 616263")),
        Takes("empty fragments", [.. Frame(0x01), .. Frame(0x00), .. Frame(0x80)], Hex("81 00")),
        Takes("a payload in the last fragment only", [.. Frame(0x01), .. Frame(0x00), .. Frame(0x80, "x")], Hex("81 01 78")),
        Takes("as many fragments as are taken", [.. Frame(0x01, "a"), .. Times(MaxFragments - 2, Frame(0x00, "b")), .. Frame(0x80, "c")],
            Echo(0x81, "abbbbbbc"u8)),
        Takes("a message of the largest size in fragments", [.. Frame(0x02, Fill(69_999)), .. Frame(0x80, "*")], Echo(0x82, Fill(70_000))),
        Takes("a character cut by fragments", [.. Frame(0x01, Hex("ce")), .. Frame(0x00, Hex("bae282")), .. Frame(0x80, Hex("ac"))],
            Hex("81 05 cebae282ac")),
        Takes("a ping", Frame(0x89), Hex("8a 00")),
        Takes("a ping with a payload", Frame(0x89, "hey"), Hex("8a 03 686579")),
        Takes("the largest ping", Frame(0x89, Fill(125)), Echo(0x8A, Fill(125))),
        Takes("pings in order", [.. Frame(0x89, "1"), .. Frame(0x89, "2"), .. Frame(0x89, "3")], Hex("8a 01 31 8a 01 32 8a 01 33")),
        Takes("a ping between fragments", [.. Frame(0x01, "a"), .. Frame(0x89, "p"), .. Frame(0x80, "b")], Hex("8a 01 70 81 02 6162")),
        Takes("a ping before its message", [.. Frame(0x89, "p"), .. Frame(0x81, "a")], Hex("8a 01 70 81 01 61")),
        Takes("a ping after its message", [.. Frame(0x81, "a"), .. Frame(0x89, "p")], Hex("81 01 61 8a 01 70")),
        Takes("as many pings as are taken", Times(MaxControlFrames, Frame(0x89)), Times(MaxControlFrames, Hex("8a 00"))),
        Takes("a pong that nobody asked for", Frame(0x8A, "x"), []),
        Takes("a pong between fragments", [.. Frame(0x01, "a"), .. Frame(0x8A), .. Frame(0x80, "b")], Hex("81 02 6162")),
        .. from text in (string[])["c280", "dfbf", "e0a080", "ed9fbf", "ee8080", "efbfbd", "efbfbf", "efbbbf", "f0908080", "f48fbfbf"]
           select Takes($"text {text}", Frame(0x81, Hex(text)), Echo(0x81, Hex(text))),
        .. from code in (int[])[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
           select new FrameRow($"a close with {code} is echoed", Close(code), ClosedWith(code)),
        new("a close without code is answered without", Frame(0x88), Hex("88 00")),
        new("a close with a reason", Close(1000, "bye"), ClosedWith(1000)),
        new("a close with the longest reason", Close(1001, Encoding.ASCII.GetString(Fill(123))), ClosedWith(1001)),
        new("a close between fragments", [.. Frame(0x01, "a"), .. Close(1000)], ClosedWith(1000)),
        new("nothing is read behind a close", [.. Close(1000), .. Frame(0x81, "a"), .. Frame(0x89)], ClosedWith(1000)),
        new("a ping before a close", [.. Frame(0x89, "p"), .. Close(1000)], [.. Hex("8a 01 70"), .. ClosedWith(1000)]),
    ];

    public static IEnumerable<FrameRow> Mistakes =>
    [
        .. from bits in (int[])[0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70]
           from frame in ((byte First, string Name)[])[(0x81, "a text"), (0x01, "a fragment"), (0x89, "a ping"), (0x88, "a close")]
           select Breaks($"reserved bits {bits:x2} on {frame.Name}", Frame((byte)(frame.First | bits)), ProtocolError),
        Breaks("reserved bits on a continuation", [.. Frame(0x01, "a"), .. Frame(0xC0, "b")], ProtocolError),
        .. from opcode in (byte[])[3, 4, 5, 6, 7, 11, 12, 13, 14, 15]
           select Breaks($"opcode {opcode}", Frame((byte)(0x80 | opcode)), ProtocolError),
        .. from opcode in (byte[])[3, 7, 11, 15]
           select Breaks($"opcode {opcode} between fragments", [.. Frame(0x01, "a"), .. Frame((byte)(0x80 | opcode), "x")], ProtocolError),
        Breaks("a text without mask", Hex("81 01 61"), ProtocolError),
        Breaks("a binary without mask", Hex("82 01 61"), ProtocolError),
        Breaks("a ping without mask", Hex("89 00"), ProtocolError),
        Breaks("a close without mask", Hex("88 02 03e8"), ProtocolError),
        Breaks("a continuation without mask", [.. Frame(0x01, "a"), .. Hex("80 01 61")], ProtocolError),
        .. from length in (string[])["fe 0000", "fe 007d", "ff 0000000000000000", "ff 000000000000007d", "ff 000000000000007e", "ff 000000000000ffff"]
           select Breaks($"a length that is not minimal: {length}", Hex("82" + length + "00000000"), ProtocolError),
        Breaks("a length of 64 bits", Hex("82 ff 8000000000000000 00000000"), ProtocolError),
        Breaks("a fragmented ping", Frame(0x09), ProtocolError),
        Breaks("a fragmented pong", Frame(0x0A), ProtocolError),
        Breaks("a fragmented close", Frame(0x08), ProtocolError),
        Breaks("a ping of 126 bytes", Frame(0x89, Fill(126)), ProtocolError),
        Breaks("a pong of 126 bytes", Frame(0x8A, Fill(126)), ProtocolError),
        Breaks("a close of 126 bytes", Frame(0x88, Fill(126)), ProtocolError),
        Breaks("a ping of 65,536 bytes", Frame(0x89, Fill(65_536)), ProtocolError),
        Breaks("a continuation of nothing", Frame(0x80, "a"), ProtocolError),
        Breaks("an unfinished continuation of nothing", Frame(0x00, "a"), ProtocolError),
        Breaks("an empty continuation of nothing", Frame(0x80), ProtocolError),
        Breaks("a continuation behind a message", [.. Frame(0x81, "a"), .. Frame(0x80, "b")], ProtocolError, Hex("81 01 61")),
        Breaks("a text within a text", [.. Frame(0x01, "a"), .. Frame(0x81, "b")], ProtocolError),
        Breaks("a binary within a text", [.. Frame(0x01, "a"), .. Frame(0x82, "b")], ProtocolError),
        Breaks("a fragment of another text within a text", [.. Frame(0x01, "a"), .. Frame(0x01, "b")], ProtocolError),
        Breaks("a text within a binary", [.. Frame(0x02, "a"), .. Frame(0x81, "b")], ProtocolError),
        Breaks("a text behind a ping within a text", [.. Frame(0x01, "a"), .. Frame(0x89), .. Frame(0x81)], ProtocolError, Hex("8a 00")),
        Breaks("a mistake behind a message and a ping", [.. Frame(0x81, "a"), .. Frame(0x89), .. Frame(0x83)], ProtocolError,
            Hex("81 01 61 8a 00")),
        Breaks("a close of one byte", Frame(0x88, [3]), ProtocolError),
        .. from code in (int[])[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
           select Breaks($"a close with {code}", Close(code), ProtocolError),
        Breaks("a close whose reason is not UTF-8", Close(1000, Hex("c328")), NotUtf8),
        Breaks("a close whose reason ends within a character", Close(1000, Hex("e282")), NotUtf8),
        .. from text in (string[])["80", "bf", "c0af", "c1bf", "c328", "e08080", "e09fbf", "eda080", "edbfbf", "f0808080", "f08fbfbf",
               "f4908080", "f5808080", "f888808080", "fe", "ff", "cebae1bdb9cf83cebcceb5eda080"]
           from way in ((string Name, Func<byte[], byte[]> Send)[])[("a text", text => Frame(0x81, text)),
               ("an unfinished message", text => Frame(0x01, text)), ("an unfinished frame", text => [.. Head(0x81, 1000), .. Masked(text)])]
           select Breaks($"{text} in {way.Name}", way.Send(Hex(text)), NotUtf8),
        .. from text in (string[])["c2", "e282", "f09f98"]
           select Breaks($"a text that ends with {text}", Frame(0x81, Hex(text)), NotUtf8),
        Breaks("a fragmented text that ends within a character", [.. Frame(0x01, Hex("e2")), .. Frame(0x80, Hex("82"))], NotUtf8),
        Breaks("a text that is no UTF-8 behind one that is", [.. Frame(0x81, "a"), .. Frame(0x81, Hex("80"))], NotUtf8, Hex("81 01 61")),
        Breaks("a head that announces too much", Head(0x82, MaxMessageSize + 1), TooBig),
        Breaks("a head that announces the most there is", Head(0x82, long.MaxValue), TooBig),
        Breaks("a fragment that makes it too much", [.. Frame(0x02, "a"), .. Head(0x80, MaxMessageSize)], TooBig),
        Breaks("a fragment too many", [.. Frame(0x01), .. Times(MaxFragments, Frame(0x00))], Policy),
        Breaks("a control frame too many", Times(MaxControlFrames + 1, Frame(0x8A)), Policy),
    ];

    private static FrameRow Takes(string name, byte[] sent, byte[] answered) =>
        new($"takes {name}", [.. sent, .. Close(1000)], [.. answered, .. ClosedWith(1000)]);

    private static FrameRow Breaks(string name, byte[] sent, int code, byte[]? before = null) =>
        new($"refuses {name}", sent, [.. before ?? [], .. ClosedWith(code)]) { IsMistake = true };

    private static byte[] ClosedWith(int code) => [0x88, 2, (byte)(code >> 8), (byte)code];

    private static byte[] Fill(int count) => [.. Enumerable.Repeat((byte)'*', count)];

    private static byte[] Times(int count, byte[] frame) => [.. Enumerable.Repeat(frame, count).SelectMany(octets => octets)];

    private static byte[] Echo(byte first, ReadOnlySpan<byte> payload)
    {
        Span<byte> length = stackalloc byte[9];
        if (payload.Length < 126)
            length = [(byte)payload.Length];
        else if (payload.Length < 65_536)
            length = [126, (byte)(payload.Length >> 8), (byte)payload.Length];
        else
        {
            length[0] = 127;
            BinaryPrimitives.WriteInt64BigEndian(length[1..], payload.Length);
        }

        return [first, .. length, .. payload];
    }
}
