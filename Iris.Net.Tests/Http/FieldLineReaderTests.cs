using System.Buffers;
using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

public class FieldLineReaderTests
{
    [TestCase("X: y\r\n", "GET /")]
    [TestCase("X:y\r\n", "GET /")]
    [TestCase("X:\r\n", "GET /")]
    [TestCase("X: \t \r\n", "GET /")]
    [TestCase("X:\ty\t\r\n", "GET /")]
    [TestCase("X: a\tb c\r\n", "GET /")]
    [TestCase("X: \u0080\u00ff\u00c3\u00a9\r\n", "GET /")]
    [TestCase("X: :;,\"()<>@{}[]\\\r\n", "GET /")]
    [TestCase("!#$%&'*+-.^_`|~09azAZ: y\r\n", "GET /")]
    [TestCase("X: y\r\nX: y\r\nx: z\r\n", "GET /")]
    // Obsolete folding, and white space before the first name.
    [TestCase(" X: y\r\n", "400 FoldedFieldLine")]
    [TestCase("\tX: y\r\n", "400 FoldedFieldLine")]
    [TestCase("X: y\r\n z\r\n", "400 FoldedFieldLine")]
    [TestCase("X: y\r\n\tz\r\n", "400 FoldedFieldLine")]
    [TestCase("X: y\r\n \r\n", "400 FoldedFieldLine")]
    [TestCase(" \r\n", "400 FoldedFieldLine")]
    // A name is a token, and its colon follows at once.
    [TestCase("X : y\r\n", "400 InvalidFieldName")]
    [TestCase("X\t: y\r\n", "400 InvalidFieldName")]
    [TestCase(": y\r\n", "400 InvalidFieldName")]
    [TestCase("X\r\n", "400 InvalidFieldName")]
    [TestCase("X y\r\n", "400 InvalidFieldName")]
    [TestCase("X Y: z\r\n", "400 InvalidFieldName")]
    [TestCase("X\0: y\r\n", "400 InvalidFieldName")]
    [TestCase("X\u0001: y\r\n", "400 InvalidFieldName")]
    [TestCase("X\u007f: y\r\n", "400 InvalidFieldName")]
    [TestCase("X\u00e9: y\r\n", "400 InvalidFieldName")]
    [TestCase("X(: y\r\n", "400 InvalidFieldName")]
    [TestCase("X/Y: z\r\n", "400 InvalidFieldName")]
    [TestCase("X@Y: z\r\n", "400 InvalidFieldName")]
    [TestCase("[X]: z\r\n", "400 InvalidFieldName")]
    [TestCase("{X}: z\r\n", "400 InvalidFieldName")]
    [TestCase("X;Y: z\r\n", "400 InvalidFieldName")]
    [TestCase("X=Y\r\n", "400 InvalidFieldName")]
    [TestCase("\"X\": z\r\n", "400 InvalidFieldName")]
    [TestCase("X\r: y\r\n", "400 InvalidFieldName")]
    [TestCase("GET /b HTTP/1.1\r\n", "400 InvalidFieldName")]
    // A value has no control byte but HTAB, and every line ends with CRLF.
    [TestCase("X: a\0b\r\n", "400 InvalidFieldValue")]
    [TestCase("X: a\u0001b\r\n", "400 InvalidFieldValue")]
    [TestCase("X: a\u0008b\r\n", "400 InvalidFieldValue")]
    [TestCase("X: a\u000bb\r\n", "400 InvalidFieldValue")]
    [TestCase("X: a\u000cb\r\n", "400 InvalidFieldValue")]
    [TestCase("X: a\u001bb\r\n", "400 InvalidFieldValue")]
    [TestCase("X: a\u001fb\r\n", "400 InvalidFieldValue")]
    [TestCase("X: a\u007fb\r\n", "400 InvalidFieldValue")]
    [TestCase("X: \0\r\n", "400 InvalidFieldValue")]
    [TestCase("X: a\nY: b\r\n", "400 BareLineFeed")]
    [TestCase("X: a\n\r\n", "400 BareLineFeed")]
    [TestCase("X\n", "400 BareLineFeed")]
    [TestCase("\n", "400 BareLineFeed")]
    [TestCase("X: a\rY: b\r\n", "400 BareCarriageReturn")]
    [TestCase("X: a\r\r\n", "400 BareCarriageReturn")]
    [TestCase("X: \ra\r\n", "400 BareCarriageReturn")]
    [TestCase("\r\r\n", "400 BareCarriageReturn")]
    [TestCase("\rX: a\r\n", "400 BareCarriageReturn")]
    public void Field_lines(string lines, string expected) =>
        Assert.That(EveryWay.Trace(Bytes.Of($"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")), Is.EqualTo(expected));

