using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>The token that stands in a header field.</summary>
internal static class TokenField
{
    /// <summary>Empty where there is none.</summary>
    public static byte[] Read(HttpRequest request) => request.Headers.CountOf("x-continuation-token"u8) switch
    {
        0 => [],
        1 when request.Headers.TryGet("x-continuation-token"u8, out ReadOnlySpan<byte> value) => value.ToArray(),
        _ => [0],   // a repeated one is no token that was ever given out
    };
}
