namespace Iris.Net.Http;

/// <summary>Whether a connection may serve another request, RFC 9112 section 9.3. HTTP/1.0 is served and closed. What follows
/// CONNECT may be meant for a tunnel that there is not.</summary>
internal static class KeepAlive
{
    public static bool IsPersistent(RequestHead head) =>
        head.Version == ProtocolVersion.Http11 && head.Form != TargetForm.Authority
        && !head.Headers.HasMember("connection"u8, "close"u8);
}
