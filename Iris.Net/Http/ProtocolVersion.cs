namespace Iris.Net.Http;

/// <summary>The versions of HTTP that are served. Any other well-formed version is answered with 505.</summary>
public enum ProtocolVersion
{
    /// <summary>HTTP/1.0: served, then closed.</summary>
    Http10,

    /// <summary>HTTP/1.1.</summary>
    Http11,
}
