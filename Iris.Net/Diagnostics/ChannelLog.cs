namespace Iris.Net;

/// <summary>How much a line of the log matters.</summary>
public enum ChannelLogLevel
{
    /// <summary>Good to know.</summary>
    Information,

    /// <summary>Something to look at.</summary>
    Warning,

    /// <summary>Something failed.</summary>
    Error,
}

/// <summary>One line of the log of a channel or a server. It has no token, no body, no field value and no session id: a session is
/// named by the first 8 hexadecimal digits of its id's SHA-256. What a program threw says what the program put into it.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Text">What happened, on one line.</param>
/// <param name="Exception">What was thrown; null where nothing was.</param>
public sealed record ChannelLog(ChannelLogLevel Level, string Text, Exception? Exception = null)
{
    /// <summary>Who says it: <c>Iris.Net.Channel</c>, <c>Iris.Net.Turns</c> or <c>Iris.Net.Server</c>.</summary>
    public string Category { get; init; } = "Iris.Net.Channel";

    /// <summary>Tells whoever wants to know; one that throws harms nobody.</summary>
    internal static void Tell(Action<ChannelLog>? log, ChannelLogLevel level, string category, string text, Exception? e = null)
    {
        try
        {
            log?.Invoke(new ChannelLog(level, text, e) { Category = category });
        }
        catch (Exception)
        {
            // There is nobody left to tell.
        }
    }
}
