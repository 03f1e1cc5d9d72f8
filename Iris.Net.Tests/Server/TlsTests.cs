using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Iris.Net.Server;
using Iris.Net.Transport;

namespace Iris.Net.Tests.Server;

[Parallelizable(ParallelScope.Children)]
public class TlsTests
{
    private const string Get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private TestCertificate _certificate = null!;

    [OneTimeSetUp]
    public void MakeCertificate() => _certificate = new TestCertificate();

    [OneTimeTearDown]
    public void DropCertificate() => _certificate.Dispose();

    [Test]
    public async Task HttpClient_speaks_with_it_on_one_connection()
    {
        await using TestServer server = await StartEchoAsync();
        using HttpClient client = NewClient();
        Assert.That(server.Url.Scheme, Is.EqualTo("https"));
        Assert.That(await client.GetStringAsync(server.Url), Is.EqualTo("hello"));
        for (int i = 0; i < 3; i++)
        {
            using var content = new StringContent($"body {i}");
            using HttpResponseMessage reply = await client.PostAsync(server.Url, content);
            Assert.That(await reply.Content.ReadAsStringAsync(), Is.EqualTo($"body {i}"));
        }

        Assert.That(server.Errors, Is.Empty);
    }

    [TestCase(SslProtocols.Tls12)]
    [TestCase(SslProtocols.Tls13)]
    public async Task A_client_gets_the_version_and_the_protocol_it_asks_for(SslProtocols version)
    {
        await using TestServer server = await StartEchoAsync();
        await using SslStream client = await ConnectAsync(server, version, "h2", "http/1.1");
        Assert.That(client.SslProtocol, Is.EqualTo(version));
        Assert.That(client.NegotiatedApplicationProtocol, Is.EqualTo(SslApplicationProtocol.Http11));
        await client.WriteAsync(Encoding.ASCII.GetBytes(Get));
        Assert.That(await ReadToAsync(client, "hello"), Does.StartWith("HTTP/1.1 200 OK\r\n"));
    }

    [Test]
    public async Task An_older_version_is_refused()
    {
        await using TestServer server = await StartEchoAsync();
        // A client hello of TLS 1.1 as such a client sends it: the base library may have none.
        byte[] hello = ClientHello(minor: 2);
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(hello);
        string answer = await client.ReadToEndAsync();
        Assert.That(answer, Is.EqualTo("\u0015\u0003\u0002\0\u0002\u0002F"), "protocol_version is alert 70");
    }

    [Test]
    public async Task A_client_that_knows_only_another_protocol_is_refused()
    {
        await using TestServer server = await StartEchoAsync();
        Assert.That(async () => await ConnectAsync(server, SslProtocols.Tls13, "h2"), Throws.InstanceOf<AuthenticationException>());
    }

    [TestCase(Get)]
    [TestCase("\u0016\u0003\u0001\0\u0004\u0001\u0002\u0003\u0004")]
    [TestCase("\0\0\0\0\0\0\0\0\0\0\0\0")]
    public async Task What_is_no_handshake_is_closed(string bytes)
    {
        await using TestServer server = await StartEchoAsync();
        using RawClient client = await server.ConnectAsync();
        await client.SendAsync(bytes);
        Assert.That(await client.ReadToEndAsync(), Does.Not.Contain("HTTP"));
        Assert.That(server.Errors, Is.Empty);
    }

    [Test]
    public async Task A_handshake_that_does_not_come_is_closed_at_the_first_bytes_deadline()
    {
        var time = new ManualTime();
        await using TestServer server = await StartEchoAsync(new HttpServerOptions { Time = time });
        using RawClient silent = await server.ConnectAsync();
        using RawClient slow = await server.ConnectAsync();
        await slow.SendAsync(ClientHello(minor: 3)[..20]);
        Task<string> both = Task.WhenAll(silent.ReadToEndAsync(), slow.ReadToEndAsync())
            .ContinueWith(ends => string.Concat(ends.Result), TaskScheduler.Default);
        while (!both.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(both, Task.Delay(10));
        }

        Assert.That(await both, Is.Empty);
    }

    [Test]
    public async Task Handshakes_count_as_connections_and_those_too_many_are_closed()
    {
        await using TestServer server = await StartEchoAsync(
            new HttpServerOptions { Limits = new HttpServerLimits { MaxConcurrentConnections = 1 } });
        await using SslStream first = await ConnectAsync(server);
        Assert.That(async () => await ConnectAsync(server), Throws.InstanceOf<IOException>());
        await first.WriteAsync(Encoding.ASCII.GetBytes(Get));
        Assert.That(await ReadToAsync(first, "hello"), Does.StartWith("HTTP/1.1 200 OK\r\n"));
    }

