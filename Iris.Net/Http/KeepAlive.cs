namespace Iris.Net.Http;

/// <summary>Whether a connection may serve another request, RFC 9112 section 9.3. HTTP/1.0 is served and closed.</summary>
internal static class KeepAlive
{
    public static bool IsPersistent(RequestHead head) =>
        head.Version == ProtocolVersion.Http11 && !head.Headers.HasMember("connection"u8, "close"u8);
}
