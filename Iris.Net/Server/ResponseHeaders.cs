namespace Iris.Net.Server;

/// <summary>A response's header fields, in the order they were added.</summary>
public sealed class ResponseHeaders
{
    internal ResponseHeaders() { }

    /// <summary>Adds a field.</summary>
    /// <param name="name">A token; not Content-Length, Transfer-Encoding, Connection or Date, which are the server's own.</param>
    /// <param name="value">Visible bytes, blanks and tabs between them.</param>
    /// <exception cref="ArgumentException">The name or the value is not valid.</exception>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => throw new NotSupportedException();

    /// <summary>As the other; the value is written as UTF-8.</summary>
    /// <exception cref="ArgumentException">The name or the value is not valid.</exception>
    /// <exception cref="InvalidOperationException">The response has started.</exception>
    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<char> value) => throw new NotSupportedException();

    /// <summary>Whether a field of this name was added, in any case.</summary>
    public bool Contains(ReadOnlySpan<byte> name) => throw new NotSupportedException();
}
