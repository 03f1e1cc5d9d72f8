namespace Iris.Net.Http;

/// <summary>The four forms of a request target, RFC 9112 section 3.2.</summary>
internal enum TargetForm
{
    /// <summary><c>/path?query</c></summary>
    Origin,

    /// <summary><c>http://authority/path?query</c></summary>
    Absolute,

    /// <summary><c>host:port</c>, of CONNECT alone.</summary>
    Authority,

    /// <summary><c>*</c>, of OPTIONS alone: the server as a whole.</summary>
    Asterisk,
}
