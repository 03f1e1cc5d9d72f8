using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Tests.Conformance;

/// <summary>Takes whoever names himself, <c>Authorization: Bearer NAME</c>, for who he says; one called <c>throw</c> is too much for it.</summary>
internal static class Bearer
{
    private const string Scheme = "Bearer ";

    public static async ValueTask<AuthorizeResult> AskAsync(HttpExchange exchange, CancellationToken disconnected)
    {
        string said = exchange.Request.Headers.TryGet("authorization"u8, out ReadOnlySpan<byte> value) ? Encoding.UTF8.GetString(value) : "";
        await Task.Yield();
        return said switch
        {
            Scheme + "throw" => throw new InvalidOperationException("secret"),
            Scheme + "long" => AuthorizeResult.Allow(new string('x', AuthorizeResult.MaxPrincipalLength + 1)),
            Scheme + "nobody" => default,
            _ when said.StartsWith(Scheme, StringComparison.Ordinal) => AuthorizeResult.Allow(said[Scheme.Length..]),
            _ => AuthorizeResult.Refuse("Bearer realm=\"test\""),
        };
    }
}
