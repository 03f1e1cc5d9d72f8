using System.Text;

namespace Iris.Net.Endpoints;

/// <summary>The origins that browsers may call from, beside the server's own.</summary>
internal sealed class AllowedOrigins
{
    private readonly byte[][] _origins;

    /// <exception cref="ArgumentException">An entry is not <c>scheme://host[:port]</c>.</exception>
    public AllowedOrigins(IEnumerable<string> origins) => _origins = [.. origins.Select(Checked)];

    public bool IsEmpty => _origins.Length == 0;

    public bool Contains(ReadOnlySpan<byte> origin)
    {
        foreach (byte[] allowed in _origins)
            if (Ascii.EqualsIgnoreCase(allowed, origin))
                return true;
        return false;
    }

    private static byte[] Checked(string origin) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && uri.GetLeftPart(UriPartial.Authority).Equals(origin, StringComparison.OrdinalIgnoreCase)
            ? Encoding.ASCII.GetBytes(origin)
            : throw new ArgumentException($"An allowed origin is scheme://host or scheme://host:port, not '{origin}'.");
}
