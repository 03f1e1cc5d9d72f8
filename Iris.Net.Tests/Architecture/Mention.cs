namespace Iris.Net.Tests.Architecture;

/// <summary>One type's mention of another type, or of a member of it. Both names are those of top-level types, with
/// namespace and generic arity; nested types count as their outermost one.</summary>
/// <param name="From">The type in whose metadata or code the mention stands.</param>
/// <param name="Where">The member of it, for a person to find.</param>
/// <param name="Type">The type that is mentioned.</param>
/// <param name="Member">The member that is mentioned, if it is one.</param>
internal sealed record Mention(string From, string Where, string Type, string? Member)
{
    public override string ToString() => $"{From} ({Where}) mentions {Type}{(Member is null ? "" : "::" + Member)}";
}
