using System.Buffers;
using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

public class ChunkedReaderTests
{
    [TestCase("0\r\n\r\n", "")]
    [TestCase("000\r\n\r\n", "")]
    [TestCase("5\r\nhello\r\n0\r\n\r\n", "hello")]
    [TestCase("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world")]
    [TestCase("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789")]
    [TestCase("000000000000000A\r\n0123456789\r\n0\r\n\r\n", "0123456789")]
    [TestCase("2\r\n\r\n\r\n0\r\n\r\n", "\r\n")]
    [TestCase("7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n")]
    // Extensions; BWS may stand around the semicolon and the equals sign.
    [TestCase("1;a\r\nx\r\n0\r\n\r\n", "x")]
    [TestCase("1;a=b\r\nx\r\n0;c\r\n\r\n", "x")]
    [TestCase("1;a=b;c;d=\"e\"\r\nx\r\n0\r\n\r\n", "x")]
    [TestCase("1 ; a = b\t;\tc\r\nx\r\n0\r\n\r\n", "x")]
    [TestCase("1;a=\"\"\r\nx\r\n0\r\n\r\n", "x")]
    [TestCase("1;a=\"b;c\\\"\\\\ \t\u00ff\"\r\nx\r\n0\r\n\r\n", "x")]
    [TestCase("1;a=\"b\" ;c\r\nx\r\n0\r\n\r\n", "x")]
    [TestCase("1;a = \"b\"\r\nx\r\n0\r\n\r\n", "x")]
    // Trailers are dropped.
    [TestCase("0\r\nX: y\r\n\r\n", "")]
    [TestCase("0\r\nX:\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\nHost:b\u00ff\t\r\n\r\n", "")]
    public void Served(string body, string expected) =>
        Assert.That(Trace(body), Is.EqualTo($"POST / \"{expected}\" | GET /smuggled"));

