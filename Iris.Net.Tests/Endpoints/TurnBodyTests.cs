using System.Text;
using Iris.Net.Endpoints;

namespace Iris.Net.Tests.Endpoints;

public sealed class TurnBodyTests
{
    private const int Depth = 64;

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static bool Read(string json, out TurnBody body) => TurnBody.TryRead(Utf8(json), Depth, out body);

    private static string Json(TurnBody body) => Encoding.UTF8.GetString(body.Json);

    private static string? Token(TurnBody body) => body.Token is { } token ? Encoding.UTF8.GetString(token) : null;

    // Where the member stands: only, first, middle, last, several times; what is beside it stays as it was sent.
    [TestCase("""{"continuationToken":"t"}""", "{}", "t")]
    [TestCase("""{"continuationToken":"t","a":1}""", """{"a":1}""", "t")]
    [TestCase("""{"a":1,"continuationToken":"t"}""", """{"a":1}""", "t")]
    [TestCase("""{"a":1,"continuationToken":"t","b":2}""", """{"a":1,"b":2}""", "t")]
    [TestCase("""{"continuationToken":"t","continuationToken":"u"}""", "{}", "u")]
    [TestCase("""{"continuationToken":"t","continuationToken":"u","a":1}""", """{"a":1}""", "u")]
    [TestCase("""{"continuationToken":"t","a":1,"continuationToken":"u"}""", """{"a":1}""", "u")]
    [TestCase("""{"a":1,"continuationToken":"t","continuationToken":"u"}""", """{"a":1}""", "u")]
    [TestCase("""{"a":1,"continuationToken":"t","continuationToken":"u","b":2}""", """{"a":1,"b":2}""", "u")]
    [TestCase("""{"a":1,"continuationToken":"t","b":2,"continuationToken":"u","c":3}""", """{"a":1,"b":2,"c":3}""", "u")]
    [TestCase("""{"continuationToken":"t","continuationToken":"u","continuationToken":"v"}""", "{}", "v")]
    // What its value is.
    [TestCase("""{"continuationToken":""}""", "{}", "")]
    [TestCase("""{"continuationToken":null,"a":1}""", """{"a":1}""", null)]
    [TestCase("""{"continuationToken":5,"a":1}""", """{"a":1}""", null)]
    [TestCase("""{"continuationToken":5}""", "{}", null)]
    [TestCase("""{"continuationToken":-1.5e+3}""", "{}", null)]
    [TestCase("""{"continuationToken":true,"a":1}""", """{"a":1}""", null)]
    [TestCase("""{"a":1,"continuationToken":{"continuationToken":"x","b":[{},"}"]},"c":2}""", """{"a":1,"c":2}""", null)]
    [TestCase("""{"a":1,"continuationToken":[[],{"x":"]"},1],"c":2}""", """{"a":1,"c":2}""", null)]
    [TestCase("""{"continuationToken":{}}""", "{}", null)]
    [TestCase("""{"continuationToken":"t","continuationToken":5}""", "{}", null)]
    [TestCase("""{"continuationToken":5,"continuationToken":"t"}""", "{}", "t")]
    [TestCase("""{"continuationToken":"t","continuationToken":{"continuationToken":"x"}}""", "{}", null)]
    // How name and value are escaped.
    [TestCase("""{"\u0063ontinuationToken":"t"}""", "{}", "t")]
    [TestCase("""{"continuation\u0054oken":"t","continuationToken":"u"}""", "{}", "u")]
    [TestCase("""{"continuationToken":"a\u0062\"\\\/\ud83d\ude00"}""", "{}", "ab\"\\/😀")]
    [TestCase("""{"continuationToken":"ä😀"}""", "{}", "ä😀")]
    // Other names, and the same name elsewhere.
    [TestCase("""{"ContinuationToken":"t"}""", """{"ContinuationToken":"t"}""", null)]
    [TestCase("""{"continuationToken ":"t"}""", """{"continuationToken ":"t"}""", null)]
    [TestCase("""{"a":"continuationToken","b":1}""", """{"a":"continuationToken","b":1}""", null)]
    [TestCase("""{"a":{"continuationToken":"t"}}""", """{"a":{"continuationToken":"t"}}""", null)]
    [TestCase("""[{"continuationToken":"t"}]""", """[{"continuationToken":"t"}]""", null)]
    [TestCase("""{"a":[{"continuationToken":"t"}],"continuationToken":"u"}""", """{"a":[{"continuationToken":"t"}]}""", "u")]
    // Commas and braces inside strings are no commas and braces.
    [TestCase("""{"a":",","continuationToken":",}","b":"{,"}""", """{"a":",","b":"{,"}""", ",}")]
    [TestCase("""{"":"","continuationToken":"t"}""", """{"":""}""", "t")]
    public void TheTokenIsTakenOut(string json, string rest, string? token)
    {
        foreach (string spaced in (string[])[json, Spaced(json, " "), Spaced(json, "\r\n\t ")])
        {
            Assert.That(Read(spaced, out TurnBody body), spaced);
            Assert.That(Json(body), Is.EqualTo(rest), spaced);
            Assert.That(Token(body), Is.EqualTo(token), spaced);
        }
    }

