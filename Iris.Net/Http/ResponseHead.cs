namespace Iris.Net.Http;

/// <summary>What <see cref="ResponseHeadWriter"/> writes.</summary>
internal readonly ref struct ResponseHead
{
    /// <summary>100 to 599.</summary>
    public required int Status { get; init; }

    /// <summary>Whole field lines with their CRLFs, from <see cref="FieldLineWriter"/>.</summary>
    public ReadOnlySpan<byte> FieldLines { get; init; }

    /// <summary>The time as <see cref="HttpDate"/> writes it; empty for no Date.</summary>
    public ReadOnlySpan<byte> Date { get; init; }

    /// <summary>How the body is framed; left out where the status allows no content.</summary>
    public BodyFraming Framing { get; init; }

    /// <summary>Whether the connection ends with this response.</summary>
    public bool Close { get; init; }
}
