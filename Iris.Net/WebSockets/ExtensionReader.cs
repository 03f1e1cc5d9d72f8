namespace Iris.Net.WebSockets;

/// <summary>What an <see cref="ExtensionReader"/> stands at.</summary>
internal enum ExtensionPart
{
    /// <summary>The name of the next extension.</summary>
    Extension,

    /// <summary>A parameter of the extension.</summary>
    Parameter,

    /// <summary>The field is over.</summary>
    End,

    /// <summary>The field breaks its grammar.</summary>
    Malformed,
}

/// <summary>Reads a field of Sec-WebSocket-Extensions (RFC 6455 section 9.1).</summary>
internal ref struct ExtensionReader(ReadOnlySpan<byte> field)
{
    private ReadOnlySpan<byte> _rest = field.Trim(" \t"u8);
    private bool _inExtension;

    /// <summary>The name of the extension or parameter.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The parameter's value without its quotes; backslashes still escape.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Whether the parameter has a value.</summary>
    public bool HasValue { get; private set; }

    /// <summary>Whether the whole field keeps to the grammar.</summary>
    public static bool IsValid(ReadOnlySpan<byte> field)
    {
        var reader = new ExtensionReader(field);
        ExtensionPart part;
        var count = 0;
        while ((part = reader.Read()) is ExtensionPart.Extension or ExtensionPart.Parameter)
            count++;
        return part == ExtensionPart.End && count > 0;
    }

    /// <summary>Goes on to the next part.</summary>
    public ExtensionPart Read()
    {
        Value = default;
        HasValue = false;
        if (_inExtension && TrySkip((byte)';'))
            return TryReadName() && TryReadValue() && IsAtDelimiter ? ExtensionPart.Parameter : ExtensionPart.Malformed;
        while (TrySkip((byte)','))
            _inExtension = false; // RFC 9110 section 5.6.1.2: empty elements are passed over
        if (_rest.IsEmpty)
            return ExtensionPart.End;
        _inExtension = true;
        return TryReadName() && IsAtDelimiter ? ExtensionPart.Extension : ExtensionPart.Malformed;
    }

    private readonly bool IsAtDelimiter => _rest.IsEmpty || _rest[0] is (byte)',' or (byte)';';

    private bool TrySkip(byte delimiter)
    {
        if (_rest.IsEmpty || _rest[0] != delimiter)
            return false;
        _rest = _rest[1..].TrimStart(" \t"u8);
        return true;
    }

    private bool TryReadName()
    {
        Name = ReadToken();
        return !Name.IsEmpty;
    }

    private ReadOnlySpan<byte> ReadToken()
    {
        var token = _rest[..Token.LengthOf(_rest)];
        _rest = _rest[token.Length..].TrimStart(" \t"u8);
        return token;
    }

    private bool TryReadValue()
    {
        if (!TrySkip((byte)'='))
            return true;
        HasValue = true;
        if (_rest.IsEmpty || _rest[0] != (byte)'"')
        {
            Value = ReadToken();
            return !Value.IsEmpty;
        }

        // What is quoted must be a token once it is unescaped, so a quote or a backslash cannot be meant.
        var length = 0;
        while (true)
        {
            var at = 1 + length;
            if (at < _rest.Length && _rest[at] == (byte)'\\')
                at++;
            if (at >= _rest.Length)
                return false;
            if (at == 1 + length && _rest[at] == (byte)'"')
                break;
            if (Token.LengthOf(_rest.Slice(at, 1)) == 0)
                return false;
            length = at;
        }

        Value = _rest.Slice(1, length);
        _rest = _rest[(length + 2)..].TrimStart(" \t"u8);
        return length > 0;
    }
}
