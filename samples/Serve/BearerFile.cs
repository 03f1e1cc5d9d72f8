using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Iris.Net;
using Iris.Net.Http;
using Iris.Net.Server;

namespace Iris.Serve;

/// <summary>The file that says who may come in: <c>TOKEN PRINCIPAL</c> a line. Blank lines and those that begin with # say nothing.</summary>
internal sealed class BearerFile
{
    // RFC 6750 section 2.1: b64token
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    // By digest: how long a look takes tells nothing of a token.
    private readonly Dictionary<string, AuthorizeResult> _principals = new(StringComparer.Ordinal);

    private BearerFile()
    {
    }

    /// <summary>What the file says; null where it will not do, which was said.</summary>
    public static BearerFile? TryRead(string file)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"iris: cannot read who may come in: {e.Message}");
            return null;
        }

        BearerFile read = new();
        for (int i = 0; i < lines.Length; i++)
        {
            if (read.Add(lines[i].Trim()) is not { } wrong)
                continue;
            Console.Error.WriteLine($"iris: line {i + 1} of {file} {wrong}");
            return null;
        }

        if (read._principals.Count > 0)
            return read;
        Console.Error.WriteLine($"iris: {file} lets nobody in");
        return null;
    }

    /// <summary>Judges <c>Authorization: Bearer TOKEN</c>.</summary>
    public ValueTask<AuthorizeResult> AuthorizeAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        HeaderList fields = exchange.Request.Headers;
        return ValueTask.FromResult(
            fields.CountOf("authorization"u8) == 1 && fields.TryGet("authorization"u8, out ReadOnlySpan<byte> said)
                ? Judge(Encoding.Latin1.GetString(said))
                : AuthorizeResult.Refuse());
    }

    private static string DigestOf(string token) => Convert.ToHexString(SHA256.HashData(Encoding.Latin1.GetBytes(token)));

    private AuthorizeResult Judge(string said)
    {
        const string scheme = "Bearer ";
        return !said.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) ? AuthorizeResult.Refuse()
            : _principals.GetValueOrDefault(DigestOf(said[scheme.Length..].Trim(' ')), AuthorizeResult.Refuse("Bearer error=\"invalid_token\""));
    }

    // What is wrong with a line, without its token.
    private string? Add(string line)
    {
        if (line.Length == 0 || line[0] == '#')
            return null;
        string[] parts = line.Split((char[])[' ', '\t'], 2, StringSplitOptions.TrimEntries);
        if (parts.Length < 2 || parts[0].AsSpan().ContainsAnyExcept(TokenCharacters))
            return "is not TOKEN PRINCIPAL";
        try
        {
            return _principals.TryAdd(DigestOf(parts[0]), AuthorizeResult.Allow(parts[1])) ? null : "has the token of another line";
        }
        catch (ArgumentException e)
        {
            return $"names no principal: {e.Message}";
        }
    }
}