    [Test]
    public async Task Megabytes_go_both_ways()
    {
        await using TestServer server = await StartEchoAsync(
            new HttpServerOptions { Limits = new HttpServerLimits { MaxRequestBodySize = 32 << 20 } });
        using HttpClient client = NewClient();
        byte[] body = RandomNumberGenerator.GetBytes(20_000_000);
        using var content = new ByteArrayContent(body);
        using HttpResponseMessage reply = await client.PostAsync(server.Url, content);
        Assert.That((await reply.Content.ReadAsByteArrayAsync()).AsSpan().SequenceEqual(body), Is.True);
    }

    [Test]
    public async Task Requests_may_come_byte_by_byte_and_pipelined()
    {
        await using TestServer server = await StartEchoAsync();
        await using SslStream client = await ConnectAsync(server);
        foreach (byte one in Encoding.ASCII.GetBytes(Get))
            await client.WriteAsync(new[] { one });
        await ReadToAsync(client, "hello");
        await client.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(Get, 5))));
        for (int i = 0; i < 5; i++)
            await ReadToAsync(client, "hello");
    }

    [Test]
    public async Task A_client_that_said_it_sends_no_more_is_answered_and_told_the_same()
    {
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously), finish = new();
        await using TestServer server = await StartAsync(async (exchange, disconnected) =>
        {
            begun.SetResult();
            await finish.Task;
            await exchange.Response.SendAsync("late"u8, disconnected);
        });
        await using SslStream client = await ConnectAsync(server);
        await client.WriteAsync(Encoding.ASCII.GetBytes(Get));
        await begun.Task;
        await client.ShutdownAsync();
        finish.SetResult();
        Assert.That(await ReadToEndAsync(client), Does.EndWith("\r\n\r\nlate"));
    }

    [Test]
    public async Task The_end_of_an_answer_is_told_before_the_connection_closes()
    {
        await using TestServer server = await StartEchoAsync();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Url.Port);
        await using var wire = new CountingStream(new NetworkStream(socket));
        await using var client = new SslStream(wire);
        // In TLS 1.2 the type of a record stands in clear: 21 is an alert, and after a handshake close_notify is one.
        await client.AuthenticateAsClientAsync(ClientOptions(SslProtocols.Tls12));
        await client.WriteAsync("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"u8.ToArray());
        Assert.That(await ReadToEndAsync(client), Does.EndWith("hello"));
        Assert.That(wire.LastRecordType, Is.EqualTo(21));
    }

    [Test]
    public async Task A_body_that_is_too_large_is_refused_and_the_refusal_arrives()
    {
        await using TestServer server = await StartEchoAsync(
            new HttpServerOptions { Limits = new HttpServerLimits { MaxRequestBodySize = 10 } });
        await using SslStream client = await ConnectAsync(server);
        await client.WriteAsync(Encoding.ASCII.GetBytes(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n" + new string('x', 30000)));
        Assert.That(await ReadToEndAsync(client), Does.StartWith("HTTP/1.1 413 "));
    }

    [Test]
    public async Task A_peer_that_takes_nothing_is_cut()
    {
        var time = new ManualTime();
        TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<Exception?> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestServer server = await StartAsync(
            async (exchange, _) =>
            {
                begun.SetResult();
                try
                {
                    await exchange.Response.SendAsync(new byte[32 << 20], CancellationToken.None);
                    ended.SetResult(null);
                }
                catch (IOException e)
                {
                    ended.SetResult(e);
                    throw;
                }
            },
            new HttpServerOptions { Time = time });
        await using SslStream client = await ConnectAsync(server);
        await client.WriteAsync(Encoding.ASCII.GetBytes(Get));
        await begun.Task.WaitAsync(Patience);   // no deadline of the request's own is met
        while (!ended.Task.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(ended.Task, Task.Delay(10));
        }

        Assert.That(await ended.Task, Is.InstanceOf<IOException>());
    }

    [Test]
    public async Task Idle_connections_are_closed_at_a_stop()
    {
        await using TestServer server = await StartEchoAsync();
        await using SslStream idle = await ConnectAsync(server);
        await idle.WriteAsync(Encoding.ASCII.GetBytes(Get));
        await ReadToAsync(idle, "hello");
        Task stopping = server.Server.StopAsync(TimeSpan.FromMinutes(5));
        Assert.That(await ReadToEndAsync(idle), Is.Empty);
        await stopping.WaitAsync(Patience);
    }

    [Test]
    public async Task A_WebSocket_talks_and_closes()
    {
        await using TestServer server = await TestServer.StartAsync(
            router => router.MapWebSocket("/ws", async (socket, disconnected) =>
            {
                while (await socket.ReceiveAsync(disconnected) is { Kind: WebSocketMessageKind.Text } message)
                    await socket.SendAsync(WebSocketMessageKind.Text, message.Payload, disconnected);
            }),
            at: Secure());
        using var invoker = new HttpMessageInvoker(NewHandler());
        using var client = new ClientWebSocket();
        using var patience = new CancellationTokenSource(Patience);
        await client.ConnectAsync(new UriBuilder(server.Url) { Scheme = "wss", Path = "/ws" }.Uri, invoker, patience.Token);
        byte[] sent = Encoding.ASCII.GetBytes(new string('w', 100_000)), received = new byte[sent.Length];
        for (int round = 0; round < 3; round++)
        {
            await client.SendAsync(sent, System.Net.WebSockets.WebSocketMessageType.Text, true, patience.Token);
            int count = 0;
            while (count < sent.Length)
                count += (await client.ReceiveAsync(received.AsMemory(count), patience.Token)).Count;
            Assert.That(received, Is.EqualTo(sent));
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, "", patience.Token);
        Assert.That(client.CloseStatus, Is.EqualTo(WebSocketCloseStatus.NormalClosure));
    }

    [Test]
    public async Task A_changed_file_is_used_without_a_restart_and_a_broken_one_is_not()
    {
        var time = new ManualTime();
        string path = Path.Combine(Path.GetTempPath(), $"iris-{Guid.NewGuid():N}.pem");
        using TestCertificate second = new();
        await File.WriteAllTextAsync(path, _certificate.Pem + "\n" + _certificate.KeyPem);
        try
        {
            var certificate = TlsCertificate.FromPem(path);
            await using TestServer server = await TestServer.StartAsync(
                router => router.Map("GET", "/", TestServer.EchoAsync), new HttpServerOptions { Time = time }, Secure(certificate));
            Assert.That(await ShownAsync(server), Is.EqualTo(_certificate.Certificate.Thumbprint));

            await File.WriteAllTextAsync(path, "broken");
            time.Advance(TimeSpan.FromSeconds(3));
            Assert.That(await ShownAsync(server), Is.EqualTo(_certificate.Certificate.Thumbprint));
            Assert.That(server.Errors.Select(e => e.Message), Has.Exactly(1).StartsWith("The new certificate cannot be used"));
            Assert.That(certificate.Reload, Throws.InstanceOf<CryptographicException>());
            File.Delete(path);
            Assert.That(certificate.Reload, Throws.InstanceOf<IOException>());

            await File.WriteAllTextAsync(path, second.Pem + "\n" + second.KeyPem);
            time.Advance(TimeSpan.FromSeconds(3));
            Assert.That(await ShownAsync(server), Is.EqualTo(second.Certificate.Thumbprint));

            await File.WriteAllTextAsync(path, _certificate.Pem + "\n" + _certificate.KeyPem);
            certificate.Reload();
            Assert.That(await ShownAsync(server), Is.EqualTo(_certificate.Certificate.Thumbprint));
            Assert.That(server.Errors, Has.Count.EqualTo(1));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public async Task An_event_stream_arrives_event_by_event()
    {
        using var step = new SemaphoreSlim(0);
        await using TestServer server = await StartAsync(async (exchange, disconnected) =>
        {
            EventStream stream = EventStream.Start(exchange.Response);
            for (int i = 0; i < 3; i++)
            {
                stream.Write(Encoding.ASCII.GetBytes($"event: tick\ndata: {i}\n\n"));
                await stream.FlushAsync(disconnected);
                await step.WaitAsync(disconnected);
            }
        });
        await using SslStream client = await ConnectAsync(server);
        await client.WriteAsync(Encoding.ASCII.GetBytes(Get));
        for (int i = 0; i < 3; i++)
        {
            Assert.That(await ReadToAsync(client, $"data: {i}\n\n"), Does.Contain("event: tick\n"));
            step.Release();
        }
    }

    [Test]
    public async Task The_systems_store_has_certificates_too()
    {
        string name = $"iris-{Guid.NewGuid():N}";
        using TestCertificate stored = new(name);
        using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser);
        store.Open(OpenFlags.ReadWrite);
        Assert.That(() => TlsCertificate.FromStore(name), Throws.InstanceOf<CryptographicException>());
        store.Add(stored.Certificate);
        try
        {
            await using TestServer server = await TestServer.StartAsync(
                router => router.Map("GET", "/", TestServer.EchoAsync), at: Secure(TlsCertificate.FromStore(name)));
            Assert.That(await ShownAsync(server), Is.EqualTo(stored.Certificate.Thumbprint));
        }
        finally
        {
            store.Remove(stored.Certificate);
        }
    }

    [Test]
    public void A_key_that_is_not_the_certificates_is_refused()
    {
        string path = Path.Combine(Path.GetTempPath(), $"iris-{Guid.NewGuid():N}.pem");
        using TestCertificate other = new();
        File.WriteAllText(path, _certificate.Pem + "\n" + other.KeyPem);
        Assert.That(() => TlsCertificate.FromPem(path), Throws.InstanceOf<CryptographicException>());
        File.Delete(path);
    }

    private static async Task<string> ShownAsync(TestServer server)
    {
        await using SslStream client = await ConnectAsync(server);
        return client.RemoteCertificate!.GetCertHashString();
    }

    private static Task<SslStream> ConnectAsync(TestServer server) => ConnectAsync(server, SslProtocols.Tls13);

    private static async Task<SslStream> ConnectAsync(TestServer server, SslProtocols version, params string[] protocols)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.Url.Port);
        var client = new SslStream(new NetworkStream(socket, ownsSocket: true));
        SslClientAuthenticationOptions options = ClientOptions(version);
        if (protocols.Length > 0)
            options.ApplicationProtocols = [.. protocols.Select(name => new SslApplicationProtocol(name))];
        await client.AuthenticateAsClientAsync(options).WaitAsync(Patience);
        return client;
    }

    // Which certificate is shown is judged elsewhere.
    private static SslClientAuthenticationOptions ClientOptions(SslProtocols version) => new()
    {
        TargetHost = "localhost",
        EnabledSslProtocols = version,
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
    };

    private static async Task<string> ReadToAsync(SslStream client, string end)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        using var patience = new CancellationTokenSource(Patience);
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            Assert.That(await client.ReadAsync(one, patience.Token), Is.EqualTo(1), text.ToString());
            text.Append((char)one[0]);
        }

        return text.ToString();
    }

    private static async Task<string> ReadToEndAsync(SslStream client)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var reader = new StreamReader(client, Encoding.Latin1, leaveOpen: true);
        return await reader.ReadToEndAsync(patience.Token);
    }

    private ListenEndpoint Secure(TlsCertificate? certificate = null) => ListenEndpoint.Tcp(IPAddress.Loopback, 0) with
    {
        Certificate = certificate ?? TlsCertificate.From(_certificate.Certificate),
    };

    private Task<TestServer> StartEchoAsync(HttpServerOptions? options = null) => StartAsync(TestServer.EchoAsync, options);

    private Task<TestServer> StartAsync(HttpHandler handler, HttpServerOptions? options = null) =>
        TestServer.StartAsync(router => router.Map("GET", "/", handler).Map("POST", "/", handler), options, Secure());

    private HttpClient NewClient() => new(NewHandler()) { Timeout = Patience };

    private SocketsHttpHandler NewHandler() => new()
    {
        SslOptions = { CertificateChainPolicy = _certificate.Policy },
    };

    private static byte[] ClientHello(byte minor)
    {
        byte[] hello = [3, minor, .. new byte[32], 0, 0, 4, 0xC0, 0x0A, 0, 0x2F, 1, 0];
        byte[] handshake = [1, 0, 0, (byte)hello.Length, .. hello];
        return [0x16, 3, 1, 0, (byte)handshake.Length, .. handshake];
    }

    /// <summary>Reads on while it tells the type of the last record.</summary>
    private sealed class CountingStream(Stream inner) : AsyncStream
    {
        private readonly List<byte> _read = [];

        public int LastRecordType
        {
            get
            {
                int at = 0;
                while (at + 5 + _read[at + 3] * 256 + _read[at + 4] is int next && next < _read.Count)
                    at = next;
                return _read[at];
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = await inner.ReadAsync(buffer, cancellationToken);
            _read.AddRange(buffer.Span[..count]);
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
    }
}
