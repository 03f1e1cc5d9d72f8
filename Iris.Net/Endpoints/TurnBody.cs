using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Iris.Net.Diagnostics;

namespace Iris.Net.Endpoints;

/// <summary>A turn's body as it came: judged whole on arrival, its token taken out, the white space between tokens removed.</summary>
internal readonly struct TurnBody
{
    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The body without its top-level <c>continuationToken</c>; nobody else's memory.</summary>
    public byte[] Json { get; private init; }

    /// <summary>The token where the body has a string of that name, in UTF-8; the last one counts.</summary>
    public byte[]? Token { get; private init; }

    /// <summary>The top-level <c>$ref</c> of a message, which is cut from it: JSON without white space; the last one counts.</summary>
    public byte[]? Ref { get; private init; }

    /// <summary>Whether a message is an object with <c>$iris</c>: none for a program.</summary>
    public bool IsControl { get; private init; }

    /// <summary>The top-level <c>$key</c> of a message, which is cut from it; null where it has none; the last one counts.</summary>
    public string? Key { get; private init; }

    /// <summary>Whether <c>$key</c> is no idempotency key.</summary>
    public bool HasInvalidKey { get; private init; }

    /// <summary>Reads an HTTP body: a byte order mark is skipped, an empty or blank one is <c>{}</c>.</summary>
    public static bool TryReadHttp(ReadOnlySpan<byte> utf8, int maxDepth, out TurnBody body)
    {
        if (utf8.StartsWith(ByteOrderMark))
            utf8 = utf8[ByteOrderMark.Length..];
        return TryRead(utf8.IndexOfAnyExcept(" \t\r\n"u8) < 0 ? "{}"u8 : utf8, maxDepth, out body);
    }

    /// <summary>Reads one JSON value, whatever it is; false where it is malformed, not UTF-8, or has a lone surrogate.</summary>
    /// <param name="utf8">The value.</param>
    /// <param name="maxDepth">Deeper ones are malformed.</param>
    /// <param name="body">What was read.</param>
    /// <param name="isMessage">Whether members named <c>$ref</c>, <c>$key</c> and <c>$iris</c> mean something.</param>
    public static bool TryRead(ReadOnlySpan<byte> utf8, int maxDepth, out TurnBody body, bool isMessage = false)
    {
        body = default;
        if (!Utf8.IsValid(utf8))
            return false;
        byte[] rented = ArrayPool<byte>.Shared.Rent(utf8.Length);
        Cutter cutter = new(rented);
        byte[]? token = null, reference = null;
        string? key = null;
        bool isControl = false, isKeyInvalid = false;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            while (reader.Read())
            {
                if (HasLoneSurrogate(reader))
                    return false;
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1)
                    continue;
                isControl |= isMessage && reader.ValueTextEquals("$iris"u8);
                bool isRef = isMessage && reader.ValueTextEquals("$ref"u8);
                bool isKey = isMessage && !isRef && reader.ValueTextEquals("$key"u8);
                if (!isRef && !isKey && !reader.ValueTextEquals("continuationToken"u8))
                    continue;
                int start = (int)reader.TokenStartIndex;
                reader.Read();
                if (HasLoneSurrogate(reader))
                    return false;
                int value = (int)reader.TokenStartIndex;
                if (isKey)
                    isKeyInvalid = reader.TokenType != JsonTokenType.String || !IdempotencyKeyField.TryParse(Unescaped(ref reader), out key);
                else if (!isRef)
                    token = reader.TokenType == JsonTokenType.String ? Unescaped(ref reader) : null;
                if (!SkipJudged(ref reader))
                    return false;
                if (isRef)
                    reference = Compact(utf8[value..(int)reader.BytesConsumed]);
                cutter.Cut(utf8, start, (int)reader.BytesConsumed);
            }

            body = new TurnBody
            {
                Json = cutter.Rest(utf8),
                Token = token,
                Ref = reference,
                IsControl = isControl,
                Key = isKeyInvalid ? null : key,
                HasInvalidKey = isKeyInvalid,
            };
            return true;
        }
        catch (JsonException)
        {
            if (IsTooDeep(reader, utf8[(int)reader.BytesConsumed..], maxDepth))
                Telemetry.Breached(nameof(RestChannelLimits.MaxJsonDepth));
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    // What the reader stopped at opens one level too many; the reader itself does not tell.
    private static bool IsTooDeep(in Utf8JsonReader reader, ReadOnlySpan<byte> rest, int maxDepth)
    {
        int open = reader.CurrentDepth + (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray ? 1 : 0);
        return open == maxDepth && rest.TrimStart(" \t\r\n,"u8) is [(byte)'{' or (byte)'[', ..];
    }

    private static byte[] Compact(ReadOnlySpan<byte> json)
    {
        byte[] compact = new byte[json.Length];
        return compact[..JsonWhiteSpace.Remove(json, compact)];
    }

    private static byte[] Unescaped(ref Utf8JsonReader reader) =>
        reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan.ToArray();

    // As Skip, but the strings inside are judged too.
    private static bool SkipJudged(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
            return true;
        int depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
            if (HasLoneSurrogate(reader))
                return false;
        return true;
    }

    private static bool HasLoneSurrogate(in Utf8JsonReader reader) =>
        reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String
        && reader.ValueIsEscaped && HasLoneSurrogate(reader.ValueSpan);

    // RFC 8259 section 8.2: \uD800 to \uDBFF must be followed by \uDC00 to \uDFFF, and that stands nowhere else.
    private static bool HasLoneSurrogate(ReadOnlySpan<byte> escaped)
    {
        bool high = false;
        for (int i = 0; i < escaped.Length; i++)
        {
            int unit = -1;
            if (escaped[i] == '\\' && escaped[++i] == 'u')
            {
                unit = int.Parse(escaped.Slice(i + 1, 4), System.Globalization.NumberStyles.HexNumber);
                i += 4;
            }

            bool low = unit is >= 0xDC00 and <= 0xDFFF;
            if (low != high)
                return true;
            high = unit is >= 0xD800 and <= 0xDBFF;
        }

        return high;
    }

    /// <summary>Copies a JSON text without white space and without some members of its outermost object.</summary>
    private ref struct Cutter(byte[] kept)
    {
        private int _length, _from;

        public void Cut(ReadOnlySpan<byte> json, int start, int end)
        {
            Keep(json[_from..start]);
            _from = end;
            // One of the commas around the member goes with it.
            if (kept[_length - 1] == ',')
                _length--;
            else if (json[end..].IndexOfAnyExcept(" \t\r\n"u8) is >= 0 and var next && json[end + next] == ',')
                _from = end + next + 1;
        }

        public byte[] Rest(ReadOnlySpan<byte> json)
        {
            Keep(json[_from..]);
            return kept[.._length];
        }

        private void Keep(ReadOnlySpan<byte> part) => _length += JsonWhiteSpace.Remove(part, kept.AsSpan(_length));
    }
}
