namespace Iris.Net.Http;

/// <summary>What each <see cref="RejectionReason"/> is on the wire.</summary>
public static class Rejection
{
    /// <summary>The status code of a refusal.</summary>
    /// <param name="reason">Any reason but <see cref="RejectionReason.None"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is nothing to refuse.</exception>
    public static int StatusOf(RejectionReason reason) => Describe(reason).Status;

    /// <summary>One English sentence that says what was refused. It never repeats what the peer sent.</summary>
    /// <param name="reason">Any reason but <see cref="RejectionReason.None"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is nothing to refuse.</exception>
    public static string TextOf(RejectionReason reason) => Describe(reason).Text;

#pragma warning disable CS8524 // No default arm: a new reason without a status must not build.
    private static (int Status, string Text) Describe(RejectionReason reason) => reason switch
    {
        RejectionReason.None => throw new ArgumentOutOfRangeException(nameof(reason)),
        RejectionReason.TooManyLeadingEmptyLines => (400, "Too many empty lines before the request line."),
        RejectionReason.BareLineFeed => (400, "A line ends with LF without CR."),
        RejectionReason.BareCarriageReturn => (400, "A CR is not followed by LF."),
        RejectionReason.MalformedRequestLine => (400, "The request line is malformed."),
        RejectionReason.MethodTooLong => (400, "The method is too long."),
        RejectionReason.RequestLineTooLong => (414, "The request line is too long."),
        RejectionReason.InvalidRequestTarget => (400, "The request target is invalid."),
        RejectionReason.MalformedVersion => (400, "The HTTP version is malformed."),
        RejectionReason.UnsupportedVersion => (505, "The HTTP version is not supported."),
        RejectionReason.FoldedFieldLine => (400, "A field line starts with white space."),
        RejectionReason.InvalidFieldName => (400, "A field name is invalid."),
        RejectionReason.InvalidFieldValue => (400, "A field value contains a control byte."),
        RejectionReason.HeadersTooLarge => (431, "The header fields are too large."),
        RejectionReason.TooManyHeaders => (431, "There are too many header fields."),
        RejectionReason.MissingHost => (400, "The Host field is missing."),
        RejectionReason.SeveralHosts => (400, "There is more than one Host field."),
        RejectionReason.InvalidHost => (400, "The Host field is invalid."),
        RejectionReason.HostDisagreesWithTarget => (400, "The Host field and the request target disagree."),
        RejectionReason.InvalidContentLength => (400, "The Content-Length field is invalid."),
        RejectionReason.SeveralContentLengths => (400, "There is more than one Content-Length field."),
        RejectionReason.ContentLengthWithTransferEncoding => (400, "Content-Length and Transfer-Encoding exclude each other."),
        RejectionReason.TransferEncodingInHttp10 => (400, "HTTP/1.0 has no Transfer-Encoding."),
        RejectionReason.MalformedTransferEncoding => (400, "The Transfer-Encoding field is malformed."),
        RejectionReason.UnknownTransferEncoding => (501, "The transfer coding is not implemented."),
        RejectionReason.UnknownExpectation => (417, "The expectation cannot be met."),
        RejectionReason.BodyTooLarge => (413, "The body is too large."),
        RejectionReason.InvalidChunkSize => (400, "A chunk size is invalid."),
        RejectionReason.InvalidChunkExtension => (400, "A chunk extension is invalid."),
        RejectionReason.MissingChunkEnd => (400, "Chunk data is not followed by CRLF."),
        RejectionReason.ChunkOverheadTooLarge => (413, "Chunk sizes and extensions are too large."),
        RejectionReason.IncompleteRequest => (400, "The request ended too early."),
        RejectionReason.RequestHeadTimeout => (408, "The request head did not arrive in time."),
        RejectionReason.RequestBodyTooSlow => (408, "The request body arrived too slowly."),
        RejectionReason.RequestTimeout => (408, "The request did not arrive in time."),
        RejectionReason.TooManyConnections => (503, "There are too many connections."),
        RejectionReason.Stopping => (503, "The server is stopping."),
        RejectionReason.InternalError => (500, "The request failed."),
    };
#pragma warning restore CS8524
}
