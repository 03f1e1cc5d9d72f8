using System.Net;
using System.Net.Sockets;
using Iris.Net.Server;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Server;

[Parallelizable(ParallelScope.All)]
public class ListenTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    [Test]
    public async Task Several_endpoints_are_served_at_once_plain_and_encrypted()
    {
        using TestCertificate certificate = new();
        string path = NewPath();
        await using TestServer server = await TestServer.StartEchoAsync();
        await server.Server.ListenAsync(ListenEndpoint.Tcp(IPAddress.IPv6Loopback, 0));
        await server.Server.ListenAsync(ListenEndpoint.Tcp(IPAddress.Loopback, 0) with
        {
            Certificate = TlsCertificate.From(certificate.Certificate),
        });
        await server.Server.ListenAsync(ListenEndpoint.UnixSocket(path));
        IReadOnlyList<Uri> urls = server.Server.Endpoints;
        Assert.That(urls.Select(url => url.Scheme), Is.EqualTo(["http", "http", "https", "unix"]));
        Assert.That(urls.Take(3).Select(url => url.Port), Has.None.EqualTo(0).And.Unique);
        foreach (int plain in (int[])[0, 1, 3])
        {
            using RawClient client = await RawClient.ConnectAsync(urls[plain]);
            await client.SendAsync(Get);
            Assert.That((await client.ReadAsync()).Body, Is.EqualTo("hello"), urls[plain].ToString());
        }

        using var encrypted = new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = certificate.Policy } });
        Assert.That(await encrypted.GetStringAsync(urls[2]), Is.EqualTo("hello"));
    }

    [Test]
    public async Task A_Unix_socket_serves_and_its_file_is_taken_over_and_removed()
    {
        string path = NewPath();
        LeaveBehind(path);
        await using (TestServer server = await StartUnixAsync(path))
        {
            Assert.That(server.Url.ToString(), Is.EqualTo("unix:" + path));
            Assert.That((await server.AskAsync(Get)).Body, Is.EqualTo("hello"));
            Assert.That(async () => await StartUnixAsync(path), Throws.InstanceOf<IOException>());
            Assert.That((await server.AskAsync(Get)).Body, Is.EqualTo("hello"));
        }

        Assert.That(File.Exists(path), Is.False);
    }

    [Test]
    public async Task A_file_that_is_no_socket_is_not_taken_over()
    {
        string path = NewPath();
        await File.WriteAllTextAsync(path, "letters");
        Assert.That(async () => await StartUnixAsync(path), Throws.InstanceOf<IOException>());
        Assert.That(await File.ReadAllTextAsync(path), Is.EqualTo("letters"));
        File.Delete(path);
    }

    [Test]
    public async Task A_port_that_is_taken_is_said_to_be()
    {
        await using TestServer server = await TestServer.StartEchoAsync();
        await using var other = new HttpServer(new Router());
        Assert.That(
            async () => await other.ListenAsync(ListenEndpoint.Tcp(IPAddress.Loopback, server.Url.Port)), Throws.InstanceOf<IOException>());
    }

    [Test]
    public async Task A_port_is_shared_by_those_who_ask_for_it()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            Assert.Ignore("The system shares no port.");
        ListenEndpoint shared = ListenEndpoint.Tcp(IPAddress.Loopback, 0) with { ReusePort = true };
        await using TestServer first = await TestServer.StartAsync(router => router.Map("GET", "/", TestServer.EchoAsync), at: shared);
        ListenEndpoint same = ListenEndpoint.Tcp(IPAddress.Loopback, first.Url.Port);
        await using (TestServer second = await TestServer.StartAsync(
            router => router.Map("GET", "/", TestServer.EchoAsync), at: same with { ReusePort = true }))
        {
            Assert.That(second.Url, Is.EqualTo(first.Url));
            Assert.That(async () => await TestServer.StartAsync(_ => { }, at: same), Throws.InstanceOf<IOException>());
        }

        Assert.That((await first.AskAsync(Get)).Body, Is.EqualTo("hello"));
    }

    private static string NewPath() => Path.Combine(Path.GetTempPath(), $"iris-{Guid.NewGuid():N}.sock");

    private static Task<TestServer> StartUnixAsync(string path) =>
        TestServer.StartAsync(router => router.Map("GET", "/", TestServer.EchoAsync), at: ListenEndpoint.UnixSocket(path));

    // A socket removes the file that it was bound to, unless that was moved.
    private static void LeaveBehind(string path)
    {
        using var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(path + "0"));
        File.Move(path + "0", path);
    }
}
