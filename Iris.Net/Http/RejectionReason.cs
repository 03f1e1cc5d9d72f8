namespace Iris.Net.Http;

/// <summary>Every reason why the server itself refuses a request. <see cref="Rejection"/> maps each to its status.</summary>
public enum RejectionReason
{
    /// <summary>Not refused.</summary>
    None,

    /// <summary>More empty lines before the request line than are allowed.</summary>
    TooManyLeadingEmptyLines,

    /// <summary>A line that ends with LF without CR.</summary>
    BareLineFeed,

    /// <summary>A CR that no LF follows.</summary>
    BareCarriageReturn,

    /// <summary>The request line is not <c>method SP request-target SP HTTP-version</c>.</summary>
    MalformedRequestLine,

    /// <summary>The method alone overruns the request line.</summary>
    MethodTooLong,

    /// <summary>The request line is longer than is allowed.</summary>
    RequestLineTooLong,

    /// <summary>The request target has a byte, an escape or a form that is not allowed there.</summary>
    InvalidRequestTarget,

    /// <summary>The version is not <c>HTTP/digit.digit</c>.</summary>
    MalformedVersion,

    /// <summary>A version of HTTP that is not served.</summary>
    UnsupportedVersion,

    /// <summary>A field line that starts with white space: the obsolete folding, or a name that has none.</summary>
    FoldedFieldLine,

    /// <summary>A field line without a colon, or whose name is not a token.</summary>
    InvalidFieldName,

    /// <summary>A control byte in a field value.</summary>
    InvalidFieldValue,

    /// <summary>The field lines together are longer than is allowed.</summary>
    HeadersTooLarge,

    /// <summary>More field lines than are allowed.</summary>
    TooManyHeaders,

    /// <summary>HTTP/1.1 without Host.</summary>
    MissingHost,

    /// <summary>More than one Host.</summary>
    SeveralHosts,

    /// <summary>Host is not a host with an optional port.</summary>
    InvalidHost,

    /// <summary>The authority of an absolute request target is not that of Host.</summary>
    HostDisagreesWithTarget,

    /// <summary>Content-Length is not one decimal number without leading zeros that fits 63 bits.</summary>
    InvalidContentLength,

    /// <summary>More than one Content-Length.</summary>
    SeveralContentLengths,

    /// <summary>Content-Length together with Transfer-Encoding.</summary>
    ContentLengthWithTransferEncoding,

    /// <summary>Transfer-Encoding in HTTP/1.0.</summary>
    TransferEncodingInHttp10,

    /// <summary>Transfer-Encoding is not a list that ends with its only <c>chunked</c>.</summary>
    MalformedTransferEncoding,

    /// <summary>A transfer coding that is not known.</summary>
    UnknownTransferEncoding,

    /// <summary>An expectation other than <c>100-continue</c>.</summary>
    UnknownExpectation,

    /// <summary>The body is larger than is allowed.</summary>
    BodyTooLarge,

    /// <summary>A chunk size that is not 1 to 16 hexadecimal digits, or does not fit 63 bits.</summary>
    InvalidChunkSize,

    /// <summary>A chunk extension that is not <c>;name</c>, <c>;name=token</c> or <c>;name="text"</c>.</summary>
    InvalidChunkExtension,

    /// <summary>Chunk data that no CRLF follows.</summary>
    MissingChunkEnd,

    /// <summary>Chunk sizes and extensions together are longer than is allowed.</summary>
    ChunkOverheadTooLarge,

    /// <summary>The peer ended its side in the middle of a request.</summary>
    IncompleteRequest,

    /// <summary>The head did not arrive in time.</summary>
    RequestHeadTimeout,

    /// <summary>The body arrived too slowly.</summary>
    RequestBodyTooSlow,

    /// <summary>The whole request did not arrive in time.</summary>
    RequestTimeout,

    /// <summary>More connections than are allowed.</summary>
    TooManyConnections,

    /// <summary>The server is stopping.</summary>
    Stopping,

    /// <summary>A handler failed before it answered.</summary>
    InternalError,
}
