using System.Buffers.Text;
using System.Text;
using Iris.Net.Http;
using Iris.Net.Server;

namespace Iris.Net.Endpoints;

/// <summary>What a client would rather have, RFC 7240. The first of equal names counts.</summary>
internal readonly struct Preferences
{
    private const int MostSeconds = 60;

    private readonly int? _seconds;

    private Preferences(bool respondAsync, int? seconds, bool isStrict) => (RespondAsync, _seconds, IsStrict) = (respondAsync, seconds, isStrict);

    /// <summary>An answer before the turn has ended, RFC 7240 section 4.1.</summary>
    public bool RespondAsync { get; }

    /// <summary>No success where nothing was done, RFC 7240 section 4.4: contended is refused.</summary>
    public bool IsStrict { get; }

    /// <summary>How long to wait for the end before, RFC 7240 section 4.3: at most 60 s.</summary>
    public TimeSpan Wait => TimeSpan.FromSeconds(_seconds ?? 0);

    public static Preferences Of(HttpRequest request)
    {
        bool respondAsync = false, waits = false, handles = false, isStrict = false;
        int? seconds = null;
        foreach (ReadOnlySpan<byte> field in request.Headers.ValuesOf("prefer"u8))
            foreach (ReadOnlySpan<byte> preference in new ListElements(field))
            {
                Split(preference, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value);
                if (Ascii.EqualsIgnoreCase(name, "respond-async"u8))
                    respondAsync = true;
                else if (!waits && Ascii.EqualsIgnoreCase(name, "wait"u8))
                    (waits, seconds) = (true, SecondsOf(value));
                else if (!handles && Ascii.EqualsIgnoreCase(name, "handling"u8))
                    (handles, isStrict) = (true, Ascii.EqualsIgnoreCase(value, "strict"u8));
            }

        return new(respondAsync, seconds, isStrict);
    }

    /// <summary>Says which preferences were followed, RFC 7240 section 3.</summary>
    public void AddApplied(HttpResponse response, bool withRespondAsync, bool withStrict = false)
    {
        string applied = string.Join(
            ", ",
            (string[])[
                .. withRespondAsync && RespondAsync ? ["respond-async"] : Array.Empty<string>(),
                .. _seconds is { } seconds ? [$"wait={seconds}"] : Array.Empty<string>(),
                .. withStrict ? ["handling=strict"] : Array.Empty<string>(),
            ]);
        if (applied.Length > 0)
            response.Headers.Add("Preference-Applied"u8, applied);
    }

    /// <summary>Says that the strict preference was followed, and no other.</summary>
    public static void AddStrict(HttpResponse response) => response.Headers.Add("Preference-Applied"u8, "handling=strict"u8);

    // preference = token [ BWS "=" BWS word ] *( OWS ";" [ OWS parameter ] ); no parameter means anything to us.
    private static void Split(ReadOnlySpan<byte> preference, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        int end = preference.IndexOf((byte)';');
        if (end >= 0)
            preference = preference[..end].TrimEnd(" \t"u8);
        int equals = preference.IndexOf((byte)'=');
        name = equals < 0 ? preference : preference[..equals].TrimEnd(" \t"u8);
        value = equals < 0 ? default : preference[(equals + 1)..].TrimStart(" \t"u8);
        if (value.Length >= 2 && value[0] == '"' && value[^1] == '"')
            value = value[1..^1];
    }

    // delta-seconds, of which too many digits are just many seconds (RFC 9111 section 1.2.2).
    private static int? SecondsOf(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return null;
        return Utf8Parser.TryParse(value, out uint seconds, out _) ? (int)Math.Min(seconds, MostSeconds) : MostSeconds;
    }
}
