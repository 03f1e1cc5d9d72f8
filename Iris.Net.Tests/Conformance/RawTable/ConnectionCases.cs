using static Iris.Net.Tests.Conformance.RawTable.RawAnswer;
using static Iris.Net.Tests.Conformance.RawTable.RawCase;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>RFC 9112 section 9 and RFC 9110 sections 7.8, 9.3.2 and 10.1.1: what follows a request, and what need not.</summary>
internal static class ConnectionCases
{
    private const string Expectation = "The expectation cannot be met.";
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    public static readonly RawCase[] All =
    [
        Serves("a pipeline", string.Concat(Enumerable.Repeat(Get, 8)), [.. Enumerable.Repeat(Ran("GET /"), 8)]),
        Serves("a pipeline with bodies", Post("Content-Length: 3", "abc") + Post("Transfer-Encoding: chunked", "1\r\nd\r\n0\r\n\r\n") + Get,
            Ran("POST / [abc]"), Ran("POST / [d]"), Ran("GET /")),
        Closes("a pipeline with a bad request", Get + "GET / HTTP/1.1\r\n\r\n", Ran("GET /"), Refused(400, "The Host field is missing.")),
        Closes("a pipeline with a request that closes", Get + With("Connection: close"), Ran("GET /"), RanClosing("GET /")),
        Closes("rubbish behind a request", Get + "\u0001\u0002", Ran("GET /"), Refused(400, "The request line is malformed.")),
        Serves("empty lines between requests", Get + "\r\n\r\n", Ran("GET /")),

        Closes("Connection: close", With("Connection: close"), RanClosing("GET /")),
        Closes("Connection: CLOSE", With("Connection: CLOSE"), RanClosing("GET /")),
        Closes("Connection: keep-alive, close", With("Connection: keep-alive, close"), RanClosing("GET /")),
        Closes("Connection: close, x", With("Connection: ,close , x"), RanClosing("GET /")),
        Closes("two Connection lines", With("Connection: x\r\nConnection: close"), RanClosing("GET /")),
        Closes("Connection: close with a body", Post("Connection: close\r\nContent-Length: 1", "x"), RanClosing("POST / [x]")),
        Closes("Connection: close with chunks", Post("Connection: close\r\nTransfer-Encoding: chunked", "1\r\nx\r\n0\r\n\r\n"),
            RanClosing("POST / [x]")),
        Closes("bytes behind Connection: close", With("Connection: close") + "\0\r\n\r\nrubbish", RanClosing("GET /")),
        Serves("Connection: keep-alive", With("Connection: keep-alive"), Ran("GET /")),
        Serves("Connection: closed", With("Connection: closed"), Ran("GET /")),
        Serves("Connection: x-close", With("Connection: x-close"), Ran("GET /")),
        Serves("Connection names Host", With("Connection: host"), Ran("GET /")),
        Serves("Proxy-Connection: close", With("Proxy-Connection: close"), Ran("GET /")),
        Serves("Connection: TE", With("Connection: TE\r\nTE: trailers"), Ran("GET /")),
        Closes("HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", RanClosing("GET /")),
        Closes("HTTP/1.0 with keep-alive", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", RanClosing("GET /")),
        Closes("absolute-form in HTTP/1.0", "GET http://a/b HTTP/1.0\r\n\r\n", RanClosing("GET /b")),
        Closes("a stream in HTTP/1.0", "GET /stream HTTP/1.0\r\n\r\n",
            $"HTTP/1.1 200 OK\r\n{Mark}Date: *\r\nConnection: close\r\n\r\nGET /stream"),

        Serves("a stream", "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
            $"HTTP/1.1 200 OK\r\n{Mark}Date: *\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nGET /stream\r\n0\r\n\r\n"),
        Serves("HEAD of a stream", "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n",
            $"HTTP/1.1 200 OK\r\n{Mark}Date: *\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Serves("HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", RanToHead("HEAD /")),
        Serves("HEAD of what is not there", "HEAD //// HTTP/1.1\r\nHost: a\r\n\r\n", NotFound[..^"There is nothing here.\n".Length]),
        Serves("204", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", $"HTTP/1.1 204 No Content\r\n{Mark}Date: *\r\n\r\n"),
        Serves("HEAD of 204", "HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n", $"HTTP/1.1 204 No Content\r\n{Mark}Date: *\r\n\r\n"),
        Serves("304", "GET /same HTTP/1.1\r\nHost: a\r\n\r\n", $"HTTP/1.1 304 Not Modified\r\n{Mark}Date: *\r\n\r\n"),
        Closes("HEAD of a bad request", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
            Refused(400, "The Content-Length field is invalid.")[..^"The Content-Length field is invalid.\n".Length]),

        ServesAsked("Expect: 100-continue", Post("Expect: 100-continue\r\nContent-Length: 5", "hello"), Ran("POST / [hello]")),
        ServesAsked("Expect: 100-Continue with chunks", Post("Expect: 100-Continue\r\nTransfer-Encoding: chunked", "1\r\nx\r\n0\r\n\r\n"),
            Ran("POST / [x]")),
        ServesAsked("Expect: 100-continue twice", Post("Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 1", "x"),
            Ran("POST / [x]")),
        Serves("Expect: 100-continue without a body", With("Expect: 100-continue"), Ran("GET /")),
        Serves("Expect: 100-continue with a length of 0", Post("Expect: 100-continue\r\nContent-Length: 0", ""), Ran("POST /")),
        Serves("an empty Expect", With("Expect:"), Ran("GET /")),
        Closes("Expect: 100-continue, and nobody reads the body",
            "POST /unread HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", RanClosing("POST /unread")),
        Closes("Expect: 100-continue in HTTP/1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
            RanClosing("POST / [x]")),
        Refuses("Expect: 100-continue with a body that is too large", Post("Expect: 100-continue\r\nContent-Length: 61", ""), 413,
            "The body is too large."),
        Refuses("Expect: miracles", Post("Expect: miracles\r\nContent-Length: 1", "x"), 417, Expectation),
        Refuses("Expect: 100-continue, miracles", Post("Expect: 100-continue, miracles\r\nContent-Length: 1", "x"), 417, Expectation),
        Refuses("Expect: 100-continue;a=b", Post("Expect: 100-continue;a=b\r\nContent-Length: 1", "x"), 417, Expectation),
        Refuses("Expect: 200-ok", With("Expect: 200-ok"), 417, Expectation),

        Serves("Upgrade: h2c", With("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk"), Ran("GET /")),
        Serves("Upgrade: websocket without Connection", With("Upgrade: websocket\r\nSec-WebSocket-Version: 13"), Ran("GET /")),
        Serves("Upgrade of POST", Post("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1", "x"), Ran("POST / [x]")),
        Closes("Upgrade in HTTP/1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", RanClosing("GET /")),
    ];

    private static string With(string fields) => $"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n";

    private static string Post(string fields, string body) => $"POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{body}";
}
