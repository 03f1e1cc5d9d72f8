using System.Text;

namespace Iris.Net.Server;

/// <summary><c>/static/{value}</c>, taken apart.</summary>
internal sealed class RouteTemplate
{
    private readonly byte[]?[] _segments;   // null where the segment is a value
    private readonly string[] _names;       // of the values, in order

    public RouteTemplate(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        if (text[0] != '/')
            throw new ArgumentException($"The template '{text}' does not begin with '/'.", nameof(text));
        Text = text;
        string[] segments = text[1..].Split('/');
        _names = [.. segments.Where(IsValue).Select(segment => segment[1..^1])];
        _segments = [.. segments.Select(segment => IsValue(segment) ? null : Encoding.UTF8.GetBytes(segment))];
        if (_names.Any(name => name.Length == 0 || name.AsSpan().ContainsAny('{', '}')) || _names.Distinct().Count() < _names.Length
            || segments.Any(segment => !IsValue(segment) && segment.AsSpan().ContainsAny("{}?#")))
            throw new ArgumentException($"The template '{text}' is malformed.", nameof(text));
        Shape = string.Join('/', segments.Select(segment => IsValue(segment) ? "{}" : segment));
    }

    public string Text { get; }

    /// <summary>The template without its names: two of one shape match the same paths.</summary>
    public string Shape { get; }

    public int SegmentCount => _segments.Length;

    public int ValueCount => _names.Length;

    public int IndexOf(string name) => Array.IndexOf(_names, name);

    /// <summary>Whether the template says more than another of as many segments: it is static where the other has a value.</summary>
    public bool GoesBefore(RouteTemplate other)
    {
        for (int i = 0; i < _segments.Length; i++)
            if (_segments[i] is null != other._segments[i] is null)
                return other._segments[i] is null;
        return false;
    }

    /// <summary>Compares a path, and tells where its values stand.</summary>
    public bool Matches(ReadOnlySpan<byte> path, Span<Range> values)
    {
        int at = 1, value = 0;
        foreach (byte[]? segment in _segments)
        {
            if (at > path.Length)
                return false;
            int length = path[at..].IndexOf((byte)'/');
            int end = length < 0 ? path.Length : at + length;
            if (segment is not null ? !path[at..end].SequenceEqual(segment) : end == at)
                return false;
            if (segment is null)
                values[value++] = at..end;
            at = end + 1;
        }

        return at == path.Length + 1;
    }

    private static bool IsValue(string segment) => segment.StartsWith('{') && segment.EndsWith('}');
}
