namespace Iris.Net.Http;

/// <summary>How much is taken around the data of a chunked body.</summary>
internal sealed record ChunkedLimits
{
    public static readonly ChunkedLimits Default = new();

    /// <summary>Bytes of all chunk-size lines of a body with extensions and CRLFs.</summary>
    public int Overhead { get; init; } = 4096;

    /// <summary>Bytes of all trailer lines with their CRLFs, without the empty line after them; as for headers.</summary>
    public int TrailersTotal { get; init; } = 32768;

    /// <summary>Trailer lines; as for headers.</summary>
    public int TrailerCount { get; init; } = 100;
}
