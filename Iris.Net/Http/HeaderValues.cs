namespace Iris.Net.Http;

/// <summary>The values of all field lines of one name, in order.</summary>
public ref struct HeaderValues
{
    private readonly HeaderList _headers;
    private readonly ReadOnlySpan<byte> _name;
    private int _at;

    internal HeaderValues(HeaderList headers, ReadOnlySpan<byte> name)
    {
        _headers = headers;
        _name = name;
        _at = -1;
    }

    /// <summary>The value at hand.</summary>
    public readonly ReadOnlySpan<byte> Current => _headers.ValueAt(_at);

    /// <summary>Goes to the next value.</summary>
    /// <returns>False where there is none.</returns>
    public bool MoveNext()
    {
        int next = _headers.IndexOf(_name, _at + 1);
        if (next < 0)
            return false;
        _at = next;
        return true;
    }

    /// <summary>For <c>foreach</c>.</summary>
    public readonly HeaderValues GetEnumerator() => this;
}
