using System.Text;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>A response's header fields, in the order they were added.</summary>
public sealed class ResponseHeaders
{
    private readonly RentedBuffer _lines = new();
    private readonly HttpResponse _response;

    internal ResponseHeaders(HttpResponse response) => _response = response;

    internal ReadOnlySpan<byte> Lines => _lines.Written.Span;

    /// <summary>Adds a field.</summary>
    /// <param name="name">A token; not Content-Length, Transfer-Encoding or Date, which are the server's own, and Connection only
    /// with <c>Upgrade</c>: <see cref="HttpResponse.CloseAfter"/> does the rest.</param>
    /// <param name="value">No control bytes but tabs.</param>
    /// <exception cref="ArgumentException">The name or the value is not valid.</exception>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        _response.ThrowIfStarted();
        if (Ascii.EqualsIgnoreCase(name, "date"u8)
            || (Ascii.EqualsIgnoreCase(name, "connection"u8) && !Ascii.EqualsIgnoreCase(value, "upgrade"u8)))
            throw new ArgumentException("The field is the server's own.", nameof(name));
        FieldLineWriter.Write(_lines, name, value);
    }

    /// <summary>As the other; the value is written as UTF-8.</summary>
    /// <exception cref="ArgumentException">The name or the value is not valid.</exception>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<char> value)
    {
        const int small = 256;
        Span<byte> utf8 = value.Length <= small / 3 ? stackalloc byte[small] : new byte[Encoding.UTF8.GetMaxByteCount(value.Length)];
        Add(name, utf8[..Encoding.UTF8.GetBytes(value, utf8)]);
    }

    internal void Clear() => _lines.Clear();
}
