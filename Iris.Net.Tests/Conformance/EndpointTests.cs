using System.Net;
using Iris.Net.Tests.Server;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Conformance;

/// <summary>Where a channel listens.</summary>
[Parallelizable(ParallelScope.All)]
public class EndpointTests
{
    private static readonly IHostAdapter Echo =
        HostAdapter.Create((turn, _) => ValueTask.FromResult(TurnOutcome.Finished(output: turn.Body)));

    [Test]
    public async Task Several_endpoints_serve_sessions_and_a_second_stop_is_the_first()
    {
        using TestCertificate made = new();
        var certificate = TlsCertificate.From(made.Certificate);
        await using var channel = new RestChannel(Echo, new RestChannelOptions
        {
            Listen =
            [
                ListenEndpoint.Tcp(IPAddress.Loopback, 0),
                ListenEndpoint.Tcp(IPAddress.Loopback, 0) with { Certificate = certificate },
            ],
        });
        Uri first = await channel.ListenAsync();
        Assert.That(channel.Endpoints.Select(url => url.Scheme), Is.EqualTo(["http", "https"]));
        Assert.That(first, Is.EqualTo(channel.Endpoints[0]));
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = made.Policy } });
        foreach (Uri url in channel.Endpoints)
        {
            using HttpResponseMessage reply = await client.PostAsync(new Uri(url, "v1/session"), new StringContent("{}"));
            Assert.That(reply.StatusCode, Is.EqualTo(HttpStatusCode.OK), url.ToString());
        }

        Task stopped = channel.StopAsync();
        Assert.That(channel.StopAsync(), Is.SameAs(stopped));
        await stopped;
    }

    [Test]
    public async Task One_certificate_encrypts_host_and_port()
    {
        using TestCertificate made = new();
        await using var channel = new RestChannel(
            Echo, new RestChannelOptions { Certificate = TlsCertificate.From(made.Certificate) });
        Assert.That((await channel.ListenAsync()).Scheme, Is.EqualTo("https"));
    }

    [Test]
    public void Listen_and_what_it_stands_instead_of_exclude_each_other() => Assert.That(
        () => new RestChannel(Echo, new RestChannelOptions
        {
            Listen = [ListenEndpoint.Tcp(IPAddress.Loopback, 0)],
            UnixSocketPath = "/tmp/never",
        }),
        Throws.ArgumentException);
}
