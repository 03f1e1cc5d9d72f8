namespace Iris.Net;

/// <summary>A repeated attempt asked for another step than the journal holds at that place.</summary>
public sealed class NondeterministicProgramException : Exception
{
    /// <summary>Names both steps.</summary>
    public NondeterministicProgramException(string journalled, string asked)
        : base($"The journal holds step '{journalled}' where the program now asks for '{asked}'.") =>
        (Journalled, Asked) = (journalled, asked);

    /// <summary>The step that the journal holds.</summary>
    public string Journalled { get; }

    /// <summary>The step that the program asked for.</summary>
    public string Asked { get; }
}

/// <summary>A step that is not safe to repeat was begun by an earlier attempt and has no result: whether its work was done
/// is for a person to find out.</summary>
public sealed class StepUncertainException : Exception
{
    /// <summary>Names the step.</summary>
    public StepUncertainException(string step)
        : base($"Step '{step}' was begun before and has no result; it is not safe to run again.") => Step = step;

    /// <summary>The step's name.</summary>
    public string Step { get; }
}

/// <summary>Thrown by a host that has no room for another turn: the client is told <c>overloaded</c>, keeps its token, and may
/// try again.</summary>
public sealed class HostOverloadedException : Exception
{
    /// <summary>Says what there is too much of, for the server's log.</summary>
    public HostOverloadedException(string message)
        : base(message) { }
}
