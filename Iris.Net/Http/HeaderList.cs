using System.Text;

namespace Iris.Net.Http;

/// <summary>
/// The field lines of a request, in the order in which they came. Names are compared without case, values have no
/// white space around them. Spans are valid until the request ends.
/// </summary>
public sealed class HeaderList
{
    // Most requests have fewer; a connection keeps this much between requests and no more.
    private const int UsualCount = 16;

    private Entry[] _entries = new Entry[UsualCount];
    private byte[] _bytes = [];

    internal HeaderList()
    {
    }

    /// <summary>How many field lines there are.</summary>
    public int Count { get; private set; }

    /// <summary>The field line at a position.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The position is not from 0 to <see cref="Count"/> - 1.</exception>
    public HeaderField this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            ref readonly Entry entry = ref _entries[index];
            return new HeaderField(NameOf(entry), ValueOf(entry));
        }
    }

    /// <summary>The value of the first field line of a name.</summary>
    /// <returns>False where there is none.</returns>
    public bool TryGet(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        int at = IndexOf(name, 0);
        value = at < 0 ? default : ValueOf(_entries[at]);
        return at >= 0;
    }

    /// <summary>How many field lines have a name.</summary>
    public int CountOf(ReadOnlySpan<byte> name)
    {
        int count = 0;
        for (int at = IndexOf(name, 0); at >= 0; at = IndexOf(name, at + 1))
            count++;
        return count;
    }

    /// <summary>The values of all field lines of a name, for <c>foreach</c>.</summary>
    public HeaderValues ValuesOf(ReadOnlySpan<byte> name) => new(this, name);

    /// <summary>
    /// Whether the comma-separated lists of all field lines of a name contain a member, compared without case:
    /// <c>HasMember("connection"u8, "upgrade"u8)</c>.
    /// </summary>
    public bool HasMember(ReadOnlySpan<byte> name, ReadOnlySpan<byte> member)
    {
        foreach (ReadOnlySpan<byte> value in ValuesOf(name))
            foreach (ReadOnlySpan<byte> element in new ListElements(value))
                if (Ascii.EqualsIgnoreCase(element, member))
                    return true;
        return false;
    }

    internal int IndexOf(ReadOnlySpan<byte> name, int from)
    {
        Span<Entry> entries = _entries.AsSpan(0, Count);
        for (int at = from; at < entries.Length; at++)
            if (entries[at].NameLength == name.Length && Ascii.EqualsIgnoreCase(NameOf(entries[at]), name))
                return at;
        return -1;
    }

    internal void Add(int nameStart, int nameLength, int valueStart, int valueLength)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        _entries[Count++] = new Entry(nameStart, nameLength, valueStart, valueLength);
    }

    internal ReadOnlySpan<byte> ValueAt(int index) => ValueOf(_entries[index]);

    internal void Use(byte[] bytes) => _bytes = bytes;

    internal void Clear()
    {
        Count = 0;
        _bytes = [];
        if (_entries.Length > UsualCount)
            _entries = new Entry[UsualCount];
    }

    private ReadOnlySpan<byte> NameOf(in Entry entry) => _bytes.AsSpan(entry.NameStart, entry.NameLength);

    private ReadOnlySpan<byte> ValueOf(in Entry entry) => _bytes.AsSpan(entry.ValueStart, entry.ValueLength);

    private readonly record struct Entry(int NameStart, int NameLength, int ValueStart, int ValueLength);
}
