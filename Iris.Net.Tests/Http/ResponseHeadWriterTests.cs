using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

public class ResponseHeadWriterTests
{
    private static readonly byte[] Date = Bytes.Of("Sun, 06 Nov 1994 08:49:37 GMT");

    [Test]
    public void Fields_come_before_Date_Connection_and_the_framing()
    {
        var fields = new TightWriter();
        FieldLineWriter.Write(fields, "content-type"u8, "text/plain"u8);
        FieldLineWriter.Write(fields, "X-Empty"u8, ""u8);
        var head = new ResponseHead
        {
            Status = 200,
            FieldLines = fields.Written,
            Date = Date,
            Framing = BodyFraming.OfLength(42),
            Close = true,
        };
        Assert.That(Write(head), Is.EqualTo(
            "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nX-Empty: \r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n" +
            "Connection: close\r\nContent-Length: 42\r\n\r\n"));
    }

    [TestCase(200, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [TestCase(404, "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [TestCase(599, "HTTP/1.1 599 \r\nTransfer-Encoding: chunked\r\n\r\n")]
    [TestCase(205, "HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [TestCase(101, "HTTP/1.1 101 Switching Protocols\r\n\r\n")]
    [TestCase(204, "HTTP/1.1 204 No Content\r\n\r\n")]
    [TestCase(304, "HTTP/1.1 304 Not Modified\r\n\r\n")]
    public void No_framing_where_the_status_allows_no_content(int status, string expected) =>
        Assert.That(Write(new ResponseHead { Status = status, Framing = BodyFraming.Chunked }), Is.EqualTo(expected));

    [TestCase(0L, "0")]
    [TestCase(1048576L, "1048576")]
    [TestCase(long.MaxValue, "9223372036854775807")]
    public void Lengths(long length, string digits) =>
        Assert.That(Write(new ResponseHead { Status = 200, Framing = BodyFraming.OfLength(length) }),
            Is.EqualTo($"HTTP/1.1 200 OK\r\nContent-Length: {digits}\r\n\r\n"));

    [Test]
    public void Every_status_has_a_head()
    {
        foreach (int status in Enumerable.Range(100, 500))
            Assert.That(
                Write(new() { Status = status, Date = Date, Close = true, Framing = BodyFraming.OfLength(long.MaxValue) }),
                Does.StartWith($"HTTP/1.1 {status} ").And.EndsWith("\r\n\r\n"));
    }

    [TestCase(99)]
    [TestCase(600)]
    [TestCase(-1)]
    public void A_status_that_does_not_exist_is_our_own_mistake(int status) =>
        Assert.That(() => Write(new ResponseHead { Status = status }), Throws.TypeOf<ArgumentOutOfRangeException>());

    [TestCase("", "v")]
    [TestCase("a b", "v")]
    [TestCase("a:", "v")]
    [TestCase("a\r\nb", "v")]
    [TestCase("\u00e9", "v")]
    [TestCase("a", "v\r\nb: c")]
    [TestCase("a", "v\n")]
    [TestCase("a", "\r")]
    [TestCase("a", "\0")]
    [TestCase("a", "\u007f")]
    [TestCase("Content-Length", "1")]
    [TestCase("content-length", "1")]
    [TestCase("Transfer-Encoding", "chunked")]
    public void A_field_that_would_forge_another_is_our_own_mistake(string name, string value) =>
        Assert.That(() => FieldLineWriter.Write(new TightWriter(), Bytes.Of(name), Bytes.Of(value)),
            Throws.ArgumentException);

    [Test]
    public void Every_refusal_has_a_status_with_a_reason_phrase_and_one_sentence(
        [Values] RejectionReason reason)
    {
        if (reason == RejectionReason.None)
        {
            Assert.That(() => Rejection.StatusOf(reason), Throws.TypeOf<ArgumentOutOfRangeException>());
            return;
        }
        Assert.That(StatusLine.ReasonOf(Rejection.StatusOf(reason)).Length, Is.Positive);
        Assert.That(Rejection.StatusOf(reason), Is.InRange(400, 505));
        Assert.That(Rejection.TextOf(reason), Does.Match("^[A-Z][^.]*(1\\.0[^.]*)?\\.$"));
    }

    [TestCase("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT")]
    [TestCase("2024-02-29T23:59:59.999Z", "Thu, 29 Feb 2024 23:59:59 GMT")]
    [TestCase("2025-01-01T00:30:00+01:00", "Tue, 31 Dec 2024 23:30:00 GMT")]
    [TestCase("9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT")]
    public void Dates(string time, string expected) =>
        Assert.That(Bytes.Text(new HttpDate().Of(DateTimeOffset.Parse(time))), Is.EqualTo(expected));

    [Test]
    public void A_date_is_formatted_once_a_second()
    {
        var date = new HttpDate();
        DateTimeOffset noon = DateTimeOffset.Parse("2024-02-29T12:00:00Z");
        ReadOnlySpan<byte> first = date.Of(noon);
        Assert.That(date.Of(noon.AddMilliseconds(999)) == first, Is.True);
        Assert.That(Bytes.Text(date.Of(noon.AddSeconds(1))), Is.EqualTo("Thu, 29 Feb 2024 12:00:01 GMT"));
        Assert.That(Bytes.Text(first), Is.EqualTo("Thu, 29 Feb 2024 12:00:00 GMT"));
        Assert.That(Bytes.Text(date.Of(noon)), Is.EqualTo("Thu, 29 Feb 2024 12:00:00 GMT"));
    }

    private static string Write(in ResponseHead head)
    {
        var output = new TightWriter();
        ResponseHeadWriter.Write(output, head);
        return Bytes.Text(output.Written);
    }
}
