using System.Buffers.Text;
using System.Text;

namespace Iris.Net.Sessions;

/// <summary>A place among the events of a session, and the id of the event that stands there: <c>turn.seq.d.attempt</c>.</summary>
/// <param name="Turn">The turn's number.</param>
/// <param name="Seq">The seq of the last journal record at or before it.</param>
/// <param name="Delta">How many events followed that record; 0 for the record itself.</param>
/// <param name="Attempt">Six characters that name the attempt.</param>
internal readonly record struct EventCursor(long Turn, long Seq, long Delta, string Attempt)
{
    /// <summary>The most bytes that an id has.</summary>
    public const int MaxLength = (3 * 20) + AttemptLength;

    /// <summary>The attempt of a committed turn whose name nobody kept.</summary>
    public const string NoName = "______";

    /// <summary>Stands behind every event that an attempt may have had.</summary>
    public const long End = int.MaxValue;

    /// <summary>Stands behind the text of a record where its reader was told that it is lost.</summary>
    public const long GapTold = End - 1;

    private const int AttemptLength = 6;

    /// <summary>Where it stands within its attempt.</summary>
    public EventPlace Place => new(Seq, Delta);

    /// <summary>Writes the id.</summary>
    /// <param name="to">Has room for <see cref="MaxLength"/>.</param>
    public int Format(Span<byte> to)
    {
        int length = 0;
        foreach (long number in (ReadOnlySpan<long>)[Turn, Seq, Delta])
        {
            Utf8Formatter.TryFormat(number, to[length..], out int digits);
            length += digits;
            to[length++] = (byte)'.';
        }

        return length + Encoding.ASCII.GetBytes(Attempt, to[length..]);
    }

    public override string ToString()
    {
        Span<byte> id = stackalloc byte[MaxLength];
        return Encoding.ASCII.GetString(id[..Format(id)]);
    }

    /// <summary>Reads an id as <see cref="Format"/> writes it: no sign, no leading zero, nothing around it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> id, out EventCursor cursor)
    {
        cursor = default;
        if (!TryTake(ref id, out long turn) || turn == 0 || !TryTake(ref id, out long seq) || !TryTake(ref id, out long delta)
            || id.Length != AttemptLength)
            return false;
        foreach (byte c in id)
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'-' or (byte)'_'))
                return false;
        cursor = new(turn, seq, delta, Encoding.ASCII.GetString(id));
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> id, out long number)
    {
        number = 0;
        int end = id.IndexOf((byte)'.');
        if (end is < 1 or > 19 || (end > 1 && id[0] == '0') || !char.IsAsciiDigit((char)id[0])
            || !Utf8Parser.TryParse(id[..end], out number, out int used) || used != end)
            return false;
        id = id[(end + 1)..];
        return true;
    }
}
