namespace Iris.Net.Http;

/// <summary><c>status-line = HTTP-version SP status-code SP [ reason-phrase ] CRLF</c>, RFC 9112 section 4.</summary>
internal static class StatusLine
{
    /// <summary>Room enough for any status line.</summary>
    public const int MaxLength = 64;

    /// <summary>Formats the status line. The version is 1.1 even for a client of 1.0, RFC 9110 section 2.5.</summary>
    /// <returns>The bytes that were written.</returns>
    public static int Format(Span<byte> destination, int status)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 100);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 599);
        "HTTP/1.1 "u8.CopyTo(destination);
        destination[9] = (byte)('0' + status / 100);
        destination[10] = (byte)('0' + status / 10 % 10);
        destination[11] = (byte)('0' + status % 10);
        destination[12] = (byte)' ';
        ReadOnlySpan<byte> reason = ReasonOf(status);
        reason.CopyTo(destination[13..]);
        "\r\n"u8.CopyTo(destination[(13 + reason.Length)..]);
        return 15 + reason.Length;
    }

    /// <summary>Whether RFC 9110 lets a response of this status have content, and with it a framing.</summary>
    public static bool AllowsContent(int status) => status >= 200 && status is not (204 or 304);

    /// <summary>The reason phrase of RFC 9110 section 15; empty for a status that has none there.</summary>
    public static ReadOnlySpan<byte> ReasonOf(int status) => status switch
    {
        100 => "Continue"u8,
        101 => "Switching Protocols"u8,
        200 => "OK"u8,
        201 => "Created"u8,
        202 => "Accepted"u8,
        203 => "Non-Authoritative Information"u8,
        204 => "No Content"u8,
        205 => "Reset Content"u8,
        206 => "Partial Content"u8,
        300 => "Multiple Choices"u8,
        301 => "Moved Permanently"u8,
        302 => "Found"u8,
        303 => "See Other"u8,
        304 => "Not Modified"u8,
        305 => "Use Proxy"u8,
        307 => "Temporary Redirect"u8,
        308 => "Permanent Redirect"u8,
        400 => "Bad Request"u8,
        401 => "Unauthorized"u8,
        402 => "Payment Required"u8,
        403 => "Forbidden"u8,
        404 => "Not Found"u8,
        405 => "Method Not Allowed"u8,
        406 => "Not Acceptable"u8,
        407 => "Proxy Authentication Required"u8,
        408 => "Request Timeout"u8,
        409 => "Conflict"u8,
        410 => "Gone"u8,
        411 => "Length Required"u8,
        412 => "Precondition Failed"u8,
        413 => "Content Too Large"u8,
        414 => "URI Too Long"u8,
        415 => "Unsupported Media Type"u8,
        416 => "Range Not Satisfiable"u8,
        417 => "Expectation Failed"u8,
        421 => "Misdirected Request"u8,
        422 => "Unprocessable Content"u8,
        425 => "Too Early"u8, // RFC 8470
        426 => "Upgrade Required"u8,
        428 => "Precondition Required"u8, // RFC 6585, with 429 and 431
        429 => "Too Many Requests"u8,
        431 => "Request Header Fields Too Large"u8,
        500 => "Internal Server Error"u8,
        501 => "Not Implemented"u8,
        502 => "Bad Gateway"u8,
        503 => "Service Unavailable"u8,
        504 => "Gateway Timeout"u8,
        505 => "HTTP Version Not Supported"u8,
        507 => "Insufficient Storage"u8, // RFC 4918
        _ => default,
    };
}
