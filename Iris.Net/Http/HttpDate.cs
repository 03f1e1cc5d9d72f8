using System.Buffers.Text;

namespace Iris.Net.Http;

/// <summary>
/// <c>IMF-fixdate</c>, RFC 9110 section 5.6.7: <c>Sun, 06 Nov 1994 08:49:37 GMT</c>. One instance serves all connections
/// and formats once a second; the time is handed in.
/// </summary>
internal sealed class HttpDate
{
    public const int Length = 29;

    private Second _last = new(-1, new byte[Length]);

    /// <summary>The date of a time, to the second. Safe from any thread; the bytes never change.</summary>
    public ReadOnlySpan<byte> Of(DateTimeOffset now)
    {
        long number = now.UtcTicks / TimeSpan.TicksPerSecond;
        Second last = Volatile.Read(ref _last);
        if (last.Number != number)
        {
            byte[] text = new byte[Length];
            Format(text, now);
            Volatile.Write(ref _last, last = new Second(number, text));
        }
        return last.Text;
    }

    /// <summary>Formats a time.</summary>
    /// <param name="destination">At least <see cref="Length"/> bytes.</param>
    /// <param name="time">Any time; it is converted to UTC.</param>
    public static void Format(Span<byte> destination, DateTimeOffset time)
    {
        if (!Utf8Formatter.TryFormat(time.ToUniversalTime(), destination, out _, 'R'))
            throw new ArgumentException("The destination is too short.", nameof(destination));
    }

    private sealed record Second(long Number, byte[] Text);
}
