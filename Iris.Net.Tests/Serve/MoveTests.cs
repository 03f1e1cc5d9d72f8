using System.Net;
using System.Text.Json;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Serve;

/// <summary>A session that <c>iris export</c> takes out beside a running server, and <c>iris import</c> into another directory.</summary>
[Platform("Linux")]
internal sealed class MoveTests
{
    [Test]
    public async Task It_goes_on_with_the_printed_token_alone()
    {
        using TempDirectory from = new(), to = new(), files = new();
        TurnReply first;
        await using (IrisServer server = await IrisServer.StartAsync("--data", from.Path))
        {
            first = await server.TurnAsync(new { message = "one" });
            (int code, string output, string errors) = await IrisServer.RunAsync("export", from.Path, first.SessionId);
            Assert.That((code, errors), Is.EqualTo((0, "")));
            await File.WriteAllTextAsync(files["session"], output);
            await File.WriteAllTextAsync(files["cut"], output[..output.TrimEnd().LastIndexOf('\n')] + "\n");
            Assert.That((await server.TurnAsync(new { message = "two" }, first)).Status, Is.EqualTo(HttpStatusCode.OK), "it serves on");
        }

        (int refused, _, string why) = await IrisServer.RunAsync("import", to.Path, files["cut"]);
        Assert.That((refused, why), Is.EqualTo((1, "iris: Line 8: it is cut short.\n")));
        (int done, string handle, _) = await IrisServer.RunAsync("import", to.Path, files["session"]);
        Assert.That(done, Is.Zero);
        (refused, _, why) = await IrisServer.RunAsync("import", to.Path, files["session"]);
        Assert.That((refused, why), Is.EqualTo((1, $"iris: The store has a session '{first.SessionId}' already.\n")));

        await using IrisServer other = await IrisServer.StartAsync("--data", to.Path);
        Assert.That((await other.TurnAsync(new { message = "two" }, first)).Status, Is.EqualTo(HttpStatusCode.Conflict), "its token there");
        TurnReply moved = new(HttpStatusCode.OK, JsonElement.Parse(handle), handle);
        Assert.That((await other.TurnAsync(new { message = "two" }, moved)).Status, Is.EqualTo(HttpStatusCode.OK));
    }
}
