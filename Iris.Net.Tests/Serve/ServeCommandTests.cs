using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Iris.Net.Tests.Server;

namespace Iris.Net.Tests.Serve;

/// <summary>The iris program from outside: what it prints, how it ends, and its echo program.</summary>
[Platform("Linux,MacOsX")]
internal sealed class ServeCommandTests
{
    private const int SigInt = 2;
    private const int SigTerm = 15;

    [Test]
    public async Task Prints_one_line_after_the_port_is_bound()
    {
        await using IrisServer server = await IrisServer.StartAsync("--memory");
        Assert.That(server.ListeningLine, Does.Match(
            @"^iris: listening on http://127\.0\.0\.1:[1-9]\d* \(image=echo, store=memory, web=off\)$"));
        Assert.That(await server.Client.GetStringAsync("v1/health"), Is.EqualTo("""{"status":"ok"}"""));
    }

    [Test]
    public async Task Echo_streams_word_by_word_and_parks_on_the_user()
    {
        await using IrisServer server = await IrisServer.StartAsync();
        string stream = await server.StreamAsync(new { message = "hello wide world" });
        Assert.That(Deltas(stream), Is.EqualTo(new[] { "echo: ", "hello ", "wide ", "world" }));
        Assert.That(stream, Does.Contain("\"status\":\"parked\",\"wait\":{\"kind\":\"user\"}"));
    }

    [Test]
    public async Task Echo_continues_until_bye()
    {
        await using IrisServer server = await IrisServer.StartAsync();
        TurnReply first = await server.TurnAsync(new { messages = new[] { new { role = "user", content = "hello" } } });
        Assert.That(first.Json.GetProperty("status").GetString(), Is.EqualTo("parked"));
        TurnReply last = await server.TurnAsync(new { message = "bye" }, first);
        Assert.That(last.Json.GetProperty("status").GetString(), Is.EqualTo("finished"));
        Assert.That(last.Output.GetString(), Is.EqualTo("echo: bye"));
    }

    [Test]
    public async Task Help_and_version_exit_0_with_nothing_on_standard_error()
    {
        (int code, string output, string errors) = await IrisServer.RunAsync("--help");
        Assert.That((code, errors), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain("--host").And.Contain("--port").And.Contain("--memory").And.Contain("IMAGE"));
        (code, output, errors) = await IrisServer.RunAsync("serve", "--version");
        Assert.That((code, errors), Is.EqualTo((0, "")));
        Assert.That(output, Does.Match(@"^iris \d+\.\d+\.\d+\S*\n$"));
    }

    [Test]
    public async Task Bad_arguments_are_one_line_and_exit_2()
    {
        (int code, string output, string errors) = await IrisServer.RunAsync("serve", "--port", "65536");
        Assert.That((code, output), Is.EqualTo((2, "")));
        Assert.That(errors, Is.EqualTo("iris: --port needs a number from 0 to 65535, not '65536' (iris --help)\n"));
    }

    [Test]
    public async Task A_port_in_use_is_one_line_and_exit_1()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        (int code, string output, string errors) = await IrisServer.RunAsync("--port", $"{port}");
        Assert.That((code, output), Is.EqualTo((1, "")));
        Assert.That(errors, Does.Match($@"^iris: Cannot listen on 127\.0\.0\.1:{port}: .+\n$"));
    }

    [Test]
    public async Task A_certificate_makes_it_speak_TLS_and_a_Unix_socket_stands_beside()
    {
        string folder = Directory.CreateTempSubdirectory("iris-").FullName;
        string certificate = Path.Combine(folder, "cert.pem"), key = Path.Combine(folder, "key.pem"), socket = Path.Combine(folder, "s");
        using TestCertificate made = new();
        await File.WriteAllTextAsync(certificate, made.Pem);
        await File.WriteAllTextAsync(key, made.KeyPem);
        await using (IrisServer server = await IrisServer.StartAsync(
            "--tls-certificate", certificate, "--tls-key", key, "--unix-socket", socket))
        {
            Assert.That(server.ListeningLine, Does.StartWith("iris: listening on https://127.0.0.1:"));
            using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = made.Policy } });
            Assert.That(await client.GetStringAsync(new Uri(server.Client.BaseAddress!, "v1/health")), Is.EqualTo("""{"status":"ok"}"""));
            using RawClient local = await RawClient.ConnectAsync(new Uri("unix:" + socket));
            await local.SendAsync("GET /v1/health HTTP/1.1\r\nHost: a\r\n\r\n");
            Assert.That((await local.ReadAsync()).Status, Is.EqualTo(200));
        }

        await File.WriteAllTextAsync(key, "none");
        (int code, string output, string errors) = await IrisServer.RunAsync("--tls-certificate", certificate, "--tls-key", key);
        Assert.That((code, output), Is.EqualTo((1, "")));
        Assert.That(errors, Does.Match(@"^iris: cannot use the certificate .+\n$"));
        Directory.Delete(folder, recursive: true);
    }

    [TestCase(SigInt)]
    [TestCase(SigTerm)]
    public async Task A_signal_exits_0(int signal)
    {
        await using IrisServer server = await IrisServer.StartAsync();
        server.Signal(signal);
        Assert.That(await server.WaitForExitAsync(), Is.Zero, server.Log);
    }

    private static string[] Deltas(string stream) => [.. stream.Split('\n')
        .Where(line => line.StartsWith("data: {\"type\":\"delta\"", StringComparison.Ordinal))
        .Select(line => JsonElement.Parse(line[6..]).GetProperty("text").GetString()!)];
}
