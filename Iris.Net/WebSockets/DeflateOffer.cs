using System.Buffers;
using System.Text;

namespace Iris.Net.WebSockets;

/// <summary>
/// What is agreed on about compression: an offer of permessage-deflate (RFC 7692 section 7.1) that can be accepted, and what
/// the server adds to it.
/// </summary>
/// <param name="ServerForgets">Whether the server compresses each message by itself (<c>server_no_context_takeover</c>).</param>
/// <param name="ClientForgets">Whether the client does (<c>client_no_context_takeover</c>).</param>
/// <param name="ServerMaxWindowBits">15 where the client named that window for the server, 0 where it named none.</param>
/// <param name="ClientMaxWindowBits">The window, 8 to 15, that the client said it has at most; 0 where it said none.</param>
internal readonly record struct DeflateOffer(
    bool ServerForgets, bool ClientForgets, int ServerMaxWindowBits = 0, int ClientMaxWindowBits = 0)
{
    private const int MostWindowBits = 15;

    /// <summary>The field with the offers.</summary>
    public static ReadOnlySpan<byte> Field => "sec-websocket-extensions"u8;

    private static ReadOnlySpan<byte> Extension => "permessage-deflate"u8;

    private static ReadOnlySpan<byte> ServerNoContextTakeover => "server_no_context_takeover"u8;

    private static ReadOnlySpan<byte> ClientNoContextTakeover => "client_no_context_takeover"u8;

    private static ReadOnlySpan<byte> ServerMaxWindowBitsName => "server_max_window_bits"u8;

    private static ReadOnlySpan<byte> ClientMaxWindowBitsName => "client_max_window_bits"u8;

    /// <summary>Finds the first offer in a valid field that can be accepted; false where there is none.</summary>
    public static bool TryChoose(ReadOnlySpan<byte> field, out DeflateOffer chosen)
    {
        chosen = default;
        var reader = new ExtensionReader(field);
        var isOffer = false;
        while (true)
        {
            switch (reader.Read())
            {
                case ExtensionPart.Extension when isOffer:
                    return true;
                case ExtensionPart.Extension:
                    isOffer = Ascii.EqualsIgnoreCase(reader.Name, Extension);
                    chosen = default;
                    break;
                case ExtensionPart.Parameter:
                    isOffer = isOffer && TryTake(reader, ref chosen);
                    break;
                case ExtensionPart.End:
                    return isOffer;
                default:
                    return false;
            }
        }
    }

    /// <summary>Writes the value of the answer's field.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        output.Write(Extension);
        if (ServerForgets)
            Write(output, ServerNoContextTakeover);
        if (ClientForgets)
            Write(output, ClientNoContextTakeover);
        if (ServerMaxWindowBits > 0)
            Write(output, ServerMaxWindowBitsName, ServerMaxWindowBits);
        if (ClientMaxWindowBits > 0)
            Write(output, ClientMaxWindowBitsName, ClientMaxWindowBits);
    }

    // RFC 7692 section 7.1: a parameter that is unknown, has a wrong value or comes twice declines its offer.
    private static bool TryTake(in ExtensionReader parameter, ref DeflateOffer offer)
    {
        var name = parameter.Name;
        var bits = BitsOf(parameter.Value);
        if (Ascii.EqualsIgnoreCase(name, ServerNoContextTakeover) && !parameter.HasValue && !offer.ServerForgets)
            offer = offer with { ServerForgets = true };
        else if (Ascii.EqualsIgnoreCase(name, ClientNoContextTakeover) && !parameter.HasValue && !offer.ClientForgets)
            offer = offer with { ClientForgets = true };
        // The base library compresses with the largest window only.
        else if (Ascii.EqualsIgnoreCase(name, ServerMaxWindowBitsName) && bits == MostWindowBits && offer.ServerMaxWindowBits == 0)
            offer = offer with { ServerMaxWindowBits = bits };
        else if (Ascii.EqualsIgnoreCase(name, ClientMaxWindowBitsName) && (bits > 0 || !parameter.HasValue) && offer.ClientMaxWindowBits == 0)
            offer = offer with { ClientMaxWindowBits = bits > 0 ? bits : MostWindowBits };
        else
            return false;
        return true;
    }

    // 8 to 15 in decimal without leading zeros; 0 for anything else.
    private static int BitsOf(ReadOnlySpan<byte> value)
    {
        var bits = 0;
        foreach (var octet in value)
        {
            if (octet == (byte)'\\')
                continue;
            if (!char.IsAsciiDigit((char)octet) || (bits == 0 && octet == (byte)'0') || bits > MostWindowBits)
                return 0;
            bits = bits * 10 + octet - '0';
        }

        return bits is >= 8 and <= MostWindowBits ? bits : 0;
    }

    private static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> parameter, int value = 0)
    {
        output.Write("; "u8);
        output.Write(parameter);
        if (value > 0)
            Encoding.ASCII.GetBytes($"={value}", output);
    }
}
