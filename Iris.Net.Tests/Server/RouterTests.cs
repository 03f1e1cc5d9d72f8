using System.Text;
using Iris.Net.Server;

namespace Iris.Net.Tests.Server;

[Parallelizable(ParallelScope.All)]
public class RouterTests
{
    private static async Task<TestServer> StartAsync() => await TestServer.StartAsync(router =>
    {
        foreach (string route in new[]
        {
            "GET /", "GET /a", "POST /a", "GET /a/{x}", "PUT /a/b", "GET /{x}/{y}/c", "GET /a/{x}/c", "DELETE /a/{y}", "POST /a/{x}/{z}",
        })
        {
            string[] parts = route.Split(' ');
            router.Map(parts[0], parts[1], (exchange, _) =>
            {
                var text = new StringBuilder(exchange.Route.Template);
                foreach (string name in new[] { "x", "y", "z" }.Where(name => parts[1].Contains($"{{{name}}}", StringComparison.Ordinal)))
                    text.Append($" {name}={(exchange.Route.TryDecode(name, out string value) ? value : "?")}");
                return exchange.Response.SendAsync(Encoding.UTF8.GetBytes(text.ToString()));
            });
        }
    });

    [TestCase("GET", "/", "/")]
    [TestCase("GET", "/?a=/b/c", "/")]
    [TestCase("GET", "http://a/a", "/a")]
    [TestCase("POST", "/a", "/a")]
    [TestCase("GET", "/a/q", "/a/{x} x=q")]
    [TestCase("GET", "/a/b", "/a/{x} x=b")]
    [TestCase("PUT", "/a/b", "/a/b")]
    [TestCase("DELETE", "/a/q%20r", "/a/{y} y=q r")]
    [TestCase("GET", "/a/%FF", "/a/{x} x=?")]
    [TestCase("GET", "/a/q/c", "/a/{x}/c x=q")]
    [TestCase("GET", "/z/q/c", "/{x}/{y}/c x=z y=q")]
    [TestCase("POST", "/a/q/c", "/a/{x}/{z} x=q z=c")]
    public async Task A_path_finds_its_route(string method, string target, string answer)
    {
        await using TestServer server = await StartAsync();
        RawResponse response = await server.AskAsync($"{method} {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        Assert.That((response.Status, response.Body), Is.EqualTo((200, answer)));
    }

    [TestCase("/b")]
    [TestCase("/a/")]
    [TestCase("/a//c")]
    [TestCase("//")]
    [TestCase("/A")]
    [TestCase("/%61")]
    [TestCase("/a/b/c/d/e/f")]
    public async Task A_path_without_a_route_is_not_found(string path)
    {
        await using TestServer server = await StartAsync();
        Assert.That((await server.AskAsync($"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).Status, Is.EqualTo(404));
    }

    [TestCase("PATCH", "/a", "GET, HEAD, POST")]
    [TestCase("get", "/a", "GET, HEAD, POST")]
    [TestCase("POST", "/a/b", "PUT, GET, HEAD, DELETE")]
    public async Task A_method_without_a_route_is_told_which_there_are(string method, string path, string allow)
    {
        await using TestServer server = await StartAsync();
        RawResponse response = await server.AskAsync($"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.That((response.Status, response["Allow"]), Is.EqualTo((405, allow)));
    }

    [Test]
    public async Task Options_of_the_server_as_a_whole_lists_all_methods()
    {
        await using TestServer server = await StartAsync();
        RawResponse response = await server.AskAsync("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
        Assert.That((response.Status, response["Allow"]), Is.EqualTo((204, "GET, HEAD, POST, DELETE, PUT")));
    }

    [TestCase("a")]
    [TestCase("/{}")]
    [TestCase("/{a}/{a}")]
    [TestCase("/a{b}")]
    [TestCase("/a?b")]
    public void A_malformed_template_is_refused(string template) =>
        Assert.That(() => new Router().Map("GET", template, TestServer.EchoAsync), Throws.ArgumentException);

    [Test]
    public async Task A_route_is_mapped_once_and_not_while_it_serves()
    {
        Router router = new Router().Map("GET", "/{a}", TestServer.EchoAsync);
        Assert.That(() => router.Map("GET", "/{b}", TestServer.EchoAsync), Throws.ArgumentException);
        await using var server = new HttpServer(router);
        Assert.That(() => router.Map("GET", "/c", TestServer.EchoAsync), Throws.InvalidOperationException);
    }
}
