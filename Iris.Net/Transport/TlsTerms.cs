using System.Net.Security;
using System.Security.Authentication;

namespace Iris.Net.Transport;

/// <summary>What a server offers in a handshake: TLS 1.2 and 1.3 (RFC 8996 ends the older ones), no renegotiation, no
/// certificate of the client.</summary>
internal sealed class TlsTerms(TlsCertificate certificate, List<SslApplicationProtocol> protocols, SocketTransportOptions options)
{
    /// <summary>The terms with the certificate that is valid now.</summary>
    public SslServerAuthenticationOptions Now() => new()
    {
        ServerCertificateContext = certificate.Current(options.Time, options.OnError),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = protocols,
        AllowRenegotiation = false,
        ClientCertificateRequired = false,
    };
}
