namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>Responses as they stand on the wire.</summary>
internal static class RawAnswer
{
    /// <summary>What only the handler adds to a response.</summary>
    public const string Mark = "Ran: yes\r\n";

    public const string Continue = "HTTP/1.1 100 Continue\r\n\r\n";

    public const string ServerOptions = "HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, POST\r\nDate: *\r\n\r\n";

    public const string NotFound =
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nDate: *\r\nContent-Length: 23\r\n\r\nThere is nothing here.\n";

    public const string NotFoundClosing =
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nDate: *\r\nConnection: close\r\nContent-Length: 23\r\n\r\n" +
        "There is nothing here.\n";

    public const string MethodNotAllowed =
        "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, POST\r\nContent-Type: text/plain\r\nDate: *\r\n" +
        "Content-Length: 32\r\n\r\nThe method is not allowed here.\n";

    /// <summary>The handler's answer: what it was asked.</summary>
    public static string Ran(string what) => $"HTTP/1.1 200 OK\r\n{Mark}Date: *\r\nContent-Length: {what.Length}\r\n\r\n{what}";

    public static string RanClosing(string what) =>
        $"HTTP/1.1 200 OK\r\n{Mark}Date: *\r\nConnection: close\r\nContent-Length: {what.Length}\r\n\r\n{what}";

    /// <summary>To HEAD: all but the body.</summary>
    public static string RanToHead(string what) => Ran(what)[..^what.Length];

    public static string Refused(int status, string text)
    {
        string reason = status switch
        {
            400 => "Bad Request",
            413 => "Content Too Large",
            414 => "URI Too Long",
            417 => "Expectation Failed",
            431 => "Request Header Fields Too Large",
            501 => "Not Implemented",
            505 => "HTTP Version Not Supported",
            _ => throw new ArgumentOutOfRangeException(nameof(status)),
        };
        return $"HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nDate: *\r\nConnection: close\r\n" +
            $"Content-Length: {text.Length + 1}\r\n\r\n{text}\n";
    }
}
