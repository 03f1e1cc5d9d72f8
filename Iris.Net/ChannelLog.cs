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

/// <summary>One line of a channel's log.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Text">What happened, on one line.</param>
/// <param name="Exception">What was thrown; null where nothing was.</param>
public sealed record ChannelLog(ChannelLogLevel Level, string Text, Exception? Exception = null);
