using System.Buffers;
using System.Buffers.Text;

namespace Iris.Net.Sse;

/// <summary>
/// The lines of an event stream, WHATWG HTML section 9.2.5, ended by LF. Lines of data and comments are split here, so
/// that no text can forge a field; <see cref="WriteEnd"/> dispatches what was written since the last one.
/// </summary>
internal static class EventStreamWriter
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);
    private static readonly SearchValues<byte> LineEndsAndNull = SearchValues.Create("\r\n\0"u8);

    /// <summary>Writes one whole frame: <c>event</c>, <c>data</c>, <c>id</c>, and the empty line.</summary>
    /// <param name="output">Takes the frame.</param>
    /// <param name="type">The event's type; empty leaves it out, which means <c>message</c>.</param>
    /// <param name="data">UTF-8; CR, LF and CRLF in it reach the reader as LF.</param>
    /// <param name="id">The event's id; empty leaves it out.</param>
    /// <exception cref="ArgumentException">A line end in the type, or a line end or NUL in the id.</exception>
    public static void Write(
        IBufferWriter<byte> output, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data, ReadOnlySpan<byte> id)
    {
        if (!type.IsEmpty)
            WriteEvent(output, type);
        WriteData(output, data);
        if (!id.IsEmpty)
            WriteId(output, id);
        WriteEnd(output);
    }

    /// <summary>Writes <c>event: type</c>.</summary>
    /// <exception cref="ArgumentException">A line end in the type.</exception>
    public static void WriteEvent(IBufferWriter<byte> output, ReadOnlySpan<byte> type)
    {
        if (type.ContainsAny(LineEnds))
            throw new ArgumentException("A type is one line.", nameof(type));
        WriteLine(output, "event: "u8, type);
    }

    /// <summary>Writes <c>data: line</c> for each line; at least one.</summary>
    public static void WriteData(IBufferWriter<byte> output, ReadOnlySpan<byte> data) => WriteLines(output, "data: "u8, data);

    /// <summary>Writes <c>id: id</c>. An empty id makes the reader forget the last one.</summary>
    /// <exception cref="ArgumentException">A line end, or NUL, with which a reader would ignore the id.</exception>
    public static void WriteId(IBufferWriter<byte> output, ReadOnlySpan<byte> id)
    {
        if (id.ContainsAny(LineEndsAndNull))
            throw new ArgumentException("An id is one line without NUL.", nameof(id));
        WriteLine(output, "id: "u8, id);
    }

    /// <summary>Writes <c>retry: milliseconds</c>, the time after which a reader connects again.</summary>
    public static void WriteRetry(IBufferWriter<byte> output, int milliseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(milliseconds);
        Span<byte> digits = stackalloc byte[10];
        Utf8Formatter.TryFormat(milliseconds, digits, out int length);
        WriteLine(output, "retry: "u8, digits[..length]);
    }

    /// <summary>Writes <c>: line</c> for each line, which readers ignore. It keeps an idle stream alive.</summary>
    public static void WriteComment(IBufferWriter<byte> output, ReadOnlySpan<byte> text) => WriteLines(output, ": "u8, text);

    /// <summary>Writes the empty line that ends a frame.</summary>
    public static void WriteEnd(IBufferWriter<byte> output) => output.Write("\n"u8);

    private static void WriteLines(IBufferWriter<byte> output, ReadOnlySpan<byte> field, ReadOnlySpan<byte> text)
    {
        for (int end; (end = text.IndexOfAny(LineEnds)) >= 0;)
        {
            WriteLine(output, field, text[..end]);
            text = text[(end + (text[end..].StartsWith("\r\n"u8) ? 2 : 1))..];
        }
        WriteLine(output, field, text);
    }

    private static void WriteLine(IBufferWriter<byte> output, ReadOnlySpan<byte> field, ReadOnlySpan<byte> line)
    {
        int length = field.Length + line.Length + 1;
        Span<byte> destination = output.GetSpan(length);
        field.CopyTo(destination);
        line.CopyTo(destination[field.Length..]);
        destination[length - 1] = (byte)'\n';
        output.Advance(length);
    }
}
