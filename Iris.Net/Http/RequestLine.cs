namespace Iris.Net.Http;

/// <summary>Where the parts of a request line stand, counted from its first byte.</summary>
internal readonly record struct RequestLine(
    int MethodLength, int TargetStart, int TargetLength, RequestTarget Target, ProtocolVersion Version, int Length);
