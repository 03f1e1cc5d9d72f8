using System.Text;
using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>Which bytes are a body, judged on arrival.</summary>
public sealed class BodyTests
{
    private const string Malformed = "malformed JSON body";

    // Latin-1 is the bytes themselves.
    private static readonly TestCaseData[] MalformedBodies =
    [
        Named("a word", "hello"),
        Named("an open object", "{"),
        Named("an open string", "\"a"),
        Named("a trailing comma", "{\"a\":1,}"),
        Named("a trailing comma in an array", "[1,]"),
        Named("a comment", "{}//x"),
        Named("a comment between tokens", "{/*x*/}"),
        Named("two values", "{}{}"),
        Named("a value and a word", "{} x"),
        Named("a name without quotes", "{a:1}"),
        Named("single quotes", "{'a':1}"),
        Named("a leading zero", "01"),
        Named("a plus", "+1"),
        Named("a point without digits", "1."),
        Named("not a number", "NaN"),
        Named("a capital", "True"),
        Named("a control character in a string", "\"a\nb\""),
        Named("NUL", "\0"),
        Named("NUL after the value", "{}\0"),
        Named("an escape that is none", "\"\\x41\""),
        Named("a short escape", "\"\\u12\""),
        Named("the byte FF", "\"\u00ff\""),
        Named("an overlong NUL", "\"\u00c0\u0080\""),
        Named("an overlong slash", "\"\u00e0\u0080\u00af\""),
        Named("half a character", "\"\u00c3\""),
        Named("an encoded surrogate", "\"\u00ed\u00a0\u0080\""),
        Named("beyond the last character", "\"\u00f4\u0090\u0080\u0080\""),
        Named("invalid UTF-8 in a name", "{\"\u00ff\":1}"),
        Named("a lone high surrogate", "\"\\ud800\""),
        Named("a lone high surrogate before text", "\"\\ud800x\""),
        Named("a lone high surrogate before another escape", "\"\\ud800\\n\""),
        Named("two high surrogates", "\"\\ud800\\ud800\\udc00\""),
        Named("a lone low surrogate", "\"\\udc00\""),
        Named("a lone surrogate in capitals", "\"\\uD83D\""),
        Named("a lone surrogate in a name", "{\"\\udfff\":1}"),
        Named("a lone surrogate deep down", "[[{\"a\":[\"\\ud83d\"]}]]"),
        Named("surrogates in the wrong order", "\"\\ude00\\ud83d\""),
        Named("two byte order marks", "\u00ef\u00bb\u00bf\u00ef\u00bb\u00bf{}"),
        Named("a byte order mark inside", "{\u00ef\u00bb\u00bf}"),
        Named("UTF-16", "\u00ff\u00fe{\0}\0"),
        Named("a value 65 deep", new string('[', 65) + new string(']', 65)),
        Named("an object 65 deep", Nest(65)),
        Named("a value endlessly deep", new string('[', 100_000)),
    ];

    private static readonly TestCaseData[] GoodBodies =
    [
        new TestCaseData("", "{}").SetName("{m}(empty)"),
        new TestCaseData(" \t\r\n ", "{}").SetName("{m}(blank)"),
        new TestCaseData("\u00ef\u00bb\u00bf", "{}").SetName("{m}(a byte order mark alone)"),
        new TestCaseData("\u00ef\u00bb\u00bf \n", "{}").SetName("{m}(a byte order mark and blanks)"),
        new TestCaseData("\u00ef\u00bb\u00bf{\"a\":1}", "{\"a\":1}").SetName("{m}(after a byte order mark)"),
        new TestCaseData(" \r\n{\t} ", "{}").SetName("{m}(white space around)"),
        new TestCaseData("\"\\ud83d\\ude00\"", "\"😀\"").SetName("{m}(a pair of surrogates)"),
        new TestCaseData("\"\\uD83D\\uDE00\\ud83d\\ude00\"", "\"😀😀\"").SetName("{m}(two pairs)"),
        new TestCaseData("\"\\\\ud800\"", "\"\\\\ud800\"").SetName("{m}(a backslash before a word)"),
        new TestCaseData("\"\u00f0\u009f\u0098\u0080\"", "\"😀\"").SetName("{m}(four bytes)"),
        new TestCaseData("\"\\u0000\\/\"", "\"\\u0000/\"").SetName("{m}(escapes)"),
        new TestCaseData("1e400", "1e400").SetName("{m}(a number beyond any double)"),
        new TestCaseData(new string('[', 64) + new string(']', 64), new string('[', 64) + new string(']', 64)).SetName("{m}(a value 64 deep)"),
        new TestCaseData(Nest(64), Nest(64)).SetName("{m}(an object 64 deep)"),
    ];

    private Channel _channel = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _channel = await Channel.StartAsync(Programs.Echo);

    [OneTimeTearDown]
    public ValueTask StopAsync() => _channel.DisposeAsync();