    [TestCase("null")]
    [TestCase("5")]
    [TestCase("-0.0E+1")]
    [TestCase("true")]
    [TestCase("\"continuationToken\"")]
    [TestCase("\"\"")]
    [TestCase("[]")]
    [TestCase("[1,2.50,\"x y\"]")]
    [TestCase("""{"a":1,"a":2}""")]
    [TestCase("""{"n":12345678901234567890123456789,"e":1E400,"s":"\u0041\/"}""")]
    public void EveryOtherValueIsABodyAsItStands(string json)
    {
        foreach (string spaced in (string[])[json, Spaced(json, " "), Spaced(json, "\n")])
        {
            Assert.That(Read(spaced, out TurnBody body), spaced);
            Assert.That(Json(body), Is.EqualTo(json), spaced);
            Assert.That(body.Token, Is.Null);
        }
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("{")]
    [TestCase("}")]
    [TestCase("nul")]
    [TestCase("{} {}")]
    [TestCase("{},")]
    [TestCase("1 2")]
    [TestCase("01")]
    [TestCase("+1")]
    [TestCase(".5")]
    [TestCase("NaN")]
    [TestCase("'a'")]
    [TestCase("{a:1}")]
    [TestCase("{\"a\":1,}")]
    [TestCase("[1,]")]
    [TestCase("{,}")]
    [TestCase("/**/1")]
    [TestCase("\"a\nb\"")]
    [TestCase("\"\t\"")]
    [TestCase("\"\\x\"")]
    [TestCase("\"\\u12g4\"")]
    [TestCase("\"abc")]
    [TestCase("\u00A01")]
    [TestCase("{\"continuationToken\"}")]
    [TestCase("{\"continuationToken\":}")]
    [TestCase("{\"continuationToken\":\"t\"")]
    [TestCase("{\"continuationToken\":\"t\",}")]
    [TestCase("{\"a\":1,\"continuationToken\":\"t\",}")]
    [TestCase("{\"continuationToken\":[}")]
    [TestCase("{\"continuationToken\":[1")]
    [TestCase("{\"continuationToken\":{\"a\"}}")]
    [TestCase("{\"continuationToken\":\"t\"}}")]
    [TestCase("{\"continuationToken\" \"t\"}")]
    public void WhatIsNotJsonIsRefused(string json) => Assert.That(Read(json, out _), Is.False);

