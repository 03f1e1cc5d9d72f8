using System.Buffers.Text;
using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>The parameters of a query, as they were sent.</summary>
internal static class QueryParameters
{
    /// <summary>A whole number, not negative; false where there are several, or one that is out of its range.</summary>
    public static bool TryNumber(HttpRequest request, ReadOnlySpan<byte> name, long least, long most, ref long value)
    {
        if (!TryGet(request, name, out ReadOnlySpan<byte> text))
            return false;
        if (text.IsEmpty)
            return !Has(request, name);
        return !text.ContainsAnyExceptInRange((byte)'0', (byte)'9') && Utf8Parser.TryParse(text, out value, out _)
            && value >= least && value <= most;
    }

    /// <summary>A word; null where there is none, false where there are several.</summary>
    public static bool TryText(HttpRequest request, ReadOnlySpan<byte> name, out string? value)
    {
        bool isOne = TryGet(request, name, out ReadOnlySpan<byte> text);
        value = isOne && Has(request, name) ? Encoding.Latin1.GetString(text) : null;
        return isOne;
    }

    /// <summary>Whether a parameter stands there, its value with it.</summary>
    public static bool Contains(HttpRequest request, ReadOnlySpan<byte> parameter)
    {
        foreach (Range range in request.Query.Split((byte)'&'))
            if (request.Query[range].SequenceEqual(parameter))
                return true;
        return false;
    }

    private static bool Has(HttpRequest request, ReadOnlySpan<byte> name) => Count(request, name, out _) > 0;

    private static bool TryGet(HttpRequest request, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) => Count(request, name, out value) < 2;

    private static int Count(HttpRequest request, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        int count = 0;
        foreach (Range range in request.Query.Split((byte)'&'))
        {
            ReadOnlySpan<byte> parameter = request.Query[range];
            int equals = parameter.IndexOf((byte)'=');
            if (!(equals < 0 ? parameter : parameter[..equals]).SequenceEqual(name))
                continue;
            count++;
            value = equals < 0 ? default : parameter[(equals + 1)..];
        }

        return count;
    }
}
