using static Iris.Net.Tests.Conformance.RawTable.RawAnswer;
using static Iris.Net.Tests.Conformance.RawTable.RawCase;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>RFC 9112 section 3.2 and RFC 3986 section 3.2: Host.</summary>
internal static class HostCases
{
    private const string Invalid = "The Host field is invalid.";
    private const string Several = "There is more than one Host field.";

    public static readonly RawCase[] All =
    [
        Served("a.example"), Served("a.example:8080"), Served("127.0.0.1:80"), Served("[::1]"), Served("[::1]:80"),
        Served("[::ffff:127.0.0.1]:1"), Served("[v1.a:b]"), Served("0.0.0.0=5000"), Served("a_b~c"), Served("%41"), Served("a:"),
        Served("a:65535"), Served("A.EXAMPLE."),
        RefusedAs(""), RefusedAs(" "), RefusedAs(":80"), RefusedAs("a:65536"), RefusedAs("a:-1"), RefusedAs("a:8o"), RefusedAs("a:80:80"),
        RefusedAs("u@a"), RefusedAs("u:p@a"), RefusedAs("a/b"), RefusedAs("a?b"), RefusedAs("a#b"), RefusedAs("a,b"), RefusedAs("a, b"),
        RefusedAs("a b"), RefusedAs("a\tb"), RefusedAs("a\\b"), RefusedAs("\"a\""), RefusedAs("<a>"), RefusedAs("a\u00e9"), RefusedAs("a%4"),
        RefusedAs("a%"), RefusedAs("http://a"), RefusedAs("[::1"), RefusedAs("::1"), RefusedAs("[]"), RefusedAs("[::1]a"),
        RefusedAs("[::1%25eth0]"), RefusedAs("[1::2::3]"), RefusedAs("[1:2:3:4:5:6:7:8:9]"), RefusedAs("[12345::]"), RefusedAs("[::1.2.3]"),
        RefusedAs("[::256.1.1.1]"), RefusedAs("[a.b]"),
        Serves("Host in any case", "GET / HTTP/1.1\r\nhOsT:\ta \r\n\r\n", Ran("GET /")),
        Serves("Host is not the first", "GET / HTTP/1.1\r\nX: y\r\nHost: a\r\n\r\n", Ran("GET / x=y")),
        Refuses("no Host", "GET / HTTP/1.1\r\n\r\n", 400, "The Host field is missing."),
        Refuses("no Host for OPTIONS *", "OPTIONS * HTTP/1.1\r\n\r\n", 400, "The Host field is missing."),
        Refuses("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, Several),
        Refuses("the same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: a\r\n\r\n", 400, Several),
        Refuses("a Host and an empty one", "GET / HTTP/1.1\r\nHost: a\r\nHost:\r\n\r\n", 400, Several),
        Closes("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", RanClosing("GET /")),
        Refuses("HTTP/1.0 with two Hosts", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, Several),
        Refuses("HTTP/1.0 with a bad Host", "GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", 400, Invalid),
    ];

    private static RawCase Served(string host) => Serves($"Host '{host}'", Ask(host), Ran("GET /"));

    private static RawCase RefusedAs(string host) => Refuses($"no Host: '{host}'", Ask(host), 400, Invalid);

    private static string Ask(string host) => $"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n";
}
