using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;

namespace Iris.Net.Tests.Server;

/// <summary>samples/Http as a process of its own.</summary>
[Platform("Linux,MacOsX")]
internal sealed class HttpSampleTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private Process _plain = null!;
    private Process _dump = null!;
    private Uri _plainUrl = null!;
    private Uri _dumpUrl = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        (_plain, _plainUrl) = await StartAsync("0");
        (_dump, _dumpUrl) = await StartAsync("0", "--dump");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await EndAsync(_plain);
        await EndAsync(_dump);
    }

    [Test]
    public async Task GET_is_a_short_text_with_content_type_and_date()
    {
        RawResponse response = await AskAsync(_plainUrl, "GET / HTTP/1.1\r\nHost: 0.0.0.0=5000\r\n\r\n");
        Assert.That((response.Status, response.Body), Is.EqualTo((200, "Hello from Iris.\n")));
        Assert.That(response["Content-Type"], Is.EqualTo("text/plain; charset=utf-8"));
        Assert.That(response["Content-Length"], Is.EqualTo("17"));
        Assert.That(response["Date"], Does.EndWith(" GMT"));
    }

    [Test]
    public async Task HEAD_is_GET_without_the_body()
    {
        RawResponse response = await AskAsync(_plainUrl, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.That((response.Status, response["Content-Length"]), Is.EqualTo((200, "17")));
    }

    [TestCase("Content-Length: 5\r\n\r\na\0\r\nb", "a\0\r\nb")]
    [TestCase("Content-Length: 0\r\n\r\n", "")]
    [TestCase("\r\n", "")]
    [TestCase("Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc")]
    public async Task POST_repeats_the_body_with_its_length(string rest, string body)
    {
        RawResponse response = await AskAsync(_plainUrl, "POST / HTTP/1.1\r\nHost: a\r\n" + rest);
        Assert.That((response.Status, response.Body), Is.EqualTo((200, body)));
        Assert.That(response["Content-Length"], Is.EqualTo($"{body.Length}"));
    }

    [Test]
    public async Task OPTIONS_is_204_with_Allow_and_no_length()
    {
        RawResponse response = await AskAsync(_plainUrl, "OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.That(
            (response.Status, response["Allow"], response["Content-Length"]), Is.EqualTo((204, "GET, HEAD, POST, OPTIONS", (string?)null)));
    }

    [TestCase("DELETE")]
    [TestCase("BREW")]
    [TestCase("get")]
    public async Task Another_method_is_405_with_Allow(string method)
    {
        RawResponse response = await AskAsync(_plainUrl, $"{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.That((response.Status, response["Allow"]), Is.EqualTo((405, "GET, HEAD, POST, OPTIONS")));
    }

    [TestCase("GET /echo HTTP/1.1\r\n", "")]
    [TestCase("POST /echo HTTP/1.1\r\nContent-Length: 2\r\n", "ok")]
    public async Task Echo_prints_the_received_fields_as_they_came(string start, string body)
    {
        RawResponse response = await AskAsync(_plainUrl, start + "hOsT: a\r\nx-One:   1\t\r\nX-ONE:2\r\n\r\n" + body);
        Assert.That(response.Body, Does.EndWith("hOsT: a\nx-One: 1\nX-ONE: 2\n"));
    }

    [Test]
    public async Task Cookie_prints_one_line_for_each()
    {
        RawResponse response = await AskAsync(
            _plainUrl, "GET /cookie HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=x=y;c=\r\nCookie: d; =e; f=2\r\n\r\n");
        Assert.That(response.Body, Is.EqualTo("a=1\nb=x=y\nc=\nf=2\n"));
    }

    [Test]
    public async Task An_unknown_path_is_404() =>
        Assert.That((await AskAsync(_plainUrl, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n")).Status, Is.EqualTo(404));

    [Test]
    public async Task A_sick_body_is_refused_by_whoever_answers([Values("GET / ", "POST / ", "POST /echo ", "GET /cookie ")] string start) =>
        Assert.That(
            (await AskAsync(_plainUrl, start + "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\n")).Status, Is.EqualTo(400));

    [TestCase("GET", "/")]
    [TestCase("BREW", "/a/../b?c=%20d")]
    [TestCase("OPTIONS", "*")]
    [TestCase("PUT", "http://a/x")]
    public async Task Dump_tells_every_request(string method, string target)
    {
        RawResponse response = await AskAsync(
            _dumpUrl, $"{method} {target} HTTP/1.1\r\nHost: a\r\nX-y: \xE9\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na\0b\r\n0\r\n\r\n");
        Assert.That((response.Status, response["Content-Type"]), Is.EqualTo((200, "application/json")));
        var dump = JsonElement.Parse(response.Body);
        Assert.That(dump.EnumerateObject().Select(member => member.Name), Is.EqualTo(new[] { "method", "target", "version", "headers", "body" }));
        Assert.That(dump.GetProperty("method").GetString(), Is.EqualTo(method));
        Assert.That(dump.GetProperty("target").GetString(), Is.EqualTo(target));
        Assert.That(dump.GetProperty("version").GetString(), Is.EqualTo("HTTP/1.1"));
        Assert.That(
            dump.GetProperty("headers").EnumerateArray().Select(field => $"{field[0].GetString()}={field[1].GetString()}"),
            Is.EqualTo(new[] { "Host=a", "X-y=\xE9", "Transfer-Encoding=chunked" }));
        Assert.That(dump.GetProperty("body").GetBytesFromBase64(), Is.EqualTo("a\0b"u8.ToArray()));
    }

    [Test]
    public async Task Dump_tells_an_upgrade_too()
    {
        RawResponse response = await AskAsync(
            _dumpUrl, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        Assert.That(response.Status, Is.EqualTo(200));
    }

    [Test]
    public async Task Dump_answers_HEAD_without_a_body()
    {
        RawResponse response = await AskAsync(_dumpUrl, "HEAD /x HTTP/1.0\r\n\r\n");
        Assert.That((response.Status, response["Content-Length"]), Is.EqualTo((200, "75")));
    }

    [Test]
    public async Task Dump_refuses_a_sick_body() =>
        Assert.That(
            (await AskAsync(_dumpUrl, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\n")).Status, Is.EqualTo(400));

    [Test]
    public async Task A_signal_ends_it_with_0_after_the_running_request()
    {
        (Process process, Uri url) = await StartAsync("0");
        using RawClient client = await RawClient.ConnectAsync(url);
        // The answer to the expectation tells that the handler waits for the body.
        await client.SendAsync("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        Assert.That((await client.ReadAsync()).Status, Is.EqualTo(100));
        Serve.IrisServer.SignalTo(process.Id, 15);
        while (await ConnectsAsync(url))
            await Task.Yield();
        await client.SendAsync("ok");
        RawResponse response = await client.ReadAsync();
        Assert.That((response.Status, response.Body, response["Connection"]), Is.EqualTo((200, "ok", "close")));
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.That(process.ExitCode, Is.Zero);
        process.Dispose();
    }

    [Test]
    public async Task Bad_arguments_exit_2([Values("", "x", "65536", "1 2", "0 --what")] string arguments)
    {
        using Process process = Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        string errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Patience);
        Assert.That((process.ExitCode, errors), Is.EqualTo((2, "usage: Http PORT [--dump] [--large]\n")));
    }

    private static async Task<RawResponse> AskAsync(Uri url, string request)
    {
        using RawClient client = await RawClient.ConnectAsync(url);
        await client.SendAsync(request);
        return await client.ReadAsync(toHead: request.StartsWith("HEAD ", StringComparison.Ordinal));
    }

    private static async Task<bool> ConnectsAsync(Uri url)
    {
        try
        {
            (await RawClient.ConnectAsync(url)).Dispose();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<(Process Process, Uri Url)> StartAsync(params string[] arguments)
    {
        Process process = Run(arguments);
        string? line = await process.StandardOutput.ReadLineAsync().WaitAsync(Patience);
        return (process, new Uri(line!));
    }

    private static Process Run(string[] arguments)
    {
        string program = Path.Combine(TestContext.CurrentContext.TestDirectory, "Http.dll");
        return Process.Start(new ProcessStartInfo("dotnet", ["exec", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    private static async Task EndAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
