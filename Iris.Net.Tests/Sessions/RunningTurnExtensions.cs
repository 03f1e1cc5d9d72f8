using Iris.Net.Sessions;

namespace Iris.Net.Tests.Sessions;

internal static class RunningTurnExtensions
{
    /// <summary>Runs the attempt as a reply does.</summary>
    public static ValueTask<TurnEnd> RunToEndAsync(this RunningTurn turn)
    {
        ValueTask<TurnEnd> ended = turn.Ended;
        turn.Run();
        return ended;
    }
}
