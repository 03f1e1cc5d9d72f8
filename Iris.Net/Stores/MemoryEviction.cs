using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>Which sessions go first where memory is short.</summary>
internal static class MemoryEviction
{
    /// <summary>Sessions that nobody used since a time, the ones that are missed least first: finished and never-continued
    /// ones before others, then the least recently used.</summary>
    public static IEnumerable<(string Id, SessionCell Cell, SessionCell.State State)> Candidates(
        IEnumerable<KeyValuePair<string, SessionCell>> sessions, long usedBefore, long now) =>
        from pair in sessions
        let state = pair.Value.Now
        where state.IdleSince < usedBefore && !state.Deleted && !state.IsLeased(now) && state.Mail is null
        orderby IsMissed(state), state.IdleSince
        select (pair.Key, pair.Value, state);

    private static bool IsMissed(SessionCell.State state) => state.Head.Status != SessionStatus.Finished && state.Head.ClientTurns > 1;
}
