namespace Iris.Net.Http;

/// <summary>How much of a request head is taken from a peer of whom nothing is known yet.</summary>
internal sealed record RequestHeadLimits
{
    public static readonly RequestHeadLimits Default = new();

    /// <summary>Bytes of the request line without its CRLF; RFC 9112 section 3 asks for at least 8,000.</summary>
    public int RequestLine { get; init; } = 8192;

    /// <summary>Bytes of all field lines with their CRLFs, without the empty line that ends the head.</summary>
    public int HeadersTotal { get; init; } = 32768;

    /// <summary>Field lines: three times what a browser behind two proxies sends.</summary>
    public int HeaderCount { get; init; } = 100;

    /// <summary>CRLFs before the request line; RFC 9112 section 2.2 asks for at least one, for old clients.</summary>
    public int LeadingEmptyLines { get; init; } = 8;
}