    // Wherever a string may stand: a name, a value, inside the value that is cut, and as the cut value itself.
    [TestCase("{0}")]
    [TestCase("[{0}]")]
    [TestCase("{{{0}:1}}")]
    [TestCase("{{\"a\":{{{0}:1}}}}")]
    [TestCase("{{\"a\":{0}}}")]
    [TestCase("{{\"continuationToken\":{0}}}")]
    [TestCase("{{\"continuationToken\":[{0}]}}")]
    [TestCase("{{\"continuationToken\":{{{0}:1}}}}")]
    [TestCase("{{\"continuationToken\":{{\"a\":[{{\"b\":{0}}}]}}}}")]
    [TestCase("{{\"continuationToken\":[[],{0}],\"a\":1}}")]
    [TestCase("{{\"continuationToken\":\"t\",\"a\":{0}}}")]
    [TestCase("{{\"continuationToken\":[],\"a\":{0}}}")]
    public void LoneSurrogatesAreRefusedWhereverTheyStand(string place)
    {
        foreach (string lone in (string[])[
            "\\ud800", "\\udbff", "\\udc00", "\\uDFFF", "a\\ud800b", "\\ud800\\ud800", "\\udc00\\ud800", "\\ud800\\u0041",
            "\\ud83d\\ude00\\ude00", "\\ud83d\\ud83d\\ude00", "\\ud800\\n", "\\ud800😀", "\\\\\\ud800"])
            Assert.That(Read(string.Format(null, place, $"\"{lone}\""), out _), Is.False, lone);
        foreach (string whole in (string[])[
            "\\ud83d\\ude00", "a\\uD83D\\uDE00\\ud83d\\ude00b", "\\\\ud800", "\\ue000\\ud7ff", "\\\\\\ud83d\\ude00", "\\u0000"])
            Assert.That(Read(string.Format(null, place, $"\"{whole}\""), out _), whole);
    }

