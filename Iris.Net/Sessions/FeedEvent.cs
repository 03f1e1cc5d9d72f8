namespace Iris.Net.Sessions;

/// <summary>What an event of a feed is.</summary>
internal enum FeedKind : byte
{
    /// <summary>Where the feed begins.</summary>
    Start,
    Record,
    Delta,

    /// <summary>Something is missing.</summary>
    Gap,

    /// <summary>How an attempt ended.</summary>
    End,

    /// <summary>All there is was told: what comes next is a turn that has not begun.</summary>
    Rest,
}

/// <summary>What is missing.</summary>
internal enum Loss : byte
{
    Delta,
    Record,

    /// <summary>The turn began again: its text so far is void.</summary>
    Attempt,
}

/// <summary>One event of a feed.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="At">Its id.</param>
/// <param name="Json">A record's or a text's event.</param>
/// <param name="End">How the attempt ended.</param>
/// <param name="From">Behind this id something is missing.</param>
/// <param name="To">Up to this one.</param>
/// <param name="Lost">What.</param>
internal readonly record struct FeedEvent(
    FeedKind Kind, EventCursor At, ReadOnlyMemory<byte> Json = default, TurnEnd? End = null,
    EventCursor From = default, EventCursor To = default, Loss Lost = default)
{
    public static FeedEvent Start(in EventCursor at) => new(FeedKind.Start, at);

    public static FeedEvent Gap(in EventCursor from, in EventCursor to, in EventCursor at, Loss lost) =>
        new(FeedKind.Gap, at, From: from, To: to, Lost: lost);
}
