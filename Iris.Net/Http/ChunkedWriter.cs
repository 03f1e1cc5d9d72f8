using System.Buffers;
using System.Buffers.Text;

namespace Iris.Net.Http;

/// <summary><c>chunk = chunk-size CRLF chunk-data CRLF</c> and <c>last-chunk = "0" CRLF CRLF</c>, RFC 9112 section 7.1.</summary>
internal static class ChunkedWriter
{
    /// <summary>The most bytes that <see cref="FormatStart"/> writes: 16 digits and CRLF.</summary>
    public const int MaxStartLength = 18;

    /// <summary>What stands after the data of each chunk.</summary>
    public static ReadOnlySpan<byte> End => "\r\n"u8;

    /// <summary>What ends the body, without trailers.</summary>
    public static ReadOnlySpan<byte> Last => "0\r\n\r\n"u8;

    /// <summary>Formats <c>chunk-size CRLF</c>.</summary>
    /// <param name="destination">At least <see cref="MaxStartLength"/> bytes.</param>
    /// <param name="size">Bytes of data, at least 1: an empty chunk would end the body.</param>
    /// <returns>The bytes that were written.</returns>
    public static int FormatStart(Span<byte> destination, long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        if (!Utf8Formatter.TryFormat(size, destination, out int length, new StandardFormat('x')))
            throw new ArgumentException("The destination is too short.", nameof(destination));
        End.CopyTo(destination[length..]);
        return length + End.Length;
    }

    /// <summary>Writes one whole chunk; nothing where there is no data.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty)
            return;
        Span<byte> start = output.GetSpan(MaxStartLength);
        output.Advance(FormatStart(start, data.Length));
        output.Write(data);
        output.Write(End);
    }

    /// <summary>Writes the last chunk.</summary>
    public static void WriteLast(IBufferWriter<byte> output) => output.Write(Last);
}
