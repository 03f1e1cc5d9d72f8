using System.Net;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Serve;

/// <summary>Who may come in to the iris program: <c>--bearer-file</c>, <c>--allow-origin</c>, <c>--allow-host</c>.</summary>
[Platform("Linux,MacOsX")]
internal sealed class ServeAccessTests
{
    [Test]
    public async Task Sessions_belong_to_the_principal_of_the_token_that_started_them()
    {
        using TempDirectory directory = new();
        string file = await WriteAsync(directory, "# who may come in\n\nt-alice alice\n\tt-alice2   alice\r\nt~+/.= Bob B.\n");
        await using IrisServer server = await IrisServer.StartAsync("--memory", "--bearer-file", file);
        Assert.That(await ChallengeAsync(server), Is.EqualTo((HttpStatusCode.Unauthorized, "Bearer")));
        Present(server, "Bearer t-alic");
        Assert.That(await ChallengeAsync(server), Is.EqualTo((HttpStatusCode.Unauthorized, "Bearer error=\"invalid_token\"")));
        Present(server, "Basic t-alice");
        Assert.That((await ChallengeAsync(server)).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Present(server, "bearer t-alice");
        TurnReply first = await server.TurnAsync(new { message = "hello" });
        Present(server, "Bearer t~+/.=");
        Assert.That((await server.TurnAsync(new { message = "hello" }, first)).Status, Is.EqualTo(HttpStatusCode.NotFound));
        Present(server, "Bearer t-alice2");
        Assert.That((await server.TurnAsync(new { message = "hello" }, first)).Status, Is.EqualTo(HttpStatusCode.OK), "the same principal");
        Assert.That(server.Log, Does.Not.Contain("t-alic"));
    }

    [TestCase("alone", "line 1 of FILE is not TOKEN PRINCIPAL")]
    [TestCase("t a\nsecret! a", "line 2 of FILE is not TOKEN PRINCIPAL")]
    [TestCase("t a\n\nt b", "line 3 of FILE has the token of another line")]
    [TestCase("t a\u0001b", "line 1 of FILE names no principal: ")]
    [TestCase("# nobody\n", "FILE lets nobody in")]
    public async Task A_file_that_will_not_do_is_one_line_and_exit_1(string text, string why)
    {
        using TempDirectory directory = new();
        string file = await WriteAsync(directory, text);
        (int code, string output, string errors) = await IrisServer.RunAsync("--memory", "--port", "0", "--bearer-file", file);
        Assert.That((code, output), Is.EqualTo((1, "")));
        Assert.That(errors, Does.StartWith($"iris: {why.Replace("FILE", file, StringComparison.Ordinal)}").And.Not.Contain("secret"));
        Assert.That(errors.Count(c => c == '\n'), Is.EqualTo(1), errors);
    }

    [Test]
    public async Task A_file_that_is_not_there_is_one_line_and_exit_1()
    {
        (int code, string output, string errors) = await IrisServer.RunAsync("--memory", "--port", "0", "--bearer-file", "/nowhere/bearers");
        Assert.That((code, output), Is.EqualTo((1, "")));
        Assert.That(errors, Does.Match("^iris: cannot read who may come in: .*/nowhere/bearers.*\n$"));
    }

    [Test]
    public async Task Pages_and_names_that_are_listed_are_served()
    {
        await using IrisServer server = await IrisServer.StartAsync(
            "--memory", "--allow-origin", "https://one.example", "--allow-origin", "https://two.example:8443", "--allow-host", "iris.example");
        Assert.That(await StatusAsync("Origin", "https://one.example"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync("Origin", "https://two.example:8443"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync("Origin", "https://three.example"), Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await StatusAsync("Host", "iris.example"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync("Host", "other.example"), Is.EqualTo(HttpStatusCode.MisdirectedRequest));

        async Task<HttpStatusCode> StatusAsync(string field, string value)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri(server.Client.BaseAddress!, "v1"));
            request.Headers.TryAddWithoutValidation(field, value);
            return (await server.Client.SendAsync(request)).StatusCode;
        }
    }

    private static async Task<string> WriteAsync(TempDirectory directory, string text)
    {
        string file = Path.Combine(directory.Path, "bearers");
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    private static void Present(IrisServer server, string credential)
    {
        server.Client.DefaultRequestHeaders.Remove("Authorization");
        server.Client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", credential);
    }

    private static async Task<(HttpStatusCode Status, string Challenge)> ChallengeAsync(IrisServer server)
    {
        using HttpResponseMessage reply = await server.Client.PostAsync("v1/session", null);
        return (reply.StatusCode, reply.Headers.WwwAuthenticate.ToString());
    }
}