    [TestCase("\r\n", "400 InvalidChunkSize")]
    [TestCase("\n", "400 BareLineFeed")]
    [TestCase(";a\r\n", "400 InvalidChunkSize")]
    [TestCase(" 5\r\nhello", "400 InvalidChunkSize")]
    [TestCase("+5\r\nhello", "400 InvalidChunkSize")]
    [TestCase("-5\r\nhello", "400 InvalidChunkSize")]
    [TestCase("-0\r\n\r\n", "400 InvalidChunkSize")]
    [TestCase("0x5\r\nhello", "400 InvalidChunkSize")]
    [TestCase("5junk\r\nhello", "400 InvalidChunkSize")]
    [TestCase("5_0\r\nhello", "400 InvalidChunkSize")]
    [TestCase("5,\r\nhello", "400 InvalidChunkSize")]
    [TestCase("5.\r\nhello", "400 InvalidChunkSize")]
    [TestCase("g\r\n", "400 InvalidChunkSize")]
    [TestCase("\u0665\r\nhello", "400 InvalidChunkSize")]
    [TestCase("5\0\r\nhello", "400 InvalidChunkSize")]
    [TestCase("5 \r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5\t\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5 5\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("00000000000000005\r\nhello", "400 InvalidChunkSize")]
    [TestCase("7fffffffffffffff\r\n", "413 BodyTooLarge")]
    [TestCase("8000000000000000\r\n", "400 InvalidChunkSize")]
    [TestCase("ffffffffffffffff\r\n", "400 InvalidChunkSize")]
    [TestCase("10000000000000005\r\nhello", "400 InvalidChunkSize")]
    [TestCase("3e8\r\n", "...")]
    [TestCase("3e9\r\n", "413 BodyTooLarge")]
    [TestCase("1\r\nx\r\n3e8\r\n", "413 BodyTooLarge")]
    [TestCase("1\r\nx\r\n7fffffffffffffff\r\n", "413 BodyTooLarge")]
    [TestCase("3e9;\r\n", "400 InvalidChunkExtension")]
    // Extensions by grammar.
    [TestCase("5;\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5; \r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;;a\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;=a\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a=\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a= \r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a \r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a=b \r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a b\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a=b c\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a==b\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a=b=c\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a,b\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;\"a\"\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a=\"b\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a=\"b\"c\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a=\"\\\0\"\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a=\"\u007f\"\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a\0b\r\nhello", "400 InvalidChunkExtension")]
    [TestCase("5;a\u00e9\r\nhello", "400 InvalidChunkExtension")]
    // Line ends.
    [TestCase("5\nhello", "400 BareLineFeed")]
    [TestCase("5;a\nhello", "400 BareLineFeed")]
    [TestCase("5;a=\"\n\"\r\nhello", "400 BareLineFeed")]
    [TestCase("5\rhello", "400 BareCarriageReturn")]
    [TestCase("5\r\r\nhello", "400 BareCarriageReturn")]
    [TestCase("5;a\rb\r\nhello", "400 BareCarriageReturn")]
    [TestCase("5\r\nhello0\r\n\r\n", "400 MissingChunkEnd")]
    [TestCase("5\r\nhello\n0\r\n\r\n", "400 MissingChunkEnd")]
    [TestCase("5\r\nhello\r0\r\n\r\n", "400 MissingChunkEnd")]
    [TestCase("5\r\nhelloX\r\n0\r\n\r\n", "400 MissingChunkEnd")]
    [TestCase("4\r\nhello\r\n0\r\n\r\n", "400 MissingChunkEnd")]
    [TestCase("5\r\nhello\r\n\r\n0\r\n\r\n", "400 InvalidChunkSize")]
    [TestCase("0\r\n\n", "400 BareLineFeed")]
    [TestCase("0\n\r\n", "400 BareLineFeed")]
    [TestCase("0\r\n\rX", "400 BareCarriageReturn")]
    // Trailers by grammar. A request behind a missing empty line is one of them.
    [TestCase("0\r\n", "400 InvalidFieldName")]
    [TestCase("0\r\n X: y\r\n\r\n", "400 FoldedFieldLine")]
    [TestCase("0\r\nX: y\r\n z\r\n\r\n", "400 FoldedFieldLine")]
    [TestCase("0\r\nX : y\r\n\r\n", "400 InvalidFieldName")]
    [TestCase("0\r\n: y\r\n\r\n", "400 InvalidFieldName")]
    [TestCase("0\r\nX\r\n\r\n", "400 InvalidFieldName")]
    [TestCase("0\r\nX\n\r\n", "400 BareLineFeed")]
    [TestCase("0\r\nX: \0\r\n\r\n", "400 InvalidFieldValue")]
    [TestCase("0\r\nX: y\n\r\n", "400 BareLineFeed")]
    [TestCase("0\r\nX: y\rz\r\n\r\n", "400 BareCarriageReturn")]
    public void Refused(string body, string expected) => Assert.That(Trace(body), Is.EqualTo(expected));

    [TestCase("5\r\nhel")]
    [TestCase("5\r\nhello")]
    [TestCase("5\r\nhello\r\n")]
    [TestCase("5\r\nhello\r\n0")]
    [TestCase("5\r\nhello\r\n0\r\n")]
    [TestCase("5\r\nhello\r\n0\r\n\r")]
    [TestCase("0\r\nX: y\r\n")]
    [TestCase("5;a=\"")]
    public void Cut_off(string body) =>
        Assert.That(EveryWay.Trace(Bytes.Of(Head + body)), Is.EqualTo("..."));

    [Test]
    public void A_body_that_is_dropped_is_judged_all_the_same()
    {
        Assert.That(ReadDropped("5\r\nhello\r\n0\r\n\r\n"), Is.EqualTo(RejectionReason.None));
        Assert.That(ReadDropped("5\r\nhello0\r\n\r\n"), Is.EqualTo(RejectionReason.MissingChunkEnd));
    }

    [Test]
    public void Reset_forgets_a_body_that_was_left_half_read(
        [Values("5\r\nhel", "5;a=\"", "5\r\nhello\r\n0\r\nX: y")] string half)
    {
        var reader = new ChunkedReader(ChunkedLimits.Default);
        Assert.That(Read(reader, half).Status, Is.EqualTo(OperationStatus.NeedMoreData));
        reader.Reset();
        Assert.That(Read(reader, "2\r\nok\r\n0\r\n\r\n"), Is.EqualTo((OperationStatus.Done, RejectionReason.None, "ok")));
    }

    private const string Head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    private static string Trace(string body) =>
        EveryWay.Trace(Bytes.Of($"{Head}{body}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"));

    private static RejectionReason ReadDropped(string body)
    {
        var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(Bytes.Of(body)));
        new ChunkedReader(ChunkedLimits.Default).Read(ref input, null, 100, out RejectionReason why);
        return why;
    }

    private static (OperationStatus Status, RejectionReason Why, string Body) Read(ChunkedReader reader, string bytes)
    {
        var input = new SequenceReader<byte>(new ReadOnlySequence<byte>(Bytes.Of(bytes)));
        var body = new ArrayBufferWriter<byte>();
        OperationStatus status = reader.Read(ref input, body, 100, out RejectionReason why);
        return (status, why, Bytes.Text(body.WrittenSpan));
    }
}
