using static Iris.Net.Tests.Conformance.RawTable.RawAnswer;
using static Iris.Net.Tests.Conformance.RawTable.RawCase;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>RFC 9112 section 7.1: chunks, their extensions, and trailers.</summary>
internal static class ChunkCases
{
    private const string Size = "A chunk size is invalid.";
    private const string Extension = "A chunk extension is invalid.";
    private const string End = "Chunk data is not followed by CRLF.";
    private const string BareLf = "A line ends with LF without CR.";
    private const string BareCr = "A CR is not followed by LF.";

    public static readonly RawCase[] All =
    [
        Takes("no data", "0\r\n\r\n", ""), Takes("several zeros end it", "000\r\n\r\n", ""),
        Takes("two chunks", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"),
        Takes("digits in any case", "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
        Takes("sixteen digits", "0000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
        Takes("data that looks like a chunk", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n"),
        Takes("an extension", "5;a\r\nhello\r\n0\r\n\r\n", "hello"), Takes("a value", "5;a=b;c=d\r\nhello\r\n0;e\r\n\r\n", "hello"),
        Takes("a quoted value", "5;a=\"b;\\\"\u00e9\"\r\nhello\r\n0\r\n\r\n", "hello"),
        Takes("white space around semicolon and equals", "5 ; a\t=\tb ;c\r\nhello\r\n0\r\n\r\n", "hello"),
        Takes("white space before an extension", "5 ;ext\r\nhello\r\n0\r\n\r\n", "hello"),

        Bad("0x5\r\nhello", Size), Bad("+5\r\nhello", Size), Bad("-5\r\nhello", Size), Bad(" 5\r\nhello", Size), Bad("\t5\r\nhello", Size),
        Bad("5h\r\nhello", Size), Bad("5_0\r\nhello", Size), Bad("\r\nhello", Size), Bad(";a\r\nhello", Size), Bad("g\r\n", Size),
        Bad("5,5\r\nhello", Size), Bad("5\0\r\nhello", Size), Bad("\u00b2\r\nhello", Size), Bad("00000000000000005\r\nhello", Size),
        Bad("8000000000000000\r\n", Size), Bad("ffffffffffffffff\r\n", Size), Bad("10000000000000005\r\nhello", Size),
        Bad("5 \r\nhello", Extension), Bad("5\t\r\nhello", Extension), Bad("5 5\r\nhello", Extension), Bad("5;\r\nhello", Extension),
        Bad("5;a=\r\nhello", Extension), Bad("5;=b\r\nhello", Extension), Bad("5;a b\r\nhello", Extension), Bad("5;a=\"b\r\nhello", Extension),
        Bad("5;a=\"b\"c\r\nhello", Extension), Bad("5;a;;b\r\nhello", Extension), Bad("5;a=\u00e9\r\nhello", Extension),
        Bad("5;a=\"\0\"\r\nhello", Extension), Bad("5;a \r\nhello", Extension),
        Bad("5\nhello\r\n0\r\n\r\n", BareLf), Bad("5;a\nhello\r\n0\r\n\r\n", BareLf), Bad("5\rhello", BareCr), Bad("5\r\r\nhello", BareCr),
        Bad("5;a=\"\r\n\"\r\nhello", Extension), Bad("5;a\rb\r\nhello", BareCr),
        Bad("5\r\nhello0\r\n\r\n", End), Bad("5\r\nhello!\r\n0\r\n\r\n", End), Bad("5\r\nhello\n0\r\n\r\n", End), Bad("5\r\nhello\r0\r\n\r\n", End),
        Bad("5\r\nhel\r\n0\r\n\r\nxx", End), Bad("5\r\nhello \r\n", End), Bad("5\r\nhello\n\r\n", End),

        Takes("a trailer", "0\r\nX: y\r\n\r\n", ""), Takes("a trailer that frames", "0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\n", ""),
        Takes("a trailer that routes", "0\r\nHost: b\r\nConnection: close\r\nExpect: y\r\n\r\n", ""),
        Takes("a trailer without a value", "0\r\nX:\r\nY: \u00e9\t\r\n\r\n", ""),
        Bad("0\r\nX : y\r\n\r\n", "A field name is invalid."), Bad("0\r\n: y\r\n\r\n", "A field name is invalid."),
        Bad("0\r\nGET / HTTP/1.1\r\n\r\n", "A field name is invalid."), Bad("0\r\nX: \0\r\n\r\n", "A field value contains a control byte."),
        Bad("0\r\n X: y\r\n\r\n", "A field line starts with white space."), Bad("0\r\nX: y\r\n z\r\n\r\n", "A field line starts with white space."),
        Bad("0\r\nX: y\n\r\n", BareLf), Bad("0\r\nX: y\rz\r\n\r\n", BareCr), Bad("0\r\n\n", BareLf), Bad("0\r\n\rX", BareCr),
        Bad("0\n\n", BareLf), Bad("0\r\r\n", BareCr),

        Closes("a bad chunk of a body that nobody reads", "POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!",
            Ran("POST /unread")),
        Serves("chunks that nobody reads", "POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
            Ran("POST /unread")),
    ];

    private static RawCase Takes(string name, string chunks, string body) =>
        Serves($"chunked: {name}", Post(chunks), Ran(body.Length == 0 ? "POST /" : $"POST / [{body}]"));

    private static RawCase Bad(string chunks, string text) =>
        Refuses("chunked: " + chunks.Replace("\r", "CR ").Replace("\n", "LF ").Replace("\0", "NUL "), Post(chunks), 400, text);

    private static string Post(string chunks) => $"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}";
}
