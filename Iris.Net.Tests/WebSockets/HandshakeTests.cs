using System.Buffers;
using System.Text;
using Iris.Net.WebSockets;
using static Iris.Net.WebSockets.HandshakeVerdict;

namespace Iris.Net.Tests.WebSockets;

/// <summary>The opening handshake (RFC 6455 section 4.2).</summary>
[TestFixture]
internal sealed class HandshakeTests
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const string Right = "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: " + Key;
    private const string NoKey = "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 13";
    private const string NoVersion = "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Key: " + Key;
    private const string Keyed = "Sec-WebSocket-Version: 13|Sec-WebSocket-Key: " + Key;

    private static readonly object[][] Verdicts =
    [
        ["the RFC's example", Right, Accepted],
        ["names and tokens in any case", Right.ToUpperInvariant().Replace(Key.ToUpperInvariant(), Key), Accepted],
        ["a list of connection options", Keyed + "|Connection: keep-alive, Upgrade|Upgrade: websocket", Accepted],
        ["two Connection fields", Keyed + "|Connection: keep-alive|Connection: upgrade|Upgrade: websocket", Accepted],
        ["tabs and empty elements in lists", Keyed + "|Connection: ,\tupgrade ,|Upgrade: h2c, websocket", Accepted],
        ["fields that do not concern it", "Host: a|" + Right + "|Sec-WebSocket-Extensions: x|Cookie: b", Accepted],
        ["a key of other bits", NoKey + "|Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", Accepted],

        ["no fields", "", NotAnUpgrade],
        ["no Connection", Keyed + "|Upgrade: websocket", NotAnUpgrade],
        ["Connection without upgrade", Keyed + "|Connection: keep-alive|Upgrade: websocket", NotAnUpgrade],
        ["Connection with a longer word", Keyed + "|Connection: upgraded|Upgrade: websocket", NotAnUpgrade],
        ["Connection with two words", Keyed + "|Connection: keep-alive upgrade|Upgrade: websocket", NotAnUpgrade],
        ["no Upgrade", Keyed + "|Connection: Upgrade", NotAnUpgrade],
        ["another Upgrade", Keyed + "|Connection: Upgrade|Upgrade: h2c", NotAnUpgrade],
        ["Upgrade with a version", Keyed + "|Connection: Upgrade|Upgrade: websocket/13", NotAnUpgrade],
        ["an empty Upgrade", Keyed + "|Connection: Upgrade|Upgrade: ", NotAnUpgrade],

        ["no key", NoKey, WrongKey],
        ["an empty key", NoKey + "|Sec-WebSocket-Key: ", WrongKey],
        ["two keys", Right + "|Sec-WebSocket-Key: " + Key, WrongKey],
        ["a key of 15 bytes", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j", WrongKey],
        ["a key of 17 bytes", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE=", WrongKey],
        ["a key of 18 bytes", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWFh", WrongKey],
        ["a key without padding", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", WrongKey],
        ["a key with half its padding", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=", WrongKey],
        ["a key in base64url", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25_-A==", WrongKey],
        ["a key with a blank in it", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZQ==", WrongKey],
        ["a key of 24 characters with blanks", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25  Q==", WrongKey],
        ["two keys in one field", NoKey + "|Sec-WebSocket-Key: " + Key + ", " + Key, WrongKey],
        ["a wrong key and a wrong version", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Key: x", WrongKey],

        ["no version", NoVersion, WrongVersion],
        ["version 8", NoVersion + "|Sec-WebSocket-Version: 8", WrongVersion],
        ["version 013", NoVersion + "|Sec-WebSocket-Version: 013", WrongVersion],
        ["version 130", NoVersion + "|Sec-WebSocket-Version: 130", WrongVersion],
        ["versions 13 and 8", NoVersion + "|Sec-WebSocket-Version: 13, 8", WrongVersion],
        ["version 13 twice", Right + "|Sec-WebSocket-Version: 13", WrongVersion],
        ["subprotocols", Right + "|Sec-WebSocket-Protocol: chat, superchat|Sec-WebSocket-Protocol: Chat", Accepted],
        ["subprotocols with empty elements", Right + "|Sec-WebSocket-Protocol: ,a,\t,b ,", Accepted],
        ["extensions nobody knows", Right + "|Sec-WebSocket-Extensions: a;b=\"c\", d|Sec-WebSocket-Extensions: a", Accepted],
        ["no subprotocol in the field", Right + "|Sec-WebSocket-Protocol: ", WrongOffer],
        ["empty elements alone", Right + "|Sec-WebSocket-Protocol: ,,", WrongOffer],
        ["a subprotocol with a blank", Right + "|Sec-WebSocket-Protocol: a b", WrongOffer],
        ["a subprotocol with a separator", Right + "|Sec-WebSocket-Protocol: a/b", WrongOffer],
        ["a quoted subprotocol", Right + "|Sec-WebSocket-Protocol: \"a\"", WrongOffer],
        ["a subprotocol twice", Right + "|Sec-WebSocket-Protocol: a, b, a", WrongOffer],
        ["a subprotocol in two fields", Right + "|Sec-WebSocket-Protocol: a|Sec-WebSocket-Protocol: b, a", WrongOffer],
        ["an extension without a name", Right + "|Sec-WebSocket-Extensions: ;a", WrongOffer],
        ["a quoted value that does not end", Right + "|Sec-WebSocket-Extensions: a|Sec-WebSocket-Extensions: a;b=\"c", WrongOffer],
        ["another version's offers", NoVersion + "|Sec-WebSocket-Version: 8|Sec-WebSocket-Protocol: a b", WrongVersion],
        ["version 8, then 13", NoVersion + "|Sec-WebSocket-Version: 8|Sec-WebSocket-Version: 13", WrongVersion],
    ];

    [TestCaseSource(nameof(Verdicts))]
    public void Verdict(string name, string fields, object verdict)
    {
        var handshake = new Handshake();
        foreach (var field in fields.Split('|', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = field.Split(": ", 2);
            handshake.Add(Encoding.ASCII.GetBytes(parts[0]), Encoding.ASCII.GetBytes(parts[1]));
        }

        Assert.That(handshake.Verdict, Is.EqualTo(verdict), name);
        Assert.That(handshake.IsUpgrade, Is.EqualTo(handshake.Verdict != NotAnUpgrade));
    }

    [Test]
    public void The_response_is_that_of_the_RFC()
    {
        var output = new ArrayBufferWriter<byte>();
        Handshake.WriteResponse(output, Encoding.ASCII.GetBytes(Key));

        Assert.That(Encoding.ASCII.GetString(output.WrittenSpan), Is.EqualTo(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));
    }

    [Test]
    public void The_response_names_what_was_chosen()
    {
        var output = new ArrayBufferWriter<byte>();
        Handshake.WriteResponse(output, Encoding.ASCII.GetBytes(Key), "chat", new DeflateOffer(true, true));

        Assert.That(Encoding.ASCII.GetString(output.WrittenSpan), Does.EndWith(
            "+xOo=\r\nSec-WebSocket-Protocol: chat\r\n"
            + "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n\r\n"));
    }
}
