using System.Buffers;

namespace Iris.Net.Http;

/// <summary>
/// The elements of one field value of RFC 9110 section 5.6.1, without the white space around them. Empty elements are
/// given too: whether they count is for the field to say. A comma in a quoted string separates nothing.
/// </summary>
internal ref struct ListElements(ReadOnlySpan<byte> value)
{
    private static readonly SearchValues<byte> Stops = SearchValues.Create(",\""u8);

    private ReadOnlySpan<byte> _rest = value;
    private bool _ended;

    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly ListElements GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_ended)
            return false;
        int end = EndOfElement(_rest);
        Current = _rest[..end].Trim(" \t"u8);
        _ended = end == _rest.Length;
        _rest = _ended ? default : _rest[(end + 1)..];
        return true;
    }

    private static int EndOfElement(ReadOnlySpan<byte> text)
    {
        int at = 0;
        while (true)
        {
            int stop = text[at..].IndexOfAny(Stops);
            if (stop < 0)
                return text.Length;
            at += stop;
            if (text[at] == ',')
                return at;
            at = EndOfQuotedString(text, at);
        }
    }

    // A string that is never closed reaches to the end: no element hides behind an open quote.
    private static int EndOfQuotedString(ReadOnlySpan<byte> text, int at)
    {
        for (at++; at < text.Length; at++)
            if (text[at] == '"')
                return at + 1;
            else if (text[at] == '\\')
                at++;
        return text.Length;
    }
}
