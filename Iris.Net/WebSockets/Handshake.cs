using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Iris.Net.WebSockets;

/// <summary>What becomes of a request for an upgrade (RFC 6455 section 4.2).</summary>
internal enum HandshakeVerdict
{
    /// <summary>101, with <see cref="Handshake.WriteResponse"/>.</summary>
    Accepted,

    /// <summary>The fields do not ask for an upgrade to WebSocket: an ordinary request.</summary>
    NotAnUpgrade,

    /// <summary>400: not exactly one key that decodes to 16 bytes.</summary>
    WrongKey,

    /// <summary>426: not exactly one version, 13.</summary>
    WrongVersion,

    /// <summary>400: subprotocols or extensions that break their grammar, or a subprotocol that is named twice.</summary>
    WrongOffer,
}

/// <summary>
/// The opening handshake. It is given the fields of a GET of HTTP/1.1 one by one; in HTTP/1.0 an upgrade is ignored
/// (RFC 9110 section 7.8).
/// </summary>
internal ref struct Handshake
{
    /// <summary>The only version there is.</summary>
    public const string Version = "13";

    private const int KeyLength = 24, NonceLength = 16, AcceptLength = 28;
    private bool _connectionUpgrade;
    private bool _upgradeWebSocket;
    private int _keys;
    private int _versions;
    private bool _isVersion13;
    private bool _wrongOffer;
    private HashSet<string>? _subprotocols;

    /// <summary>The value of Sec-WebSocket-Key, as sent.</summary>
    public ReadOnlySpan<byte> Key { get; private set; }

    /// <summary>Whether Connection has "upgrade" and Upgrade has "websocket": anything else is an ordinary request.</summary>
    public readonly bool IsUpgrade => _connectionUpgrade && _upgradeWebSocket;

    /// <summary>What the fields given so far come to; refusals in their order.</summary>
    public readonly HandshakeVerdict Verdict
    {
        get
        {
            if (!IsUpgrade)
                return HandshakeVerdict.NotAnUpgrade;
            if (_keys != 1 || !IsNonce(Key))
                return HandshakeVerdict.WrongKey;
            if (_versions != 1 || !_isVersion13)
                return HandshakeVerdict.WrongVersion;
            return _wrongOffer ? HandshakeVerdict.WrongOffer : HandshakeVerdict.Accepted;
        }
    }

    /// <summary>Takes one field of the request; those that do not concern the handshake are passed over.</summary>
    /// <param name="name">The field's name, in any case.</param>
    /// <param name="value">The field's value without surrounding white space.</param>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (Ascii.EqualsIgnoreCase(name, "connection"u8))
        {
            _connectionUpgrade |= HasToken(value, "upgrade"u8);
        }
        else if (Ascii.EqualsIgnoreCase(name, "upgrade"u8))
        {
            _upgradeWebSocket |= HasToken(value, "websocket"u8);
        }
        else if (Ascii.EqualsIgnoreCase(name, "sec-websocket-key"u8))
        {
            _keys++;
            Key = value;
        }
        else if (Ascii.EqualsIgnoreCase(name, "sec-websocket-version"u8))
        {
            _versions++;
            _isVersion13 = value.SequenceEqual("13"u8);
        }
        else if (Ascii.EqualsIgnoreCase(name, Subprotocols.Field))
        {
            _wrongOffer |= !Subprotocols.TryAdd(value, _subprotocols ??= []);
        }
        else if (Ascii.EqualsIgnoreCase(name, DeflateOffer.Field))
        {
            _wrongOffer |= !ExtensionReader.IsValid(value); // RFC 6455 section 9.1
        }
    }

    /// <summary>Writes the whole head of the 101 response.</summary>
    /// <param name="output">Where it goes.</param>
    /// <param name="key">The valid key of the request.</param>
    /// <param name="subprotocol">The chosen one, a token; null for none.</param>
    /// <param name="deflate">How messages are compressed; null where they are not.</param>
    public static void WriteResponse(
        IBufferWriter<byte> output, ReadOnlySpan<byte> key, string? subprotocol = null, DeflateOffer? deflate = null)
    {
        output.Write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "u8);
        WriteAccept(key, output.GetSpan(AcceptLength));
        output.Advance(AcceptLength);
        if (subprotocol is not null)
        {
            output.Write("\r\nSec-WebSocket-Protocol: "u8);
            Encoding.ASCII.GetBytes(subprotocol, output);
        }

        if (deflate is { } agreed)
        {
            output.Write("\r\nSec-WebSocket-Extensions: "u8);
            agreed.Write(output);
        }

        output.Write("\r\n\r\n"u8);
    }

    /// <summary>Writes the 28 bytes of Sec-WebSocket-Accept that answer a valid key.</summary>
    public static void WriteAccept(ReadOnlySpan<byte> key, Span<byte> accept)
    {
        var guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"u8; // RFC 6455 section 1.3
        Span<byte> text = stackalloc byte[KeyLength + guid.Length];
        key.CopyTo(text);
        guid.CopyTo(text[KeyLength..]);

        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(text, hash);
        Base64.EncodeToUtf8(hash, accept, out _, out _);
    }

    private static bool IsNonce(ReadOnlySpan<byte> key)
    {
        Span<byte> nonce = stackalloc byte[NonceLength + 2];
        return key.Length == KeyLength
            && Base64.DecodeFromUtf8(key, nonce, out _, out var length) == OperationStatus.Done
            && length == NonceLength;
    }

    private static bool HasToken(ReadOnlySpan<byte> list, ReadOnlySpan<byte> token)
    {
        foreach (var range in list.Split((byte)','))
        {
            if (Ascii.EqualsIgnoreCase(list[range].Trim(" \t"u8), token))
                return true;
        }

        return false;
    }
}
