using System.Net;
using System.Text;
using System.Text.Json;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Serve;

/// <summary>What a server that was killed goes on with by itself, and what it does not.</summary>
[Platform("Linux")]
internal sealed class ResumeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    // Does one step, then kills the server that runs it, unless it is told to end well.
    private const string Killer = """
        import json, os, sys
        def say(value): print(json.dumps(value), flush=True)
        def hear(): return json.loads(sys.stdin.readline())
        turn = hear()
        with open("attempts", "a") as file: file.write("attempt\n")
        say({"type": "step", "name": "once", "request": None})
        answer = hear()
        if answer["type"] == "perform":
            with open("effects", "a") as file: file.write(answer["idempotencyKey"] + "\n")
            say({"type": "performed", "step": "once", "value": "done"})
            answer = hear()
        if os.path.exists("well"):
            say({"type": "outcome", "status": "finished", "output": answer["value"]})
        else:
            pid = os.getpid()
            while b"iris.dll" not in open(f"/proc/{pid}/cmdline", "rb").read():
                pid = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
            os.kill(pid, 9)
        """;

    [Test]
    public async Task What_was_accepted_runs_to_its_end_after_a_kill()
    {
        await using LedgerServer server = new();
        using HttpClient client = new();
        List<(string Id, string Token)> accepted = [];
        for (int round = 0; round < 3; round++)
        {
            await server.StartAsync();
            Uri url = await server.UrlAsync(default);
            (HttpStatusCode status, JsonElement reply) = await PostAsync(client, new Uri(url, "/v1/session"), null);
            Assert.That(status, Is.EqualTo(HttpStatusCode.Accepted).Or.EqualTo(HttpStatusCode.OK), "one that ended at once is answered so");
            accepted.Add((reply.GetProperty("sessionId").GetString()!, reply.GetProperty("continuationToken").GetString()!));
            await server.KillAsync();
        }

        await server.StartAsync();
        foreach ((string id, string token) in accepted)
        {
            JsonElement receipt = await ReceiptAsync(client, await server.UrlAsync(default), id, token);
            Assert.That(receipt.GetProperty("status").GetString(), Is.EqualTo("finished"));
            Assert.That(receipt.GetProperty("output").GetInt64(), Is.EqualTo(1));
        }

        await server.KillAsync();
        string[] effects = await File.ReadAllLinesAsync(server.Ledger);
        Assert.That(effects.Select(line => line.Split(' ')[0]).Distinct().Count(), Is.EqualTo(2 * accepted.Count), "a key for each step");
    }

    [Test]
    public async Task What_was_begun_three_times_without_an_end_waits_for_its_client()
    {
        using TestImage image = TestImage.Python(Killer);
        using TempDirectory data = new();
        string id, token;
        await using (IrisServer first = await IrisServer.StartAsync(image.Folder, "--data", data.Path))
        {
            (HttpStatusCode status, JsonElement reply) = await PostAsync(first.Client, new Uri(first.Client.BaseAddress!, "/v1/session"), null);
            Assert.That(status, Is.EqualTo(HttpStatusCode.Accepted));
            (id, token) = (reply.GetProperty("sessionId").GetString()!, reply.GetProperty("continuationToken").GetString()!);
            await first.WaitForExitAsync();
        }

        // Each goes on with it by itself, and ends by it.
        for (int again = 0; again < 2; again++)
            Assert.That((await IrisServer.RunAsync("serve", image.Folder, "--port", "0", "--data", data.Path)).ExitCode, Is.Not.Zero);
        Assert.That(image.Read("attempts").Count(c => c == '\n'), Is.EqualTo(3));

        await using IrisServer server = await IrisServer.StartAsync(image.Folder, "--data", data.Path);
        JsonElement receipt = await ReceiptAsync(server.Client, server.Client.BaseAddress!, id, token);
        Assert.That(receipt.GetProperty("reason").GetString(), Is.EqualTo("crashed"));
        image.Put("well");
        (HttpStatusCode ended, JsonElement last) = await PostAsync(
            server.Client, new Uri(server.Client.BaseAddress!, $"/v1/session/{id}/message"), token, isAsync: false);
        Assert.That(ended, Is.EqualTo(HttpStatusCode.OK), last.ToString());
        Assert.That(last.GetProperty("output").GetString(), Is.EqualTo("done"));
        Assert.That(image.Read("attempts").Count(c => c == '\n'), Is.EqualTo(4));
        Assert.That(image.Read("effects").Count(c => c == '\n'), Is.EqualTo(1), "its results were kept");
    }

    [Test]
    public async Task A_token_of_the_old_key_opens_beside_the_new_one()
    {
        using TempDirectory data = new(), keys = new();
        byte[] old = [.. Enumerable.Repeat((byte)1, 32)], young = [.. Enumerable.Repeat((byte)2, 32)];
        await File.WriteAllBytesAsync(keys["old"], old);
        TurnReply first;
        await using (IrisServer server = await IrisServer.StartAsync("--data", data.Path, "--key-file", keys["old"]))
            first = await server.TurnAsync(new { message = "one" });

        await using FileStateStore store = new(data.Path);
        await using RestChannel channel = new(
            HostAdapter.Create((turn, cancel) => new(TurnOutcome.ParkedOnUser())), new RestChannelOptions { Store = store, Keys = [young, old] });
        using HttpClient client = new();
        Uri message = new(await channel.ListenAsync(), $"/v1/session/{first.SessionId}/message");
        (HttpStatusCode status, JsonElement reply) = await PostAsync(client, message, first.Token, isAsync: false);
        Assert.That(status, Is.EqualTo(HttpStatusCode.OK), reply.ToString());
    }

    private static async Task<(HttpStatusCode, JsonElement)> PostAsync(HttpClient client, Uri url, string? token, bool isAsync = true)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, url) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        if (isAsync)
            request.Headers.Add("Prefer", "respond-async");
        if (token is not null)
            request.Headers.Add("X-Continuation-Token", token);
        using HttpResponseMessage response = await client.SendAsync(request);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    private static async Task<JsonElement> ReceiptAsync(HttpClient client, Uri url, string id, string token)
    {
        for (DateTime end = DateTime.UtcNow + Patience; ; await Task.Delay(20))
        {
            using HttpRequestMessage request = new(HttpMethod.Get, new Uri(url, $"/v1/session/{id}/turn"));
            request.Headers.Add("X-Continuation-Token", token);
            using HttpResponseMessage response = await client.SendAsync(request);
            string text = await response.Content.ReadAsStringAsync();
            if (response.StatusCode == HttpStatusCode.OK)
                return JsonElement.Parse(text);
            Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Accepted), text);
            Assert.That(DateTime.UtcNow, Is.LessThan(end), text);
        }
    }
}
