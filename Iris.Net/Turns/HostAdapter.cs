namespace Iris.Net;

/// <summary>What the server runs turns on: a program, or an adapter to a runtime that has its own.</summary>
public interface IHostAdapter
{
    /// <summary>What this host can do.</summary>
    HostCapabilities Capabilities { get; }

    /// <summary>Runs one attempt at one turn. An exception fails the attempt and nothing else: the client keeps its token.</summary>
    ValueTask<TurnOutcome> RunTurnAsync(TurnContext turn, CancellationToken cancel = default);
}

/// <summary>What a host can do, and what its records call it.</summary>
public sealed record HostCapabilities
{
    /// <summary>False: <c>/v1/ws</c> answers 426. Default true.</summary>
    public bool WebSockets { get; init; } = true;

    /// <summary>The program's name; with <see cref="Version"/> it makes the records' <c>defDigest</c>.</summary>
    public string Name { get; init; } = "program";

    /// <summary>The program's version.</summary>
    public string Version { get; init; } = "1";
}

/// <summary>Makes an adapter of one function.</summary>
public static class HostAdapter
{
    /// <summary>Makes an adapter of a program.</summary>
    /// <param name="program">Runs one attempt at one turn.</param>
    /// <param name="name">The program's name; with the version it makes the records' <c>defDigest</c>.</param>
    /// <param name="version">The program's version.</param>
    public static IHostAdapter Create(
        Func<TurnContext, CancellationToken, ValueTask<TurnOutcome>> program, string name = "program", string version = "1")
    {
        ArgumentNullException.ThrowIfNull(program);
        return new ProgramAdapter(program, new HostCapabilities { Name = name, Version = version });
    }

    private sealed class ProgramAdapter(
        Func<TurnContext, CancellationToken, ValueTask<TurnOutcome>> program, HostCapabilities capabilities) : IHostAdapter
    {
        public HostCapabilities Capabilities => capabilities;

        public ValueTask<TurnOutcome> RunTurnAsync(TurnContext turn, CancellationToken cancel = default) => program(turn, cancel);
    }
}
