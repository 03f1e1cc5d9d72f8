using System.Diagnostics.Tracing;

namespace Iris.Net.Diagnostics;

/// <summary>What happens, for tools that listen from outside the process (EventPipe, ETW, LTTng). The number of a connection
/// holds its events together.</summary>
[EventSource(Name = "Iris-Net")]
internal sealed class IrisEventSource : EventSource
{
    private IrisEventSource()
    {
    }

    public static IrisEventSource Log { get; } = new();

    [Event(1, Level = EventLevel.Informational)]
    public void ConnectionStart(long connection, string transport) => WriteEvent(1, connection, transport);

    [Event(2, Level = EventLevel.Informational)]
    public void ConnectionStop(long connection) => WriteEvent(2, connection);

    [Event(3, Level = EventLevel.Informational)]
    public void RequestStart(long connection, string method) => WriteEvent(3, connection, method);

    /// <param name="connection">Its number.</param>
    /// <param name="method">The method, <c>_OTHER</c> where it is not a usual one.</param>
    /// <param name="route">The template; empty where no route was found.</param>
    /// <param name="status">0 where nothing was answered.</param>
    /// <param name="milliseconds">How long it took.</param>
    [Event(4, Level = EventLevel.Informational)]
    public void RequestStop(long connection, string method, string route, int status, double milliseconds) =>
        WriteEvent(4, connection, method, route, status, milliseconds);

    [Event(5, Level = EventLevel.Warning)]
    public void Rejected(string reason) => WriteEvent(5, reason);

    [Event(6, Level = EventLevel.Informational)]
    public void Refused(string code) => WriteEvent(6, code);

    [Event(7, Level = EventLevel.Informational)]
    public void TurnStart(string session, long number, int attempt) => WriteEvent(7, session, number, attempt);

    [Event(8, Level = EventLevel.Informational)]
    public void TurnStop(string session, long number, string outcome, double milliseconds) =>
        WriteEvent(8, session, number, outcome, milliseconds);

    [Event(9, Level = EventLevel.Warning)]
    public void LimitBreached(string limit) => WriteEvent(9, limit);
}
