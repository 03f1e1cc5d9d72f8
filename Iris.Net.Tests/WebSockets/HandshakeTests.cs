using System.Buffers;
using System.Text;
using Iris.Net.WebSockets;

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
        ["the RFC's example", Right, HandshakeVerdict.Accepted],
        ["names and tokens in any case", Right.ToUpperInvariant().Replace(Key.ToUpperInvariant(), Key), HandshakeVerdict.Accepted],
        ["a list of connection options", Keyed + "|Connection: keep-alive, Upgrade|Upgrade: websocket", HandshakeVerdict.Accepted],
        ["two Connection fields", Keyed + "|Connection: keep-alive|Connection: upgrade|Upgrade: websocket", HandshakeVerdict.Accepted],
        ["tabs and empty elements in lists", Keyed + "|Connection: ,\tupgrade ,|Upgrade: h2c, websocket", HandshakeVerdict.Accepted],
        ["fields that do not concern it", "Host: a|" + Right + "|Sec-WebSocket-Extensions: x|Cookie: b", HandshakeVerdict.Accepted],
        ["a key of other bits", NoKey + "|Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", HandshakeVerdict.Accepted],

        ["no fields", "", HandshakeVerdict.NotAnUpgrade],
        ["no Connection", Keyed + "|Upgrade: websocket", HandshakeVerdict.NotAnUpgrade],
        ["Connection without upgrade", Keyed + "|Connection: keep-alive|Upgrade: websocket", HandshakeVerdict.NotAnUpgrade],
        ["Connection with a longer word", Keyed + "|Connection: upgraded|Upgrade: websocket", HandshakeVerdict.NotAnUpgrade],
        ["Connection with two words", Keyed + "|Connection: keep-alive upgrade|Upgrade: websocket", HandshakeVerdict.NotAnUpgrade],
        ["no Upgrade", Keyed + "|Connection: Upgrade", HandshakeVerdict.NotAnUpgrade],
        ["another Upgrade", Keyed + "|Connection: Upgrade|Upgrade: h2c", HandshakeVerdict.NotAnUpgrade],
        ["Upgrade with a version", Keyed + "|Connection: Upgrade|Upgrade: websocket/13", HandshakeVerdict.NotAnUpgrade],
        ["an empty Upgrade", Keyed + "|Connection: Upgrade|Upgrade: ", HandshakeVerdict.NotAnUpgrade],

        ["no key", NoKey, HandshakeVerdict.WrongKey],
        ["an empty key", NoKey + "|Sec-WebSocket-Key: ", HandshakeVerdict.WrongKey],
        ["two keys", Right + "|Sec-WebSocket-Key: " + Key, HandshakeVerdict.WrongKey],
        ["a key of 15 bytes", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j", HandshakeVerdict.WrongKey],
        ["a key of 17 bytes", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE=", HandshakeVerdict.WrongKey],
        ["a key of 18 bytes", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWFh", HandshakeVerdict.WrongKey],
        ["a key without padding", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ", HandshakeVerdict.WrongKey],
        ["a key with half its padding", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=", HandshakeVerdict.WrongKey],
        ["a key in base64url", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25_-A==", HandshakeVerdict.WrongKey],
        ["a key with a blank in it", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBs ZSBub25jZQ==", HandshakeVerdict.WrongKey],
        ["a key of 24 characters with blanks", NoKey + "|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25  Q==", HandshakeVerdict.WrongKey],
        ["two keys in one field", NoKey + "|Sec-WebSocket-Key: " + Key + ", " + Key, HandshakeVerdict.WrongKey],
        ["a wrong key and a wrong version", "Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Key: x", HandshakeVerdict.WrongKey],

        ["no version", NoVersion, HandshakeVerdict.WrongVersion],
        ["version 8", NoVersion + "|Sec-WebSocket-Version: 8", HandshakeVerdict.WrongVersion],
        ["version 013", NoVersion + "|Sec-WebSocket-Version: 013", HandshakeVerdict.WrongVersion],
        ["version 130", NoVersion + "|Sec-WebSocket-Version: 130", HandshakeVerdict.WrongVersion],
        ["versions 13 and 8", NoVersion + "|Sec-WebSocket-Version: 13, 8", HandshakeVerdict.WrongVersion],
        ["version 13 twice", Right + "|Sec-WebSocket-Version: 13", HandshakeVerdict.WrongVersion],
        ["version 8, then 13", NoVersion + "|Sec-WebSocket-Version: 8|Sec-WebSocket-Version: 13", HandshakeVerdict.WrongVersion],
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
        Assert.That(handshake.IsUpgrade, Is.EqualTo(handshake.Verdict != HandshakeVerdict.NotAnUpgrade));
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
}
