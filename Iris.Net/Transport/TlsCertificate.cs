using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Iris.Net.Transport;

/// <summary>A server's certificate with its private key and chain. One from files or from a store is looked at again with a
/// handshake, once in two seconds at most, and replaced where it changed; a new one that cannot be used is told to the server's
/// log, and the old one stays. Connections that are open keep theirs.</summary>
public sealed class TlsCertificate
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private readonly Func<string> _identify;
    private readonly Func<SslStreamCertificateContext> _load;
    private volatile SslStreamCertificateContext _current;
    private string _identity;
    private string? _refused;
    private long? _lookedAt;

    private TlsCertificate(Func<string> identify, Func<SslStreamCertificateContext> load)
    {
        _identify = identify;
        _load = load;
        _identity = identify();
        _current = load();
    }

    /// <summary>Uses PEM files, as certificate authorities hand them out.</summary>
    /// <param name="certificatePath">The certificate, and behind it those that vouch for it.</param>
    /// <param name="keyPath">Its private key, not encrypted; null where it stands in the same file.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="CryptographicException">The files hold no certificate, or no key of it.</exception>
    public static TlsCertificate FromPem(string certificatePath, string? keyPath = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(certificatePath);
        keyPath ??= certificatePath;
        return new TlsCertificate(
            () => DigestOf(certificatePath) + DigestOf(keyPath),
            () => OfPem(File.ReadAllText(certificatePath), File.ReadAllText(keyPath)));
    }

    /// <summary>Uses the newest certificate of the system's store that is valid now, has a private key, and whose subject contains
    /// a name.</summary>
    /// <param name="subject">A part of the subject, such as a host's name.</param>
    /// <param name="location">The user's own store or the machine's.</param>
    /// <exception cref="CryptographicException">The store has no such certificate.</exception>
    public static TlsCertificate FromStore(string subject, StoreLocation location = StoreLocation.CurrentUser)
    {
        ArgumentException.ThrowIfNullOrEmpty(subject);
        return new TlsCertificate(
            () => Find(subject, location).Thumbprint,
            () => SslStreamCertificateContext.Create(Find(subject, location), null, offline: true));
    }

    /// <summary>Uses a certificate that the caller has.</summary>
    /// <param name="certificate">With its private key.</param>
    /// <param name="chain">Those that vouch for it, which are sent along; null for none.</param>
    /// <exception cref="ArgumentException">The certificate has no private key.</exception>
    public static TlsCertificate From(X509Certificate2 certificate, X509Certificate2Collection? chain = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (!certificate.HasPrivateKey)
            throw new ArgumentException("The certificate has no private key.", nameof(certificate));
        return new TlsCertificate(
            () => certificate.Thumbprint, () => SslStreamCertificateContext.Create(certificate, chain, offline: true));
    }

    /// <summary>Loads the certificate again, without waiting for a handshake to look. Where that fails, the old one stays.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    /// <exception cref="CryptographicException">What was loaded is no certificate with its key.</exception>
    public void Reload()
    {
        lock (_lock)
            Load(_identify());
    }

    /// <summary>The certificate to show now.</summary>
    internal SslStreamCertificateContext Current(TimeProvider time, Action<Exception>? onError)
    {
        // Whoever finds another looking takes the old one.
        if (!_lock.TryEnter())
            return _current;
        try
        {
            long now = time.GetTimestamp();
            if (_lookedAt is not { } before || time.GetElapsedTime(before, now) >= LookEvery)
            {
                _lookedAt = now;
                Look(onError);
            }
        }
        finally
        {
            _lock.Exit();
        }

        return _current;
    }

    private void Look(Action<Exception>? onError)
    {
        string? seen = null;
        try
        {
            seen = _identify();
            if (seen != _identity && seen != _refused)
                Load(seen);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            seen ??= e.Message;
            if (seen != _refused)
                onError?.Invoke(new IOException("The new certificate cannot be used, the old one stays: " + e.Message, e));
            _refused = seen;
        }
    }

    private void Load(string seen)
    {
        _current = _load();
        (_identity, _refused) = (seen, null);
    }

    private static string DigestOf(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));

    private static SslStreamCertificateContext OfPem(string certificates, string key)
    {
        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPem(certificates, key);
        }
        catch (ArgumentException e)
        {
            throw new CryptographicException("The key is not the certificate's.", e);
        }

        // Windows can use a key only from a container.
        if (OperatingSystem.IsWindows())
            certificate = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        X509Certificate2Collection chain = [];
        chain.ImportFromPem(certificates);
        chain.RemoveAt(0);
        return SslStreamCertificateContext.Create(certificate, chain, offline: true);
    }

    private static X509Certificate2 Find(string subject, StoreLocation location)
    {
        using var store = new X509Store(StoreName.My, location);
        store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
        return store.Certificates.Find(X509FindType.FindBySubjectName, subject, validOnly: false)
            .Find(X509FindType.FindByTimeValid, DateTime.Now, validOnly: false)
            .Where(found => found.HasPrivateKey).MaxBy(found => found.NotBefore)
            ?? throw new CryptographicException($"The store has no valid certificate with a key for '{subject}'.");
    }
}
