using System.Text;

namespace Iris.Net.WebSockets;

/// <summary>The subprotocols that a client offers (RFC 6455 sections 1.9 and 11.3.4); their names are compared with case.</summary>
internal static class Subprotocols
{
    /// <summary>The field that names them.</summary>
    public static ReadOnlySpan<byte> Field => "sec-websocket-protocol"u8;

    /// <summary>Takes the names of one field; false where one is no token, is there already, or there is none.</summary>
    public static bool TryAdd(ReadOnlySpan<byte> field, HashSet<string> names)
    {
        var count = 0;
        foreach (var range in field.Split((byte)','))
        {
            var name = field[range].Trim(" \t"u8);
            if (name.IsEmpty)
                continue; // RFC 9110 section 5.6.1.2: empty elements are passed over
            if (!Token.Is(name) || !names.Add(Encoding.ASCII.GetString(name)))
                return false;
            count++;
        }

        return count > 0;
    }

    /// <summary>Whether a valid field offers one.</summary>
    public static bool Has(ReadOnlySpan<byte> field, string name)
    {
        foreach (var range in field.Split((byte)','))
        {
            if (Ascii.Equals(field[range].Trim(" \t"u8), name))
                return true;
        }

        return false;
    }

    /// <summary>Whether a name may be offered and answered at all.</summary>
    public static bool IsName(string name) => Token.Is(Encoding.UTF8.GetBytes(name));
}
