using Iris.Net.WebSockets;
using static Iris.Net.Tests.WebSockets.ClientFrame;

namespace Iris.Net.Tests.WebSockets;

/// <summary>Heads that no client may send (RFC 6455 sections 5.1, 5.2 and 5.5): 1002, as soon as it is known.</summary>
[TestFixture]
internal sealed class FramingTests
{
    private const string Refused = "failed 1002, send close 1002";

    private static readonly FrameCase[] Cases =
    [
        // Every reserved bit with every kind of frame: the first byte says it all.
        .. from bits in new byte[] { 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70 }
           from opcode in new byte[] { 0x81, 0x82, 0x89 }
           select new FrameCase($"refuses reserved bits {bits:x2} with opcode {opcode & 15:x}", Refused,
               [(byte)(opcode | bits)]) { EndsAtLastByte = true },
        new("refuses a reserved bit in a pong", Refused, Frame(0xCA, "x")),
        new("refuses a reserved bit in a close", Refused, Frame(0xC8)),
        new("refuses a reserved bit in a continuation", Refused, Frame(0x01, "a"), Hex("c0")) { EndsAtLastByte = true },
        new("refuses a reserved bit after a message", "text 'a', " + Refused, Frame(0x81, "a"), Frame(0x91, "b")),
        new("refuses a reserved bit after a ping", "ping, send pong 'p', " + Refused, Frame(0x89, "p"), Frame(0xC1, "b")),

        .. from opcode in new byte[] { 3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF }
           select new FrameCase($"refuses reserved opcode {opcode:x}", Refused,
               [(byte)(0x80 | opcode)]) { EndsAtLastByte = true },
        .. from opcode in new byte[] { 3, 7, 0xB, 0xF }
           select new FrameCase($"refuses reserved opcode {opcode:x} after a message", "text 'a', " + Refused,
               Frame(0x81, "a"), Frame((byte)(0x80 | opcode), "x"), Frame(0x89)),
        .. from opcode in new byte[] { 3, 0xB }
           select new FrameCase($"refuses reserved opcode {opcode:x} between fragments", Refused,
               Frame(0x01, "a"), Frame((byte)(0x80 | opcode)), Frame(0x80, "b")),

        .. from first in new byte[] { 0x08, 0x09, 0x0A }
           select new FrameCase($"refuses a fragmented {(Opcode)first}", Refused, [first]) { EndsAtLastByte = true },
        new("refuses a fragmented ping and its continuation", Refused, Frame(0x09, "a"), Frame(0x80, "b")),
        .. from first in new byte[] { 0x88, 0x89, 0x8A }
           from length in new byte[] { 126, 127 }
           select new FrameCase($"refuses {first:x2} of length form {length}", Refused,
               [first, (byte)(0x80 | length)]) { EndsAtLastByte = true },
        new("refuses a ping of 126 bytes", Refused, Frame(0x89, [.. Enumerable.Repeat((byte)'a', 126)])),

        new("refuses an unmasked text", Refused, Hex("81 05 48 65 6c 6c 6f")),
        new("refuses an unmasked empty text at its head", Refused, Hex("81 00")) { EndsAtLastByte = true },
        new("refuses an unmasked text at its head", Refused, Hex("81 05")) { EndsAtLastByte = true },
        new("refuses an unmasked binary", Refused, Unmasked(0x82, "x")),
        new("refuses an unmasked ping", Refused, Unmasked(0x89, "x")),
        new("refuses an unmasked pong", Refused, Unmasked(0x8A, "x")),
        new("refuses an unmasked close", Refused, Hex("88 02 03 e8")),
        new("refuses an unmasked continuation", Refused, Frame(0x01, "a"), Unmasked(0x80, "b")),
        new("refuses an unmasked long text", Refused, Hex("81 7e 00 80")) { EndsAtLastByte = true },

        .. from length in new[] { 0, 1, 125 }
           select new FrameCase($"refuses {length} in two bytes", Refused, Head(0x81, length, 2)),
        .. from length in new[] { 0, 125, 126, 65535 }
           select new FrameCase($"refuses {length} in eight bytes", Refused, Head(0x82, length, 8)),
        new("refuses a length that is not minimal before the masking key", Refused, Hex("81 fe 00 7d")) { EndsAtLastByte = true },
        new("refuses a length with the top bit", Refused, Hex("82 ff 80 00 00 00 00 00 00 00")) { EndsAtLastByte = true },
        new("refuses the largest number", Refused, Hex("82 ff ff ff ff ff ff ff ff ff")) { EndsAtLastByte = true },
        new("refuses a length that is not minimal in a continuation", Refused, Frame(0x01, "a"), Head(0x80, 5, 2)),

        new("refuses the request of another protocol", Refused, "GET / HTTP/1.1\r\n"u8.ToArray()),
        new("refuses a TLS handshake", Refused, Hex("16 03 01 02 00")),
    ];

    [TestCaseSource(nameof(Cases))]
    public void Framing(FrameCase given) => ProtocolFeeder.AssertEveryWay(given);
}
