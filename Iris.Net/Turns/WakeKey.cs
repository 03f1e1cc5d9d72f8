namespace Iris.Net;

/// <summary>What wakes a session that waits for a signal: a POST of the payload to <paramref name="Url"/> with
/// <paramref name="Key"/> in <c>Iris-Wake-Key</c>. It can do nothing else, and counts until the signal was consumed.</summary>
/// <param name="Url">The path, to be resolved against the server's own URL.</param>
/// <param name="Key">The key: whoever has it may wake the session once.</param>
public sealed record WakeKey(string Url, string Key)
{
    internal static string PathOf(string sessionId, string name) =>
        $"/v1/session/{Uri.EscapeDataString(sessionId)}/signal/{Uri.EscapeDataString(name)}";
}
