using System.Buffers;
using Iris.Net.Http;

namespace Iris.Net.Tests.Http;

/// <summary>Each limit one below, at it, and one above.</summary>
public class LimitTests
{
    private const string Request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    [TestCase(8191, true)]
    [TestCase(8192, true)]
    [TestCase(8193, false)]
    public void Request_line(int length, bool served)
    {
        string path = "/" + new string('a', length - "GET / HTTP/1.1".Length);
        Assert.That(Trace($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"),
            Is.EqualTo(served ? $"GET {path}" : "414 RequestLineTooLong"));
    }

    [TestCase(8191, "400 MalformedRequestLine")]
    [TestCase(8192, "400 MethodTooLong")]
    [TestCase(8193, "400 MethodTooLong")]
    [TestCase(20000, "400 MethodTooLong")]
    public void Method_alone(int length, string expected) =>
        Assert.That(Trace(new string('A', length) + "\r\nHost: a\r\n\r\n"), Is.EqualTo(expected));

    [Test]
    public void A_line_that_never_ends_is_refused_where_the_limit_is([Values("GET /", "GET / HTTP/1.1\r\nX: ")] string start)
    {
        int limit = start == "GET /" ? 8192 : 16 + 32768;
        string expected = start == "GET /" ? "414 RequestLineTooLong" : "431 HeadersTooLarge";
        Assert.That(Trace(start + new string('a', limit - 1 - start.Length)), Is.EqualTo("..."));
        Assert.That(Trace(start + new string('a', limit - start.Length)), Is.EqualTo(expected));
        Assert.That(Trace(start + new string('a', 50000)), Is.EqualTo(expected));
    }

    [TestCase("", "\u0016", "400 MalformedRequestLine")]
    [TestCase("\r\n", "\u0016", "400 MalformedRequestLine")]
    [TestCase("\r", "\r", "400 BareCarriageReturn")]
    [TestCase("AAAAAAA", "A", "400 MethodTooLong")]
    [TestCase("GET /aa", "a", "414 RequestLineTooLong")]
    [TestCase("\r\nGET /aa", "a", "414 RequestLineTooLong")]
    [TestCase("G / HTTP/1.1\r\nX: 45", "6", "431 HeadersTooLarge")]
    [TestCase("\r\nG / HTTP/1.1\r\nX: 45", "6", "431 HeadersTooLarge")]
    public void Who_waits_for_a_line_end_does_not_wait_beyond_a_limit(string start, string next, string expected)
    {
        int line = start.Contains("HTTP") ? 12 : 8;
        var trace = new RequestTrace(new() { RequestLine = line, HeadersTotal = 6 }) { Patient = true };
        Assert.That(trace.Take(new(Bytes.Of(start))), Is.Zero);
        Assert.That(trace.ToString(), Is.Empty);
        trace.Take(new(Bytes.Of(start + next)));
        Assert.That(trace.ToString(), Is.EqualTo(expected));
    }

    [Test]
    public void Who_waits_for_a_line_end_does_not_read_again_before_it()
    {
        var head = new RequestHead();
        var input = new SequenceReader<byte>(new(Bytes.Of("GET / HT")));
        Assert.That(RequestHeadReader.TryRead(ref input, RequestHeadLimits.Default, head, out _),
            Is.EqualTo(OperationStatus.NeedMoreData));
        Assert.That(RequestHeadReader.CanDecide(new(Bytes.Of("GET / HTTP/1.1\r")), head), Is.False);
        Assert.That(RequestHeadReader.CanDecide(Bytes.Cut(Bytes.Of("GET / HTTP/1.1\r\n"), 5, 12), head), Is.True);
    }

    [TestCase("GET /{0} HTTP/1.1 ", "400 MalformedVersion")]
    [TestCase("GET /{0} HTTP/1.10", "400 MalformedVersion")]
    [TestCase("GET /{0} HTTP/1.2", "505 UnsupportedVersion")]
    [TestCase("GET /{0}#", "400 InvalidRequestTarget")]
    public void What_is_wrong_within_the_limit_is_told_before_the_length(string format, string expected)
    {
        string line = string.Format(format, new string('a', 8192 - format.Length + 3));
        Assert.That(line, Has.Length.EqualTo(8192));
        Assert.That(Trace($"{line}\r\nHost: a\r\n\r\n"), Is.EqualTo(expected));
    }

    [TestCase(32767, true)]
    [TestCase(32768, true)]
    [TestCase(32769, false)]
    public void All_field_lines(int size, bool served)
    {
        string host = "Host: a\r\n";
        foreach (int lines in new[] { 1, 50 })
        {
            string filler = string.Concat(Enumerable.Repeat("Y: 12345\r\n", lines - 1));
            string last = $"X: {new string('x', size - host.Length - filler.Length - 5)}\r\n";
            Assert.That(Trace($"GET / HTTP/1.1\r\n{host}{filler}{last}\r\n"),
                Is.EqualTo(served ? "GET /" : "431 HeadersTooLarge"));
        }
    }

    [TestCase(99, true)]
    [TestCase(100, true)]
    [TestCase(101, false)]
    public void Field_lines(int count, bool served)
    {
        string lines = string.Concat(Enumerable.Range(1, count - 1).Select(i => $"X{i}: {i}\r\n"));
        Assert.That(Trace($"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n"), Is.EqualTo(served ? "GET /" : "431 TooManyHeaders"));
    }

    [TestCase(7, true)]
    [TestCase(8, true)]
    [TestCase(9, false)]
    public void Empty_lines_before_the_request_line(int count, bool served) =>
        Assert.That(Trace(string.Concat(Enumerable.Repeat("\r\n", count)) + Request),
            Is.EqualTo(served ? "GET /" : "400 TooManyLeadingEmptyLines"));

    [Test]
    public void The_longest_head_of_all_is_served()
    {
        string path = "/" + new string('a', 8192 - "GET / HTTP/1.1".Length);
        string last = $"X: {new string('x', 32768 - "Host: a\r\n".Length - 5)}\r\n";
        Assert.That(Trace($"{string.Concat(Enumerable.Repeat("\r\n", 8))}GET {path} HTTP/1.1\r\nHost: a\r\n{last}\r\n"),
            Is.EqualTo($"GET {path}"));
    }

    [TestCase(999, true)]
    [TestCase(1000, true)]
    [TestCase(1001, false)]
    public void Chunked_body(int size, bool served)
    {
        string data = new('x', size - 1);
        string expected = served ? $"POST / \"y{data}\"" : "413 BodyTooLarge";
        Assert.That(Trace($"{ChunkedHead}1\r\ny\r\n{size - 1:x}\r\n{data}\r\n0\r\n\r\n"), Is.EqualTo(expected));
    }

    [Test]
    public void A_chunk_that_announces_too_much_is_refused_before_its_data() =>
        Assert.That(Trace($"{ChunkedHead}{RequestTrace.MaxBody + 1:x}\r\n"), Is.EqualTo("413 BodyTooLarge"));

    [TestCase(4095, true)]
    [TestCase(4096, true)]
    [TestCase(4097, false)]
    public void Chunk_sizes_and_extensions(int size, bool served)
    {
        string expected = served ? "POST / \"x\"" : "413 ChunkOverheadTooLarge";
        string name = new('n', size - "1;\r\n0\r\n".Length);
        Assert.That(Trace($"{ChunkedHead}1;{name}\r\nx\r\n0\r\n\r\n"), Is.EqualTo(expected));
        Assert.That(Trace($"{ChunkedHead}1\r\nx\r\n0;{name}\r\n\r\n"), Is.EqualTo(expected));
    }

    [Test]
    public void Many_small_chunks_are_overhead_too()
    {
        string chunks = string.Concat(Enumerable.Repeat("1\r\nx\r\n", 50));
        Assert.That(EveryWay.Trace(Bytes.Of($"{ChunkedHead}{chunks}0\r\n\r\n"), chunked: new() { Overhead = 153 }),
            Is.EqualTo($"POST / \"{new string('x', 50)}\""));
        Assert.That(EveryWay.Trace(Bytes.Of($"{ChunkedHead}{chunks}0\r\n\r\n"), chunked: new() { Overhead = 152 }),
            Is.EqualTo("413 ChunkOverheadTooLarge"));
    }

    [TestCase(15, true)]
    [TestCase(16, true)]
    [TestCase(17, false)]
    public void Digits_of_a_chunk_size(int digits, bool served) =>
        Assert.That(Trace($"{ChunkedHead}{1.ToString($"x{digits}")}\r\nx\r\n0\r\n\r\n"),
            Is.EqualTo(served ? "POST / \"x\"" : "400 InvalidChunkSize"));

    [TestCase(32767, true)]
    [TestCase(32768, true)]
    [TestCase(32769, false)]
    public void All_trailers(int size, bool served)
    {
        string last = $"X: {new string('x', size - "A: b\r\n".Length - 5)}\r\n";
        Assert.That(Trace($"{ChunkedHead}0\r\nA: b\r\n{last}\r\n"), Is.EqualTo(served ? "POST / \"\"" : "431 HeadersTooLarge"));
    }

    [TestCase(99, true)]
    [TestCase(100, true)]
    [TestCase(101, false)]
    public void Trailers(int count, bool served)
    {
        string lines = string.Concat(Enumerable.Repeat("X: y\r\n", count));
        Assert.That(Trace($"{ChunkedHead}0\r\n{lines}\r\n"), Is.EqualTo(served ? "POST / \"\"" : "431 TooManyHeaders"));
    }

    [Test]
    public void Small_limits_hold_to_the_byte_however_the_bytes_come()
    {
        var limits = new RequestHeadLimits { RequestLine = 16, HeadersTotal = 20, HeaderCount = 2, LeadingEmptyLines = 1 };
        (string Bytes, string Expected)[] rows =
        [
            ("GET /aa HTTP/1.1\r\nHost: a\r\nX: 345678\r\n\r\n", "GET /aa"),
            ("GET /aa HTTP/1.1\r\nHost: a\r\nX: 3456789\r\n\r\n", "431 HeadersTooLarge"),
            ("GET /aaa HTTP/1.1\r\nHost: a\r\n\r\n", "414 RequestLineTooLong"),
            ("GET /aaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: a\r\n\r\n", "414 RequestLineTooLong"),
            ("AAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n", "400 MethodTooLong"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY:\r\n\r\n", "431 TooManyHeaders"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY\0\r\n\r\n", "431 TooManyHeaders"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \0aaaaaaaaaaaaaaa\r\n\r\n", "400 InvalidFieldValue"),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: aaaaaaaaaaaaaaa\0\r\n\r\n", "431 HeadersTooLarge"),
            ("\r\nGET /aa HTTP/1.1\r\nHost: a\r\nX: 345678\r\n\r\n", "GET /aa"),
            ("\r\n\r\nGET /aa HTTP/1.1\r\n", "400 TooManyLeadingEmptyLines"),
        ];
        foreach ((string bytes, string expected) in rows)
            Assert.That(EveryWay.Trace(Bytes.Of(bytes), limits), Is.EqualTo(expected), bytes);
    }

    private const string ChunkedHead = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    private static string Trace(string bytes) => EveryWay.Trace(Bytes.Of(bytes));
}
