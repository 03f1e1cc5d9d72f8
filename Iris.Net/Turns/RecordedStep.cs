using System.Text.Json;

namespace Iris.Net;

/// <summary>A step that an earlier attempt of the same request journalled with its result.</summary>
/// <param name="Name">The step's name.</param>
/// <param name="Value">Its result.</param>
public sealed record RecordedStep(string Name, JsonElement Value);
