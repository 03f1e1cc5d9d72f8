namespace Iris.Net.Tests.Conformance.RefusalTable;

/// <summary>One refusal: what is asked of which server, and the answer. $ID, $BUSY, $OLD, $GONE are sessions, $TOKEN and so on what
/// opens them, see <see cref="RefusalServers"/>.</summary>
/// <param name="Server">In which state the server is.</param>
/// <param name="Method">The method.</param>
/// <param name="Target">The target.</param>
/// <param name="Body">The body; null for none.</param>
/// <param name="Fields">Field lines.</param>
/// <param name="Status">The status of the answer.</param>
/// <param name="Error">Its text.</param>
/// <param name="Code">Its code.</param>
/// <param name="More">What else it says: <c>Name: value</c> of a header field, <c>name=value</c> of a member.</param>
internal sealed record RefusalRow(
    State Server, string Method, string Target, string? Body, string[] Fields, int Status, string Error, string Code, params string[] More)
{
    public override string ToString() =>
        $"{Server} {Method} {(Target.Length > 100 ? "LONG" : Target)} {Body} [{string.Join("; ", Fields.Select(f => f.Length > 100 ? "LONG" : f))}] {Status} {Code}";
}

/// <summary>A refusal as a WebSocket has it: the messages, and the <c>error</c> event that answers the last.</summary>
internal sealed record MessageRow(State Server, string[] Messages, string Error, string Code, params string[] Fields)
{
    public override string ToString() => $"{Server} {string.Join(" then ", Messages)} {Code}";
}

/// <summary>An upgrade that is refused: there is no content.</summary>
internal sealed record UpgradeRow(State Server, string Target, string[] Fields, int Status, string Code, params string[] More)
{
    public override string ToString() => $"{Server} {Target} [{string.Join("; ", Fields)}] {Status} {Code}";
}

/// <summary>In which state a server is.</summary>
internal enum State
{
    /// <summary>It asks who calls.</summary>
    Well,

    /// <summary>It asks nobody.</summary>
    Open,

    /// <summary>It runs as many turns as it may.</summary>
    Full,

    /// <summary>It stops, and a turn still runs.</summary>
    Draining,

    /// <summary>Its store cannot be reached.</summary>
    Broken,

    /// <summary>Another process runs a turn of the session.</summary>
    Held,

    /// <summary>It waits for nobody.</summary>
    Hasty,

    /// <summary>Its program speaks no WebSocket.</summary>
    Plain,

    /// <summary>A session has as many readers as it may, another has as many tickets in use.</summary>
    Crowded,
}
