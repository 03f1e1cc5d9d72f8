using static Iris.Net.Tests.Conformance.RawTable.RawAnswer;
using static Iris.Net.Tests.Conformance.RawTable.RawCase;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>RFC 9112 section 6: which field says where a body ends.</summary>
internal static class FramingCases
{
    private const string Length = "The Content-Length field is invalid.";
    private const string Lengths = "There is more than one Content-Length field.";
    private const string Both = "Content-Length and Transfer-Encoding exclude each other.";
    private const string Coding = "The Transfer-Encoding field is malformed.";
    private const string Unknown = "The transfer coding is not implemented.";
    private const string Chunked = "Transfer-Encoding: chunked";
    private const string Large = "The body is too large.";
    private const string Name = "A field name is invalid.";
    private const string Hello = "5\r\nhello\r\n0\r\n\r\n";

    public static readonly RawCase[] All =
    [
        Serves("a body", Post("Content-Length: 5", "hello"), Ran("POST / [hello]")),
        Serves("a body that looks like a request", Post("Content-Length: 18", "GET / HTTP/1.1\r\n\r\n"), Ran("POST / [GET / HTTP/1.1\r\n\r\n]")),
        Serves("no body", "POST / HTTP/1.1\r\nHost: a\r\n\r\n", Ran("POST /")),
        Serves("a length of 0", Post("Content-Length: 0", ""), Ran("POST /")),
        Serves("white space around a length", Post("Content-Length: \t5 \t", "hello"), Ran("POST / [hello]")),
        Serves("a body of GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", Ran("GET / [hello]")),
        Serves("a body of HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", RanToHead("HEAD / [hello]")),
        Serves("a body that nobody reads", "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", Ran("POST /unread")),
        Serves("a body of a request that is not allowed", "BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", MethodNotAllowed),
        Serves("a body and an empty line too many", Post("Content-Length: 5", "hello\r\n"), Ran("POST / [hello]")),
        Bad("Content-Length: +5", Length), Bad("Content-Length: -5", Length), Bad("Content-Length: 05", Length),
        Bad("Content-Length: 00", Length), Bad("Content-Length: 0x5", Length), Bad("Content-Length: 5h", Length),
        Bad("Content-Length: 5 5", Length), Bad("Content-Length: 5,5", Length), Bad("Content-Length: 5, 6", Length),
        Bad("Content-Length: 5,", Length), Bad("Content-Length:", Length), Bad("Content-Length: \"5\"", Length),
        Bad("Content-Length: 5.0", Length), Bad("Content-Length: 5e0", Length), Bad("Content-Length: 5_0", Length),
        Bad("Content-Length: \u00b2", Length), Bad("Content-Length: 9223372036854775808", Length),
        Bad("Content-Length: 18446744073709551621", Length), Bad("Content-Length: 99999999999999999999999999", Length),
        Bad("Content-Length: 5;a", Length), Bad("Content-Length: five", Length),
        Bad("Content-Length: 5\r\nContent-Length: 5", Lengths), Bad("Content-Length: 5\r\nContent-Length: 0", Lengths),
        Bad("Content-Length: 0\r\ncontent-length: 5", Lengths), Bad("Content-Length:\r\nContent-Length: 5", Lengths),
        Bad("Content-Length : 5", Name), Bad("Content-Length\u000b: 5", Name),
        Bad("Content-Length: 5\0", "A field value contains a control byte."),
        Bad("Content-Length: \u000b5", "A field value contains a control byte."),
        Refuses("the largest length there is", Post("Content-Length: 9223372036854775807", ""), 413, Large),
        Serves("another name is no length", Post("Content_Length: 5", ""), Ran("POST /")),

        Serves("chunked", Post(Chunked, Hello), Ran("POST / [hello]")),
        Serves("Chunked in any case", Post("tRANSFER-eNCODING: cHUNKED", Hello), Ran("POST / [hello]")),
        Serves("chunked of GET", "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + Hello, Ran("GET / [hello]")),
        Serves("chunked with white space", Post("Transfer-Encoding: \tchunked\t ", Hello), Ran("POST / [hello]")),
        Bad(Chunked + "\r\nContent-Length: 5", Both), Bad("Content-Length: 5\r\n" + Chunked, Both), Bad("Content-Length: 0\r\n" + Chunked, Both),
        Bad("Content-Length: x\r\n" + Chunked, Both), Bad("Transfer-Encoding: gzip\r\nContent-Length: 5", Both),
        Bad("Transfer-Encoding:\r\nContent-Length: 5", Both),
        Bad("Transfer-Encoding: chunked, chunked", Coding), Bad(Chunked + "\r\n" + Chunked, Coding),
        Bad("Transfer-Encoding: chunked, gzip", Coding), Bad("Transfer-Encoding: chunked, identity", Coding),
        Bad("Transfer-Encoding: ,chunked", Coding), Bad("Transfer-Encoding: chunked,", Coding), Bad("Transfer-Encoding: gzip,,chunked", Coding),
        Bad("Transfer-Encoding:", Coding), Bad("Transfer-Encoding:\r\n" + Chunked, Coding), Bad("Transfer-Encoding: \"chunked\"", Coding),
        Bad("Transfer-Encoding: chunked;q=1", Coding), Bad("Transfer-Encoding: chunked x", Coding), Bad("Transfer-Encoding: chunked\u00a0", Coding),
        Bad("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", Coding), Bad("Transfer-Encoding: [chunked]", Coding),
        NotImplemented("gzip, chunked"), NotImplemented("gzip"), NotImplemented("identity"), NotImplemented("xchunked"),
        NotImplemented("chunkedx"), NotImplemented("gzip;a=\"b,c\" ; d=e, chunked"), NotImplemented("gzip\r\nTransfer-Encoding: chunked"),
        Bad("Transfer-Encoding : chunked", Name), Bad("Transfer-Encoding\t: chunked", Name),
        Bad("Transfer-Encoding: \u000bchunked", "A field value contains a control byte."),
        Bad("Transfer-Encoding:\u000cchunked", "A field value contains a control byte."),
        Bad("Transfer-Encoding: chunked\0", "A field value contains a control byte."),
        Bad(" Transfer-Encoding: chunked", "A field line starts with white space."),
        Bad("X: y\nTransfer-Encoding: chunked", "A line ends with LF without CR."),
        Bad("X: y\rTransfer-Encoding: chunked", "A CR is not followed by LF."),
        Serves("another name is no coding", Post("Transfer_Encoding: chunked\r\nContent-Length: 5", "hello"), Ran("POST / [hello]")),
        Refuses("Transfer-Encoding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + Hello, 400,
            "HTTP/1.0 has no Transfer-Encoding."),
        Refuses("Transfer-Encoding and length in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + Hello,
            400, Both),
        Closes("a body in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", RanClosing("POST / [hello]")),
        Ends("half a body", Post("Content-Length: 5", "he"), Refused(400, "The request ended too early.")),
        Ends("half a chunk", Post(Chunked, "5\r\nhe"), Refused(400, "The request ended too early.")),
        Ends("no last chunk", Post(Chunked, "5\r\nhello\r\n"), Refused(400, "The request ended too early.")),
        Ends("a last chunk without its empty line", Post(Chunked, "5\r\nhello\r\n0\r\n"), Refused(400, "The request ended too early.")),
    ];

    private static RawCase Bad(string fields, string text) =>
        Refuses(fields.Replace("\r\n", " | ", StringComparison.Ordinal), Post(fields, Hello), 400, text);

    private static RawCase NotImplemented(string coding) =>
        Refuses($"coding {coding}", Post($"Transfer-Encoding: {coding}", Hello), 501, Unknown);

    private static string Post(string fields, string body) => $"POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{body}";
}
