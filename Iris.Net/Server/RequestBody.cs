using Iris.Net.Http;

namespace Iris.Net.Server;

/// <summary>A whole body, or why there is none.</summary>
public readonly struct RequestBody
{
    internal RequestBody(ReadOnlyMemory<byte> bytes) => Bytes = bytes;

    internal RequestBody(RejectionReason rejection) => Rejection = rejection;

    /// <summary>Whether all of it is there.</summary>
    public bool IsComplete => Rejection == RejectionReason.None;

    /// <summary>The bytes, valid until the handler returns; empty where there is no body.</summary>
    public ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>Why the body is not complete.</summary>
    public RejectionReason Rejection { get; }
}
