namespace Iris.Net;

/// <summary>What a durable step gets when it runs.</summary>
public sealed class StepContext
{
    /// <summary>Makes the context of one step, for adapters and tests.</summary>
    public StepContext(string name, string idempotencyKey)
    {
        Name = name;
        IdempotencyKey = idempotencyKey;
    }

    /// <summary>The step's name.</summary>
    public string Name { get; }

    /// <summary>The same for every try of this step in this request: hand it to the service that the step calls.</summary>
    public string IdempotencyKey { get; }
}

/// <summary>How a durable step is journalled and repeated.</summary>
public sealed record StepOptions
{
    /// <summary>What the record's <c>effectKind</c> says, such as <c>model_call</c> or <c>tool_call</c>. Default <c>step</c>.</summary>
    public string Kind { get; init; } = "step";

    /// <summary>What the record's <c>request</c> says; <c>null</c> where there is none.</summary>
    public JsonPayload Request { get; init; }

    /// <summary>False: where the step was begun and has no result, it does not run again but fails the attempt, for a
    /// person to decide. Default true.</summary>
    public bool RetrySafe { get; init; } = true;
}
