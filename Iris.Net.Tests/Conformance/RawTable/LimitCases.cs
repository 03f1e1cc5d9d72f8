using static Iris.Net.Tests.Conformance.RawTable.RawAnswer;
using static Iris.Net.Tests.Conformance.RawTable.RawCase;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>Each size at its limit less one, at its limit, and one beyond.</summary>
internal static class LimitCases
{
    private const string LongLine = "The request line is too long.";
    private const string LongMethod = "The method is too long.";
    private const string LongHeaders = "The header fields are too large.";
    private const string ManyHeaders = "There are too many header fields.";
    private const string LargeBody = "The body is too large.";
    private const string Overhead = "Chunk sizes and extensions are too large.";

    private const int Line = RawSubject.RequestLine - 14;       // what else stands in GET /… HTTP/1.1

    public static readonly RawCase[] All =
    [
        Serves("a request line less one", Path(Line - 1), Ran($"GET /{new string('p', Line - 1)}")),
        Serves("a request line", Path(Line), Ran($"GET /{new string('p', Line)}")),
        Refuses("a request line and one more", Path(Line + 1), 414, LongLine),
        Refuses("a query that is too long", $"GET /?{new string('q', 200)} HTTP/1.1\r\nHost: a\r\n\r\n", 414, LongLine),
        Refuses("a target without an end", $"GET /{new string('q', 200)}", 414, LongLine),
        Refuses("a method less one", $"{new string('M', RawSubject.RequestLine - 1)} / HTTP/1.1\r\nHost: a\r\n\r\n", 414, LongLine),
        Refuses("a method as long as a request line", $"{new string('M', RawSubject.RequestLine)} / HTTP/1.1\r\nHost: a\r\n\r\n", 400, LongMethod),
        Refuses("a method without an end", new string('M', 200), 400, LongMethod),

        Serves("fields less one", Field(RawSubject.Headers - 1), Ran("GET /")),
        Serves("fields", Field(RawSubject.Headers), Ran("GET /")),
        Refuses("fields and one more", Field(RawSubject.Headers + 1), 431, LongHeaders),
        Refuses("a name without an end", "GET / HTTP/1.1\r\n" + new string('N', RawSubject.Headers + 1), 431, LongHeaders),
        Serves("so many fields less one", Fields(RawSubject.HeaderCount - 1), Ran("GET /")),
        Serves("so many fields", Fields(RawSubject.HeaderCount), Ran("GET /")),
        Refuses("so many fields and one more", Fields(RawSubject.HeaderCount + 1), 431, ManyHeaders),

        Serves("so many empty lines less one", EmptyLines(RawSubject.EmptyLines - 1), Ran("GET /")),
        Serves("so many empty lines", EmptyLines(RawSubject.EmptyLines), Ran("GET /")),
        Refuses("so many empty lines and one more", EmptyLines(RawSubject.EmptyLines + 1), 400,
            "Too many empty lines before the request line."),

        Serves("a body less one", Body(RawSubject.Body - 1), Ran($"POST / [{new string('b', RawSubject.Body - 1)}]")),
        Serves("a body as large as may be", Body(RawSubject.Body), Ran($"POST / [{new string('b', RawSubject.Body)}]")),
        Refuses("a body and one more", Body(RawSubject.Body + 1), 413, LargeBody),
        Serves("a chunk less one", Chunk("3b", 59), Ran($"POST / [{new string('b', 59)}]")),
        Serves("a chunk as large as may be", Chunk("3c", 60), Ran($"POST / [{new string('b', 60)}]")),
        Refuses("a chunk and one more", Chunk("3d", 61), 413, LargeBody),
        Refuses("a chunk after a chunk", Chunks("1\r\nx\r\n3c\r\n"), 413, LargeBody),
        Refuses("the largest chunk there is", Chunks("7fffffffffffffff\r\n"), 413, LargeBody),
        Refuses("the largest chunk there is after another", Chunks("1\r\nx\r\n7fffffffffffffff\r\n"), 413, LargeBody),

        Serves("chunk sizes less one", Extension(RawSubject.ChunkOverhead - 1), Ran("POST / [x]")),
        Serves("chunk sizes", Extension(RawSubject.ChunkOverhead), Ran("POST / [x]")),
        Refuses("chunk sizes and one more", Extension(RawSubject.ChunkOverhead + 1), 413, Overhead),
        Refuses("many small chunks", Chunks(string.Concat(Enumerable.Repeat("1\r\nx\r\n", 20))), 413, Overhead),
        Refuses("an extension without an end", Chunks("1;" + new string('e', 60)), 413, Overhead),

        Serves("trailers less one", Trailer(RawSubject.Headers - 1), Ran("POST /")),
        Serves("trailers", Trailer(RawSubject.Headers), Ran("POST /")),
        Refuses("trailers and one more", Trailer(RawSubject.Headers + 1), 431, LongHeaders),
        Serves("so many trailers", Chunks("0\r\n" + Repeat(RawSubject.HeaderCount) + "\r\n"), Ran("POST /")),
        Refuses("so many trailers and one more", Chunks("0\r\n" + Repeat(RawSubject.HeaderCount + 1) + "\r\n"), 431, ManyHeaders),
        Refuses("a trailer without an end", Chunks("0\r\nT: " + new string('t', 400)), 431, LongHeaders),
    ];

    private static string Path(int length) => $"GET /{new string('p', length)} HTTP/1.1\r\nHost: a\r\n\r\n";

    private static string Field(int total) => $"GET / HTTP/1.1\r\nHost: a\r\nV: {new string('v', total - 14)}\r\n\r\n";

    private static string Fields(int count) => $"GET / HTTP/1.1\r\nHost: a\r\n{Repeat(count - 1)}\r\n";

    private static string Repeat(int count) => string.Concat(Enumerable.Repeat("F: f\r\n", count));

    private static string EmptyLines(int count) =>
        string.Concat(Enumerable.Repeat("\r\n", count)) + "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    private static string Body(int length) => $"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{new string('b', length)}";

    private static string Chunks(string chunks) => $"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}";

    private static string Chunk(string size, int length) => Chunks($"{size}\r\n{new string('b', length)}\r\n0\r\n\r\n");

    private static string Extension(int overhead) => Chunks($"1;{new string('e', overhead - 7)}\r\nx\r\n0\r\n\r\n");

    private static string Trailer(int total) => Chunks($"0\r\nT: {new string('t', total - 5)}\r\n\r\n");
}