    [Test]
    public void InvalidUtf8IsRefusedWhereverItStands()
    {
        byte[][] wrong =
        [
            [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0x80], [0xFF], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x98],
        ];
        foreach (string place in (string[])["\"#\"", "{\"#\":1}", "{\"a\":\"#\"}", "{\"continuationToken\":\"#\"}", "{\"continuationToken\":[\"#\"]}"])
            foreach (byte[] bytes in wrong)
            {
                string[] around = place.Split('#');
                byte[] json = [.. Utf8(around[0]), .. bytes, .. Utf8(around[1])];
                Assert.That(TurnBody.TryRead(json, Depth, out _), Is.False, $"{place} {Convert.ToHexString(bytes)}");
            }
    }

    [TestCase("[", "]")]
    [TestCase("{\"a\":", "}")]
    public void DepthIsRefusedBeyondItsLimit(string open, string close)
    {
        string At(int levels) =>
            string.Concat(Enumerable.Repeat(open, levels)) + (open == "[" ? "" : "1") + string.Concat(Enumerable.Repeat(close, levels));

        Assert.That(Read(At(63), out _));
        Assert.That(Read(At(64), out TurnBody body));
        Assert.That(Json(body), Is.EqualTo(At(64)));
        Assert.That(Read(At(65), out _), Is.False);
        Assert.That(Read($"{{\"continuationToken\":{At(63)}}}", out _));
        Assert.That(Read($"{{\"continuationToken\":{At(64)}}}", out _), Is.False);
        Assert.That(Read(new string('[', 100_000), out _), Is.False);
        Assert.That(TurnBody.TryRead("[[]]"u8, 1, out _), Is.False);
        Assert.That(TurnBody.TryRead("[]"u8, 1, out _));
    }

    [TestCase("", "{}")]
    [TestCase(" ", "{}")]
    [TestCase("\r\n\t ", "{}")]
    [TestCase("\uFEFF", "{}")]
    [TestCase("\uFEFF \n", "{}")]
    [TestCase("\uFEFF{\"a\":1}", "{\"a\":1}")]
    [TestCase("\uFEFF 5", "5")]
    [TestCase(" null ", "null")]
    public void AnHttpBodyMayBeBlankAndCarryAByteOrderMark(string text, string expected)
    {
        Assert.That(TurnBody.TryReadHttp(Utf8(text), Depth, out TurnBody body));
        Assert.That(Json(body), Is.EqualTo(expected));
        Assert.That(body.Token, Is.Null);
    }

    [TestCase("\uFEFF\uFEFF{}")]
    [TestCase(" \uFEFF{}")]
    [TestCase("{}\uFEFF")]
    [TestCase("\v")]
    [TestCase("\u00A0")]
    [TestCase("\0")]
    [TestCase("\uFEFF{")]
    public void AnHttpBodyIsOtherwiseJudgedAsAnyOther(string text) =>
        Assert.That(TurnBody.TryReadHttp(Utf8(text), Depth, out _), Is.False);

    [Test]
    public void HalfAByteOrderMarkIsRefused()
    {
        Assert.That(TurnBody.TryReadHttp([0xEF, 0xBB], Depth, out _), Is.False);
        Assert.That(TurnBody.TryReadHttp([0xEF, 0xBB, (byte)'1'], Depth, out _), Is.False);
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("\uFEFF{}")]
    public void AFrameHasNoByteOrderMarkAndIsNotBlank(string text) => Assert.That(Read(text, out _), Is.False);

    [Test]
    public void TheBodyIsNobodyElsesMemory()
    {
        byte[] json = Utf8("""{"a":1,"continuationToken":"t"}"""), blank = [];
        Assert.That(TurnBody.TryRead(json, Depth, out TurnBody body));
        json.AsSpan().Fill((byte)'x');
        Assert.That((Json(body), Token(body)), Is.EqualTo(("{\"a\":1}", "t")));

        Assert.That(TurnBody.TryReadHttp(blank, Depth, out TurnBody first) && TurnBody.TryReadHttp(blank, Depth, out TurnBody second)
            && !ReferenceEquals(first.Json, second.Json));
    }

    /// <summary>Every value that a generator makes, with the member put in at every place, comes back as it was without it.</summary>
    [Test]
    public void WhateverStandsBesideTheTokenStaysAsItWas([Range(1, 20)] int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < 50; round++)
        {
            List<string> members = [.. Enumerable.Range(0, random.Next(4)).Select(i => $"\"m{i}\":{Value(random, 3)}")];
            string expected = $"{{{string.Join(',', members)}}}";
            string? token = null;
            int at = 0;
            for (int tokens = random.Next(1, 4); tokens > 0; tokens--)
            {
                at = random.Next(at, members.Count + 1);
                token = random.Next(3) == 0 ? null : $"t{tokens}";
                members.Insert(at++, $"\"continuationToken\":{(token is null ? Value(random, 2, strings: false) : $"\"{token}\"")}");
            }

            string json = Spaced($"{{{string.Join(',', members)}}}", random.Next(2) == 0 ? "" : " \n");
            Assert.That(Read(json, out TurnBody body), json);
            Assert.That(Json(body), Is.EqualTo(expected), json);
            Assert.That(Token(body), Is.EqualTo(token), json);
        }
    }

    private static string Value(Random random, int depth, bool strings = true) => random.Next(depth > 0 ? 6 : 4) switch
    {
        0 => "null",
        1 => random.Next(-1000, 1000).ToString(System.Globalization.CultureInfo.InvariantCulture),
        2 => "false",
        3 => strings ? "\" ,}]{[\\\"\\\\ \\u0041ä\"" : "1.5e3",
        4 => $"[{string.Join(',', Enumerable.Range(0, random.Next(3)).Select(_ => Value(random, depth - 1)))}]",
        _ => $"{{{string.Join(',', Enumerable.Range(0, random.Next(3)).Select(i => $"\"continuationToken\":{Value(random, depth - 1)}"))}}}",
    };

    /// <summary>The same JSON with white space between all of its tokens.</summary>
    private static string Spaced(string json, string space)
    {
        StringBuilder spaced = new(space);
        bool inString = false;
        for (int i = 0; i < json.Length; i++)
        {
            char c = json[i];
            if (inString && c == '\\')
            {
                spaced.Append(c).Append(json[++i]);
                continue;
            }

            if (c == '"')
                inString = !inString;
            if (!inString && c is '{' or '}' or '[' or ']' or ',' or ':' && c != '"')
                spaced.Append(inString ? "" : space).Append(c).Append(inString ? "" : space);
            else
                spaced.Append(c);
        }

        return spaced.Append(space).ToString();
    }
}
