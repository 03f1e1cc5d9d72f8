using static Iris.Net.Tests.Conformance.RawTable.RawAnswer;
using static Iris.Net.Tests.Conformance.RawTable.RawCase;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>RFC 9112 section 3: methods, targets, versions.</summary>
internal static class RequestLineCases
{
    private const string Line = "The request line is malformed.";
    private const string Target = "The request target is invalid.";
    private const string Version = "The HTTP version is malformed.";
    private const string NotSupported = "The HTTP version is not supported.";
    private const string BareLf = "A line ends with LF without CR.";
    private const string BareCr = "A CR is not followed by LF.";

    public static readonly RawCase[] All =
    [
        Serves("GET", Ask("GET /"), Ran("GET /")),
        Serves("a method is case-sensitive", Ask("get /"), MethodNotAllowed),
        Serves("an unknown method", Ask("BREW /"), MethodNotAllowed),
        Serves("a method of all token characters", Ask("!#$%&'*+-.^_`|~09AZaz /"), MethodNotAllowed),
        Serves("TRACE", Ask("TRACE /"), MethodNotAllowed),
        Serves("OPTIONS of a path", Ask("OPTIONS /"), MethodNotAllowed),
        Serves("OPTIONS *", Ask("OPTIONS *"), ServerOptions),
        Serves("OPTIONS of an authority", Ask("OPTIONS http://a"), ServerOptions),
        Refuses("GET *", Ask("GET *"), 400, Target),
        Refuses("OPTIONS **", Ask("OPTIONS **"), 400, Target),
        Refuses("OPTIONS *?x", Ask("OPTIONS *?x"), 400, Target),
        Refuses("a space before the method", Ask(" GET /"), 400, Line),
        Refuses("a tab before the method", Ask("\tGET /"), 400, Line),
        Refuses("a comma in the method", Ask("GE,T /"), 400, Line),
        Refuses("NUL in the method", Ask("G\0T /"), 400, Line),
        Refuses("obs-text in the method", Ask("G\u00cbT /"), 400, Line),
        Refuses("a method with a colon", Ask("GET: /"), 400, Line),
        Refuses("two spaces before the target", Ask("GET  /"), 400, Line),
        Refuses("a tab before the target", Ask("GET\t/"), 400, Line),
        Refuses("no target", Ask("GET"), 400, Target),
        Refuses("CR behind the method", "GET\r\n\r\n", 400, Line),
        Refuses("LF behind the method", "GET\n", 400, BareLf),

        Serves("an empty query", Ask("GET /?"), Ran("GET /")),
        Serves("a query with question marks", Ask("GET /a?b?c=/d"), Ran("GET /a?b?c=/d")),
        Serves("an escape is kept", Ask("GET /%41%2f"), Ran("GET /%41%2f")),
        Serves("what browsers leave in a query", Ask("GET /a?{b}|[c]^`"), Ran("GET /a?{b}|[c]^`")),
        Serves("dots in a path are kept", Ask("GET /../b"), Ran("GET /../b")),
        Serves("two slashes", Ask("GET //b"), NotFound),
        Refuses("a target without a slash", Ask("GET a"), 400, Target),
        Refuses("a fragment", Ask("GET /#a"), 400, Target),
        Refuses("a backslash", Ask("GET /a\\b"), 400, Target),
        Refuses("a quote", Ask("GET /\"a\""), 400, Target),
        Refuses("angle brackets", Ask("GET /<a>"), 400, Target),
        Refuses("a raw control byte", Ask("GET /\u0001"), 400, Target),
        Refuses("raw NUL", Ask("GET /\0"), 400, Target),
        Refuses("a raw tab", Ask("GET /a\tb"), 400, Target),
        Refuses("raw DEL", Ask("GET /\u007f"), 400, Target),
        Refuses("raw obs-text", Ask("GET /\u00e9"), 400, Target),
        Refuses("%0d", Ask("GET /a%0db"), 400, Target),
        Refuses("%0A", Ask("GET /a%0Ab"), 400, Target),
        Refuses("%00", Ask("GET /%00"), 400, Target),
        Refuses("%0d%0a in the query", Ask("GET /?a=%0d%0aX:y"), 400, Target),
        Refuses("CR in the target", "GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n", 400, Target),
        Refuses("LF in the target", "GET /a\nb HTTP/1.1\r\nHost: a\r\n\r\n", 400, BareLf),
        Refuses("a space in the target", Ask("GET /a b"), 400, Version),

        Serves("absolute-form", Ask("GET http://a/b?c"), Ran("GET /b?c")),
        Serves("absolute-form without a path", Ask("GET http://a"), Ran("GET /")),
        Serves("absolute-form with a query alone", Ask("GET http://a?b"), Ran("GET /?b")),
        Serves("absolute-form in capitals", Ask("GET HTTP://A/b"), Ran("GET /b")),
        Serves("absolute-form with the port that Host leaves out", Ask("GET http://a:80/b"), Ran("GET /b")),
        Serves("absolute-form of https", Ask("GET https://a:443/b"), Ran("GET /b")),
        Refuses("absolute-form of another host", Ask("GET http://b/"), 400, "The Host field and the request target disagree."),
        Refuses("absolute-form of another port", Ask("GET http://a:81/"), 400, "The Host field and the request target disagree."),
        Refuses("absolute-form with a user", Ask("GET http://u@a/"), 400, Target),
        Refuses("absolute-form with a password", Ask("GET http://u:p@a/"), 400, Target),
        Refuses("absolute-form without a host", Ask("GET http:///b"), 400, Target),
        Refuses("absolute-form with a port alone", Ask("GET http://:80/b"), 400, Target),
        Refuses("absolute-form with port 65536", Ask("GET http://a:65536/"), 400, Target),
        Refuses("absolute-form with a fragment", Ask("GET http://a/#b"), 400, Target),
        Refuses("absolute-form of another scheme", Ask("GET ftp://a/"), 400, Target),
        Refuses("absolute-form without Host", "GET http://a/ HTTP/1.1\r\n\r\n", 400, "The Host field is missing."),
        Closes("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", NotFoundClosing),
        Refuses("CONNECT without a port", Ask("CONNECT a"), 400, Target),
        Refuses("CONNECT with a path", Ask("CONNECT /"), 400, Target),
        Refuses("CONNECT with a port over 65535", Ask("CONNECT a:65536"), 400, Target),
        Refuses("authority-form of GET", Ask("GET a:80"), 400, Target),

        Refuses("HTTP/0.9 without a version", "GET /\r\n", 400, Target),
        Refuses("HTTP/0.9", Ask("GET /", "HTTP/0.9"), 505, NotSupported),
        Refuses("HTTP/1.2", Ask("GET /", "HTTP/1.2"), 505, NotSupported),
        Refuses("HTTP/1.9", Ask("GET /", "HTTP/1.9"), 505, NotSupported),
        Refuses("HTTP/2.0", Ask("GET /", "HTTP/2.0"), 505, NotSupported),
        Refuses("HTTP/3.0", Ask("GET /", "HTTP/3.0"), 505, NotSupported),
        Refuses("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, NotSupported),
        Refuses("HTTP/1.10", Ask("GET /", "HTTP/1.10"), 400, Version),
        Refuses("HTTP/1.01", Ask("GET /", "HTTP/1.01"), 400, Version),
        Refuses("HTTP/01.1", Ask("GET /", "HTTP/01.1"), 400, Version),
        Refuses("HTTP/1", Ask("GET /", "HTTP/1"), 400, Version),
        Refuses("HTTP/2", Ask("GET /", "HTTP/2"), 400, Version),
        Refuses("HTTP/1.", Ask("GET /", "HTTP/1."), 400, Version),
        Refuses("HTTP/.1", Ask("GET /", "HTTP/.1"), 400, Version),
        Refuses("HTTP/1,1", Ask("GET /", "HTTP/1,1"), 400, Version),
        Refuses("HTTP/-1.1", Ask("GET /", "HTTP/-1.1"), 400, Version),
        Refuses("HTTP 1.1", Ask("GET /", "HTTP 1.1"), 400, Version),
        Refuses("http/1.1", Ask("GET /", "http/1.1"), 400, Version),
        Refuses("Http/1.1", Ask("GET /", "Http/1.1"), 400, Version),
        Refuses("HTTPS/1.1", Ask("GET /", "HTTPS/1.1"), 400, Version),
        Refuses("ICY/1.1", Ask("GET /", "ICY/1.1"), 400, Version),
        Refuses("a space before the version", Ask("GET /", " HTTP/1.1"), 400, Version),
        Refuses("a space behind the version", Ask("GET /", "HTTP/1.1 "), 400, Version),
        Refuses("a word behind the version", Ask("GET /", "HTTP/1.1 x"), 400, Version),
        Refuses("NUL behind the version", Ask("GET /", "HTTP/1.1\0"), 400, Version),
        Refuses("no version", "GET / \r\nHost: a\r\n\r\n", 400, Version),
        Refuses("LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400, BareLf),
        Refuses("CR ends the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400, BareCr),
        Refuses("CR CR LF ends the request line", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400, BareCr),

        Serves("empty lines in front", "\r\n\r\n\r\n" + Ask("GET /"), Ran("GET /")),
        Refuses("LF in front", "\n" + Ask("GET /"), 400, BareLf),
        Refuses("CR in front", "\r" + Ask("GET /"), 400, BareCr),
        Refuses("an empty line with a space in front", " \r\n" + Ask("GET /"), 400, Line),
        Refuses("a byte order mark in front", "\u00ef\u00bb\u00bf" + Ask("GET /"), 400, Line),
        Refuses("NUL in front", "\0" + Ask("GET /"), 400, Line),
        Refuses("a TLS hello", "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003", 400, Line),
        Ends("half a request line", "GET / HT", Refused(400, "The request ended too early.")),
        Ends("half a head", "GET / HTTP/1.1\r\nHost: a\r\n", Refused(400, "The request ended too early.")),
    ];

    private static string Ask(string methodAndTarget, string version = "HTTP/1.1") =>
        $"{methodAndTarget} {version}\r\nHost: a\r\n\r\n";
}