    [TestCase("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 FoldedFieldLine")]
    [TestCase("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 InvalidFieldName")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\n\r\n", "400 BareLineFeed")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\n\n", "400 BareLineFeed")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\n\rGET /b HTTP/1.1\r\nHost: a\r\n\r\n", "400 BareCarriageReturn")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", "GET / | GET /b")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", "GET / | GET /b")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b", "GET / | ...")]
    [TestCase("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", "400 InvalidFieldValue")]
    public void Heads(string bytes, string expected) => Assert.That(EveryWay.Trace(Bytes.Of(bytes)), Is.EqualTo(expected));

    [Test]
    public void Fields_come_in_order_with_their_case_and_without_white_space_around_them()
    {
        RequestHead head = HeadOf("X-One: 1\r\nx-TWO:\t two words \t\r\nX-One:\r\nThree: \u00fc,\t\u00ff\r\n");
        var fields = new List<string>();
        for (int i = 0; i < head.Headers.Count; i++)
            fields.Add($"{Bytes.Text(head.Headers[i].Name)}={Bytes.Text(head.Headers[i].Value)}");
        Assert.That(fields, Is.EqualTo(["Host=a", "X-One=1", "x-TWO=two words", "X-One=", "Three=\u00fc,\t\u00ff"]));
    }

    [Test]
    public void Names_are_found_without_case()
    {
        HeaderList headers = HeadOf("X-One: 1\r\nX-Two: 2\r\nx-one: 3\r\n").Headers;
        Assert.That(headers.TryGet("x-ONE"u8, out ReadOnlySpan<byte> first), Is.True);
        Assert.That(Bytes.Text(first), Is.EqualTo("1"));
        Assert.That(headers.CountOf("X-ONE"u8), Is.EqualTo(2));
        Assert.That(headers.CountOf("x-three"u8), Is.Zero);
        Assert.That(headers.TryGet("x-three"u8, out _), Is.False);
        Assert.That(headers.TryGet("X_One"u8, out _), Is.False);
        var values = new List<string>();
        foreach (ReadOnlySpan<byte> value in headers.ValuesOf("x-one"u8))
            values.Add(Bytes.Text(value));
        Assert.That(values, Is.EqualTo(["1", "3"]));
    }

    [Test]
    public void Positions_outside_are_our_own_mistake()
    {
        HeaderList headers = HeadOf("").Headers;
        Assert.That(() => headers[1].Name.Length, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => headers[-1].Name.Length, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [TestCase("", false)]
    [TestCase("Connection: upgrade\r\n", true)]
    [TestCase("Connection: keep-alive, Upgrade\r\n", true)]
    [TestCase("Connection: keep-alive\r\nConnection:,UPGRADE ,\r\n", true)]
    [TestCase("Connection: upgrades, xupgrade\r\n", false)]
    [TestCase("Connection: upgrade;x\r\n", false)]
    [TestCase("Connection: keep-alive upgrade\r\n", false)]
    [TestCase("Connection: \"a, upgrade\"\r\n", false)]
    [TestCase("Connection: \"a\\\", upgrade, b\"\r\n", false)]
    [TestCase("Connection: \"a\", upgrade\r\n", true)]
    [TestCase("Connection: \"a, upgrade\r\n", false)]
    public void Members_of_lists(string lines, bool expected) =>
        Assert.That(HeadOf(lines).Headers.HasMember("connection"u8, "upgrade"u8), Is.EqualTo(expected));

    [Test]
    public void A_head_outlives_the_bytes_it_came_from_and_forgets_them_when_cleared()
    {
        byte[] bytes = Bytes.Of("GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n");
        RequestHead head = Read(new ReadOnlySequence<byte>(bytes));
        bytes.AsSpan().Fill((byte)'x');
        Assert.That(Bytes.Text(head.Target), Is.EqualTo("/a?b"));
        Assert.That(Bytes.Text(head.Host), Is.EqualTo("a"));
        head.Clear();
        Assert.That(head.Headers.Count, Is.Zero);
        Assert.That(head.Target.Length + head.Method.Length + head.Path.Length + head.Host.Length, Is.Zero);
    }

    private static RequestHead HeadOf(string lines) =>
        Read(Bytes.Cut(Bytes.Of($"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"), 3, 20));

    private static RequestHead Read(ReadOnlySequence<byte> bytes)
    {
        var input = new SequenceReader<byte>(bytes);
        var head = new RequestHead();
        OperationStatus status = RequestHeadReader.TryRead(ref input, RequestHeadLimits.Default, head, out _);
        Assert.That(status, Is.EqualTo(OperationStatus.Done));
        Assert.That(input.End, Is.True);
        return head;
    }
}
