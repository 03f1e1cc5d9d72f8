using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using Iris.Net.WebSockets;

namespace Iris.Net.Tests.WebSockets;

/// <summary>Mutated upgrade requests with fixed seeds: the verdict is what a plain reading of the fields says.</summary>
[TestFixture]
internal sealed partial class HandshakeFuzzTests
{
    private const string Right =
        "Connection: keep-alive, Upgrade|Upgrade: h2c, websocket|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";
    private static readonly string[] Pieces =
        ["|", ",", " ", "\t", "=", "==", ":", "13", "websocket", "upgrade", "\"", "Connection: close|", "Upgrade: x|", "Sec-WebSocket-Key: x|"];

    [Test]
    public void Mutated_fields() => Run(seed: 1, count: 20_000);

    [Test, Category("Long")]
    public void Very_many_mutated_fields() => Run(seed: 2, count: IsLong ? 5_000_000 : 1_000);

    private static void Run(int seed, int count)
    {
        var random = new Random(seed);
        for (int run = 0; run < count; run++)
        {
            string text = Mutate(random);
            (string Name, string Value)[] fields = [.. text.Split('|').Select(Field)];
            var handshake = new Handshake();
            foreach ((string name, string value) in fields)
                handshake.Add(Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value));
            HandshakeVerdict verdict = handshake.Verdict;
            if (verdict != PlainReading(fields))
                Assert.Fail($"run {run}: {verdict} of {text}");
            if (verdict != HandshakeVerdict.Accepted)
                continue;
            var output = new ArrayBufferWriter<byte>();
            Handshake.WriteResponse(output, handshake.Key);
            Assert.That(Encoding.Latin1.GetString(output.WrittenSpan), Does.EndWith("=\r\n\r\n"), text);
        }
    }

    private static HandshakeVerdict PlainReading((string Name, string Value)[] fields)
    {
        string[] keys = ValuesOf("sec-websocket-key"), versions = ValuesOf("sec-websocket-version");
        if (!Has("connection", "upgrade") || !Has("upgrade", "websocket"))
            return HandshakeVerdict.NotAnUpgrade;
        if (keys is not [var key] || !Nonce().IsMatch(key))
            return HandshakeVerdict.WrongKey;
        return versions is ["13"] ? HandshakeVerdict.Accepted : HandshakeVerdict.WrongVersion;

        bool Has(string name, string member) => ValuesOf(name).SelectMany(value => value.Split(','))
            .Any(element => element.Trim(' ', '\t').Equals(member, StringComparison.OrdinalIgnoreCase));

        string[] ValuesOf(string name) =>
            [.. fields.Where(field => field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value)];
    }

    private static string Mutate(Random random)
    {
        var text = new StringBuilder(Right);
        for (int count = random.Next(0, 4); count > 0; count--)
        {
            int at = random.Next(text.Length);
            switch (random.Next(4))
            {
                case 0: text[at] = (char)random.Next(256); break;
                case 1: text.Remove(at, Math.Min(random.Next(1, 4), text.Length - at)); break;
                case 2: text.Insert(at, Pieces[random.Next(Pieces.Length)]); break;
                default: text[at] = char.IsAsciiLetter(text[at]) ? (char)(text[at] ^ 0x20) : text[at]; break;
            }
        }

        return text.ToString();
    }

    private static (string Name, string Value) Field(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
    }

    [GeneratedRegex("^[A-Za-z0-9+/]{21}[AQgw]==\\z")]
    private static partial Regex Nonce();
}
