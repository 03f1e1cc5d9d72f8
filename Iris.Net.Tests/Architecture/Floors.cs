namespace Iris.Net.Tests.Architecture;

/// <summary>One floor of the house: what it may use of ours, and what it never mentions of anybody's.</summary>
/// <param name="Name">Its namespace below the root; empty for the root itself.</param>
/// <param name="Uses">The floors that it may use, beside itself.</param>
/// <param name="Never">Patterns of types (<c>Namespace.Type</c>) and members (<c>Namespace.Type::Member</c>); <c>*</c> is any text.</param>
internal sealed record Floor(string Name, string[] Uses, params string[] Never);

/// <summary>The allowed arrows: they may skip floors, they never climb.</summary>
internal static class Floors
{
    // Bytes in, values out: nothing that waits, does input or output, knows the time, throws dice or logs.
    private static readonly string[] Impure =
    [
        "System.Threading.Tasks.*", "System.Threading.CancellationToken*", "System.Threading.Channels.*", "System.Threading.Thread*",
        "System.Threading.*Timer*", "System.Threading.*Lock*", "System.Threading.Monitor", "System.Threading.Semaphore*",
        "System.Threading.*ResetEvent*", "System.Runtime.CompilerServices.*TaskMethodBuilder*",
        "System.IO.*", "System.Net.Sockets.*", "System.Net.Security.*", "System.Net.Http.*", "System.Net.WebSockets.*",
        "System.TimeProvider", "System.Diagnostics.Stopwatch", "System.DateTime::get_*Now", "System.DateTime::get_Today",
        "System.DateTimeOffset::get_*Now", "System.Environment::get_TickCount*",
        "System.Random", "System.Security.Cryptography.RandomNumberGenerator", "System.Guid::NewGuid", "System.Guid::CreateVersion7",
        "System.Console", "System.Diagnostics.Activity*", "System.Diagnostics.Tracing.*", "System.Diagnostics.Metrics.*",
        "System.Diagnostics.Trace*", "System.Diagnostics.Process*",
    ];

    public static IReadOnlyList<Floor> All { get; } =
    [
        new("Http", [], Impure),
        new("Sse", [], Impure),
        new("WebSockets", [], Impure),
        new("Transport", [], "System.Net.Http*", "System.Text.Json.*"),
        new("Turns", [], "System.Net.*", "System.IO.*", "System.TimeProvider", "System.Random"),
        new("Journal", ["Turns"], "System.Net.*", "System.IO.Pipelines.*"),
        new("Stores", ["Turns", "Journal", "Diagnostics"], "System.Net.*", "System.IO.Pipelines.*"),
        new("Sessions", ["Turns", "Journal", "Stores", "Diagnostics"], "System.Net.*", "System.IO.Pipelines.*"),
        new("Server", ["Http", "Sse", "WebSockets", "Transport", "Diagnostics"], "System.Text.Json.*"),
        new("Endpoints", ["Http", "Sse", "WebSockets", "Server", "Turns", "Journal", "Stores", "Sessions", "Diagnostics"], "System.Net.Sockets.*"),
        new("Mcp", ["Http", "Sse", "WebSockets", "Server", "Turns", "Journal", "Stores", "Sessions"], "System.Net.Sockets.*"),
        new("Web", ["Http", "Sse", "WebSockets", "Server", "Turns", "Journal", "Stores", "Sessions"], "System.Net.Sockets.*"),
        new("Client", [], "System.Net.Sockets.*"),
        new("Diagnostics", []),
        new("",
        [
            "Http", "Sse", "WebSockets", "Transport", "Turns", "Journal", "Stores", "Sessions", "Server", "Endpoints", "Mcp", "Web",
            "Client", "Diagnostics",
        ]),
    ];
}
