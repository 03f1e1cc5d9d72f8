using System.Buffers;
using System.Text;

namespace Iris.Net.Http;

/// <summary><c>field-line = field-name ":" SP field-value CRLF</c>, RFC 9112 section 5.</summary>
internal static class FieldLineWriter
{
    /// <summary>Writes one field line of a response.</summary>
    /// <exception cref="ArgumentException">
    /// The name is not a token, the value has a control byte (a line end would forge a field), or the field frames the
    /// body, which <see cref="ResponseHeadWriter"/> does.
    /// </exception>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!Grammar.IsToken(name))
            throw new ArgumentException("A field name must be a token.", nameof(name));
        if (Ascii.EqualsIgnoreCase(name, "content-length"u8) || Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8))
            throw new ArgumentException("The framing of the body is set by the server.", nameof(name));
        if (value.ContainsAny(Grammar.ControlCharacters))
            throw new ArgumentException("A field value must not contain control bytes.", nameof(value));

        int length = name.Length + 2 + value.Length + 2;
        Span<byte> line = output.GetSpan(length);
        name.CopyTo(line);
        line = line[name.Length..];
        ": "u8.CopyTo(line);
        value.CopyTo(line[2..]);
        "\r\n"u8.CopyTo(line[(2 + value.Length)..]);
        output.Advance(length);
    }
}
