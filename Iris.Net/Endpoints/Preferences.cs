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

    private Preferences(bool respondAsync, int? seconds) => (RespondAsync, _seconds) = (respondAsync, seconds);

    /// <summary>An answer before the turn has ended, RFC 7240 section 4.1.</summary>
    public bool RespondAsync { get; }

    /// <summary>How long to wait for the end before, RFC 7240 section 4.3: at most 60 s.</summary>
    public TimeSpan Wait => TimeSpan.FromSeconds(_seconds ?? 0);

    public static Preferences Of(HttpRequest request)
    {
        bool respondAsync = false;
        int? seconds = null;
        foreach (ReadOnlySpan<byte> value in request.Headers.ValuesOf("prefer"u8))
            foreach (ReadOnlySpan<byte> preference in new ListElements(value))
                Read(preference, ref respondAsync, ref seconds);
        return new(respondAsync, seconds);
    }

    /// <summary>Says which preferences were followed, RFC 7240 section 3.</summary>
    public void AddApplied(HttpResponse response, bool withRespondAsync)
    {
        string wait = _seconds is { } seconds ? $"wait={seconds}" : "";
        string applied = withRespondAsync && RespondAsync ? wait.Length > 0 ? $"respond-async, {wait}" : "respond-async" : wait;
        if (applied.Length > 0)
            response.Headers.Add("Preference-Applied"u8, applied);
    }

    private static void Read(ReadOnlySpan<byte> preference, ref bool respondAsync, ref int? seconds)
    {
        int end = preference.IndexOf((byte)';');   // no parameter means anything to us
        if (end >= 0)
            preference = preference[..end].TrimEnd(" \t"u8);
        int equals = preference.IndexOf((byte)'=');
        ReadOnlySpan<byte> name = equals < 0 ? preference : preference[..equals].TrimEnd(" \t"u8);
        ReadOnlySpan<byte> value = equals < 0 ? default : preference[(equals + 1)..].TrimStart(" \t"u8);
        if (Ascii.EqualsIgnoreCase(name, "respond-async"u8))
            respondAsync = true;
        else if (seconds is null && Ascii.EqualsIgnoreCase(name, "wait"u8)
            && Utf8Parser.TryParse(value, out uint wait, out int read) && read == value.Length && read > 0)
            seconds = (int)Math.Min(wait, MostSeconds);
    }
}
