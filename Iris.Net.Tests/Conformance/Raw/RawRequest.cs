using System.Text;

namespace Iris.Net.Tests.Conformance.Raw;

/// <summary>A request as a client writes it: <c>Host</c> and <c>Content-Length</c> are added where the field lines have none.</summary>
internal sealed record RawRequest(string Method, string Target, params string[] Fields)
{
    /// <summary>The body; null where the request has none.</summary>
    public byte[]? Body { get; init; }

    public static RawRequest Post(string target, string body, params string[] fields) =>
        new("POST", target, fields) { Body = Encoding.UTF8.GetBytes(body) };

    public static RawRequest Post(string target, byte[] body, params string[] fields) => new("POST", target, fields) { Body = body };

    public static RawRequest Get(string target, params string[] fields) => new("GET", target, fields);

    public byte[] Bytes(Uri server)
    {
        StringBuilder head = new($"{Method} {Target} HTTP/1.1\r\n");
        if (!Has("Host"))
            head.Append($"Host: {server.Authority}\r\n");
        foreach (string field in Fields)
            head.Append(field).Append("\r\n");
        if (Body is not null && !Has("Content-Length") && !Has("Transfer-Encoding"))
            head.Append($"Content-Length: {Body.Length}\r\n");
        return [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), .. Body ?? []];
    }

    private bool Has(string name) => Array.Exists(Fields, field => field.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase));
}
