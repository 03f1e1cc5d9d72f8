using static Iris.Net.Tests.Conformance.RawTable.RawAnswer;
using static Iris.Net.Tests.Conformance.RawTable.RawCase;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>RFC 9112 section 5: field lines.</summary>
internal static class FieldCases
{
    private const string Name = "A field name is invalid.";
    private const string Value = "A field value contains a control byte.";
    private const string Folded = "A field line starts with white space.";
    private const string BareLf = "A line ends with LF without CR.";
    private const string BareCr = "A CR is not followed by LF.";

    public static readonly RawCase[] All =
    [
        Serves("an empty value", With("X:"), Ran("GET / x=")),
        Serves("a value of white space", With("X: \t "), Ran("GET / x=")),
        Serves("no white space before a value", With("X:y"), Ran("GET / x=y")),
        Serves("white space around a value", With("X: \t y z \t"), Ran("GET / x=y z")),
        Serves("a tab in a value", With("X: y\tz"), Ran("GET / x=y\tz")),
        Serves("obs-text in a value", With("X: \u0080\u00e9\u00ff"), Ran("GET / x=\u0080\u00e9\u00ff")),
        Serves("a value with a colon", With("X: y: z"), Ran("GET / x=y: z")),
        Serves("the same field twice", With("X: y\r\nx: z"), Ran("GET / x=y x=z")),
        Serves("a name of all token characters", With("!#$%&'*+-.^_`|~09AZaz: y"), Ran("GET /")),
        Refuses("a space before the colon", With("X : y"), 400, Name),
        Refuses("a tab before the colon", With("X\t: y"), 400, Name),
        Refuses("a space in a name", With("X Y: z"), 400, Name),
        Refuses("an empty name", With(": y"), 400, Name),
        Refuses("a line without a colon", With("X"), 400, Name),
        Refuses("NUL in a name", With("X\0Y: z"), 400, Name),
        Refuses("a control byte in a name", With("X\u0001: z"), 400, Name),
        Refuses("DEL in a name", With("X\u007f: z"), 400, Name),
        Refuses("obs-text in a name", With("X\u00e9: z"), 400, Name),
        Refuses("a slash in a name", With("X/Y: z"), 400, Name),
        Refuses("a quote in a name", With("\"X\": z"), 400, Name),
        Refuses("brackets in a name", With("X[]: z"), 400, Name),
        Refuses("at in a name", With("X@Y: z"), 400, Name),
        Refuses("CR in a name", With("X\rY: z"), 400, Name),
        Refuses("LF in a name", With("X\nY: z"), 400, BareLf),
        Refuses("NUL in a value", With("X: y\0z"), 400, Value),
        Refuses("a control byte in a value", With("X: \u0001"), 400, Value),
        Refuses("a vertical tab in a value", With("X: \u000b"), 400, Value),
        Refuses("ESC in a value", With("X: \u001b[31m"), 400, Value),
        Refuses("DEL in a value", With("X: \u007f"), 400, Value),
        Refuses("CR in a value", With("X: y\rz"), 400, BareCr),
        Refuses("LF in a value", With("X: y\nz"), 400, BareLf),
        Refuses("LF ends a field line", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400, BareLf),
        Refuses("CR CR LF ends a field line", With("X: y\r"), 400, BareCr),
        Refuses("LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400, BareLf),
        Refuses("CR ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\rX", 400, BareCr),
        Refuses("a folded line", With("X: y\r\n z"), 400, Folded),
        Refuses("a line folded with a tab", With("X: y\r\n\tz"), 400, Folded),
        Refuses("the first line is folded", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, Folded),
        Refuses("a folded empty line", With("X: y\r\n "), 400, Folded),
        Refuses("a folded Transfer-Encoding", With("Transfer-Encoding:\r\n chunked"), 400, Folded),
    ];

    private static string With(string field) => $"GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n";
}
