using System.Diagnostics;
using System.Text;
using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>The span that a client's request belongs to, W3C Trace Context. What is malformed counts as absent.</summary>
internal static class TraceContext
{
    private const int ParentLength = 55;        // version 00: 00-{32}-{16}-{2}
    private const int MaxStateLength = 512;     // section 3.3.1.5

    /// <summary>Reads <c>traceparent</c> and <c>tracestate</c>; false where there is no parent.</summary>
    public static bool TryRead(HeaderList headers, out ActivityContext parent)
    {
        parent = default;
        if (headers.CountOf("traceparent"u8) != 1 || !headers.TryGet("traceparent"u8, out ReadOnlySpan<byte> value) || !IsValid(value))
            return false;
        parent = new ActivityContext(
            ActivityTraceId.CreateFromUtf8String(value[3..35]),
            ActivitySpanId.CreateFromUtf8String(value[36..52]),
            (DigitOf(value[54]) & 1) == 0 ? ActivityTraceFlags.None : ActivityTraceFlags.Recorded,
            StateOf(headers),
            isRemote: true);
        return true;
    }

    // Section 3.2.2: lower-case hexadecimal; ff is no version; a later version may say more behind the same fields.
    private static bool IsValid(ReadOnlySpan<byte> value)
    {
        if (value.Length < ParentLength || value[2] != '-' || value[35] != '-' || value[52] != '-')
            return false;
        ReadOnlySpan<byte> version = value[..2], trace = value[3..35], span = value[36..52];
        return IsHex(version) && IsHex(trace) && IsHex(span) && IsHex(value[53..55]) && !version.SequenceEqual("ff"u8)
            && trace.ContainsAnyExcept((byte)'0') && span.ContainsAnyExcept((byte)'0')
            && (value.Length == ParentLength || (!version.SequenceEqual("00"u8) && value[ParentLength] == '-'));
    }

    // Several fields are one list, section 3.3.1.
    private static string? StateOf(HeaderList headers)
    {
        StringBuilder? state = null;
        foreach (ReadOnlySpan<byte> value in headers.ValuesOf("tracestate"u8))
        {
            if (value.IsEmpty)
                continue;
            if (value.ContainsAnyExceptInRange((byte)' ', (byte)'~') || (state?.Length + 1 ?? 0) + value.Length > MaxStateLength)
                return null;
            state = state is null ? new StringBuilder() : state.Append(',');
            state.Append(Encoding.ASCII.GetString(value));
        }

        return state?.ToString();
    }

    private static bool IsHex(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept("0123456789abcdef"u8);

    private static int DigitOf(byte hex) => hex <= '9' ? hex - '0' : hex - 'a' + 10;
}
