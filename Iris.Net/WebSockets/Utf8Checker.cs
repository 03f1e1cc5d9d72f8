using System.Text.Unicode;

namespace Iris.Net.WebSockets;

/// <summary>
/// Checks text that arrives in pieces for UTF-8 (RFC 3629) and says no at the first byte that cannot belong to any valid text,
/// also in the middle of a character.
/// </summary>
internal struct Utf8Checker
{
    // Between pieces: how many continuation bytes the character still lacks, and the range of the next one.
    private byte _missing;
    private byte _low;
    private byte _high;

    /// <summary>Whether the text so far ends with a whole character.</summary>
    public readonly bool IsComplete => _missing == 0;

    /// <summary>Takes the next piece; false where the text cannot be UTF-8 any more.</summary>
    public bool TryAdvance(ReadOnlySpan<byte> piece)
    {
        while (_missing > 0 && !piece.IsEmpty)
        {
            if (!TryStep(piece[0]))
                return false;
            piece = piece[1..];
        }

        var whole = piece.Length - LengthOfCutCharacter(piece);
        if (!Utf8.IsValid(piece[..whole]))
            return false;
        foreach (var octet in piece[whole..])
        {
            if (!TryStep(octet))
                return false;
        }

        return true;
    }

    // Only the last three bytes can begin a character that the piece does not end.
    private static int LengthOfCutCharacter(ReadOnlySpan<byte> piece)
    {
        for (var length = 1; length <= 3 && length <= piece.Length; length++)
        {
            var octet = piece[^length];
            if (octet < 0x80)
                return 0;
            if (octet >= 0xC0)
                return LengthOf(octet) > length ? length : 0;
        }

        return 0;
    }

    private static int LengthOf(byte lead) => lead switch
    {
        >= 0xF0 => 4,
        >= 0xE0 => 3,
        _ => 2,
    };

    private bool TryStep(byte octet)
    {
        if (_missing > 0)
        {
            if (octet < _low || octet > _high)
                return false;
            (_missing, _low, _high) = ((byte)(_missing - 1), 0x80, 0xBF);
            return true;
        }

        // RFC 3629 section 4: no overlong form, no surrogate, nothing above U+10FFFF.
        var (missing, low, high) = octet switch
        {
            < 0x80 => (0, 0x80, 0xBF),
            >= 0xC2 and <= 0xDF => (1, 0x80, 0xBF),
            0xE0 => (2, 0xA0, 0xBF),
            0xED => (2, 0x80, 0x9F),
            >= 0xE1 and <= 0xEF => (2, 0x80, 0xBF),
            0xF0 => (3, 0x90, 0xBF),
            >= 0xF1 and <= 0xF3 => (3, 0x80, 0xBF),
            0xF4 => (3, 0x80, 0x8F),
            _ => (0, 0, 0),
        };
        (_missing, _low, _high) = ((byte)missing, (byte)low, (byte)high);
        return high != 0;
    }
}
