namespace Iris.Net.Http;

/// <summary>One field line of a request.</summary>
public readonly ref struct HeaderField
{
    internal HeaderField(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        Name = name;
        Value = value;
    }

    /// <summary>The name as it was sent.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The value as it was sent, without the white space around it.</summary>
    public ReadOnlySpan<byte> Value { get; }
}