    [TestCaseSource(nameof(MalformedBodies))]
    public async Task Is_refused(string latin)
    {
        // Before the route or the session is looked at, and whatever the content type says.
        foreach (string target in (string[])["/v1/session", "/v1/session/nope/message", "/v1/session?stream=1", "/v1/nope"])
        {
            RawResponse refusal = await _channel.AskAsync(RawRequest.Post(target, Encoding.Latin1.GetBytes(latin), "Accept: text/event-stream"));
            WireForm.CheckRefusal(refusal, 400, Malformed, "malformed-json");
        }
    }

    [TestCaseSource(nameof(GoodBodies))]
    public async Task Is_a_body(string latin, string expected)
    {
        foreach (string type in (string[])["Content-Type: application/json", "Content-Type: text/plain", "X: no content type"])
        {
            RawResponse reply = await _channel.AskAsync(RawRequest.Post("/v1/session", Encoding.Latin1.GetBytes(latin), type));
            Assert.That(reply.Status, Is.EqualTo(200), reply.ToString());
            JsonDocumentOptions deep = new() { MaxDepth = 100 };
            using JsonDocument document = JsonDocument.Parse(reply.Body, deep);
            using JsonDocument wanted = JsonDocument.Parse(expected, deep);
            Assert.That(
                JsonElement.DeepEquals(document.RootElement.GetProperty("output"), wanted.RootElement) || reply.Text.Contains($"\"output\":{expected}}}", StringComparison.Ordinal),
                reply.ToString());
        }
    }

    [Test]
    public async Task Malformed_JSON_is_found_before_a_malformed_session_id() => WireForm.CheckRefusal(
        await _channel.AskAsync(RawRequest.Post("/v1/session/%ZZ/message", "{")), 400, Malformed, "malformed-json");

    [Test]
    public async Task Of_equal_names_the_last_counts()
    {
        RawResponse reply = await _channel.AskAsync(RawRequest.Post("/v1/session", """{"a":1,"a":2}"""));
        Assert.That(reply.Json.GetProperty("output").GetProperty("a").GetInt32(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_start_without_any_body_gets_an_empty_object()
    {
        RawResponse reply = await _channel.AskAsync(new RawRequest("POST", "/v1/session", "Content-Length: 0"));
        Assert.That(reply.Json.GetProperty("output").GetRawText(), Is.EqualTo("{}"));
    }

    [Test]
    public async Task A_chunked_body_is_a_body()
    {
        RawResponse reply = await _channel.AskAsync(RawRequest.Post(
            "/v1/session", "4\r\n{\"a\"\r\n4\r\n:12}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"));
        Assert.That(reply.Json.GetProperty("output").GetRawText(), Is.EqualTo("{\"a\":12}"));
    }

    [TestCase(1_048_575)]
    [TestCase(1_048_576)]
    public async Task A_body_of_a_mebibyte_is_taken(int size)
    {
        RawResponse reply = await _channel.AskAsync(RawRequest.Post("/v1/session", $"\"{new string('x', size - 2)}\""));
        Assert.That((reply.Status, reply.Json.GetProperty("output").GetString()?.Length), Is.EqualTo((200, size - 2)));
    }

    [TestCase("Content-Length: 1048577")]
    [TestCase("Content-Length: 99999999999")]
    public async Task A_longer_body_is_refused_before_it_is_read(string length)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        RawResponse refusal = await connection.AskAsync(new RawRequest("POST", "/v1/session", length));
        WireForm.CheckRefusal(refusal, 413, "body too large", "body-too-large");
        Assert.That(refusal["Connection"], Is.EqualTo("close"));
        connection.ShutdownSend();
        Assert.That(await connection.ReadToEndAsync(), Is.Empty);
    }

    [Test]
    public async Task Too_long_is_judged_before_what_a_browser_calls_it()
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        RawResponse refusal = await connection.AskAsync(
            new RawRequest("POST", "/v1/session", "Sec-Fetch-Site: none", "Content-Type: text/plain", "Content-Length: 1048577"));
        WireForm.CheckRefusal(refusal, 413, "body too large", "body-too-large");
    }

    [Test]
    public async Task A_chunked_body_that_grows_too_long_is_refused()
    {
        await using RawConnection connection = await RawConnection.OpenAsync(_channel.Url);
        await connection.WriteAsync(new RawRequest("POST", "/v1/session", "Transfer-Encoding: chunked").Bytes(_channel.Url));
        string half = $"80000\r\n{new string(' ', 0x80000)}\r\n";
        await connection.WriteAsync(half + half + "1\r\n");
        RawResponse refusal = await connection.ReadResponseAsync();
        WireForm.CheckRefusal(refusal, 413, "body too large", "body-too-large");
    }

    private static TestCaseData Named(string name, string latin) => new TestCaseData(latin).SetName($"{{m}}({name})");

    private static string Nest(int depth) =>
        string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
}
