using System.Buffers;
using System.Diagnostics;

namespace Iris.Net.Tests.Http;

/// <summary>Mutated requests: each way of arrival gives the same trace, and nothing throws.</summary>
public class RequestFuzzTests
{
    private const int ShortRuns = 10_000;
    private const int LongRuns = 5_000_000;
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(50);

    private static readonly byte[][] Corpus =
    [
        .. new[]
        {
            "GET /a/b?c=%41&d HTTP/1.1\r\nHost: localhost:8080\r\nConnection: keep-alive, x\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: [::ffff:127.0.0.1]:80\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.0\r\n\r\n",
            "POST http://a:80/b?c HTTP/1.1\r\nHost: A\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n" +
                "5;a=b;c=\"d\\\"\" ; e\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\nX:\t\u00ff \r\n\r\n" +
                "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n\r\n",
        }.Select(Bytes.Of),
    ];

    private static readonly byte[][] Tokens =
    [
        .. new[]
        {
            "\r\n", "\r\n\r\n", "\n", "\r", "\0", " ", "\t", ":", ";", ",", "\"", "%00", "%", "#", "*", "/",
            "HTTP/1.1", "HTTP/2.0",
            "Host: b\r\n", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "chunked", "0\r\n\r\n", "fffffffffffffff",
            "7fffffffffffffff", "\u0080", "http://", "[::", "Connection: close\r\n",
        }.Select(Bytes.Of),
    ];

    [Test]
    public void A_mutated_request_is_served_or_refused_the_same_in_every_way() => Fuzz(1, ShortRuns);

    [Test, Category("Long")]
    public void Millions_of_mutated_requests_are_served_or_refused_the_same_in_every_way()
    {
        if (Environment.GetEnvironmentVariable("IRIS_LONG") != "1")
            Assert.Ignore("Set IRIS_LONG=1 to run it.");
        Fuzz(2, LongRuns);
    }

    private static void Fuzz(int seed, int runs)
    {
        var random = new Random(seed);
        for (int run = 0; run < runs; run++)
        {
            byte[] bytes = Mutate(random);
            long start = Stopwatch.GetTimestamp();
            string expected = TraceWhole(bytes);
            if (Stopwatch.GetElapsedTime(start) > Slow)
                Assert.That(BestOfThree(bytes), Is.LessThan(Slow), () => $"slow: {Convert.ToBase64String(bytes)}");
            int[] ends = [.. Ends(random, bytes.Length)];
            bool patient = run % 2 == 0;
            Assert.That(EveryWay.InArrivals(new RequestTrace { Patient = patient }, bytes, ends), Is.EqualTo(expected),
                () => $"run {run}, patient {patient}, cut at {string.Join(' ', ends)}: {Convert.ToBase64String(bytes)}");
        }
    }

    private static string TraceWhole(byte[] bytes)
    {
        var trace = new RequestTrace();
        trace.Take(new ReadOnlySequence<byte>(bytes), atEnd: true);
        return trace.ToString();
    }

    private static TimeSpan BestOfThree(byte[] bytes)
    {
        TimeSpan best = TimeSpan.MaxValue;
        for (int run = 0; run < 3; run++)
        {
            long start = Stopwatch.GetTimestamp();
            TraceWhole(bytes);
            TimeSpan took = Stopwatch.GetElapsedTime(start);
            best = took < best ? took : best;
        }
        return best;
    }

    private static IEnumerable<int> Ends(Random random, int length)
    {
        int most = random.Next(16) == 0 ? 4 : Math.Max(4, length / 2);
        for (int end = 0; end < length;)
            yield return end = Math.Min(length, end + random.Next(1, most));
    }

    private static byte[] Mutate(Random random)
    {
        List<byte> bytes = [.. Corpus[random.Next(Corpus.Length)]];
        for (int count = random.Next(1, 6); count > 0; count--)
        {
            int at = random.Next(bytes.Count);
            int length = Math.Min(random.Next(1, 9), bytes.Count - at);
            switch (random.Next(6))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes.RemoveRange(at, length); break;
                case 3: bytes.InsertRange(at, Tokens[random.Next(Tokens.Length)]); break;
                case 4: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, length)); break;
                default: bytes.InsertRange(at, Enumerable.Repeat(bytes[at], random.Next(1, 300))); break;
            }
            if (bytes.Count == 0)
                bytes.Add((byte)'\r');
        }
        return [.. bytes];
    }
}
