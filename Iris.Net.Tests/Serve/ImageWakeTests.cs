using System.Net;
using System.Text;
using System.Text.Json;

namespace Iris.Net.Tests.Serve;

/// <summary>Images that wait: for a signal, and for a timer whose time comes while no server runs.</summary>
[Platform("Linux")]
internal sealed class ImageWakeTests
{
    private const string Script = """
        import json, sys, time
        def say(line):
            print(json.dumps(line), flush=True)
        turn = json.loads(sys.stdin.readline())
        if turn["body"] is not None and turn["body"].get("timer"):
            at = int(time.time() * 1000) + turn["body"]["timer"]
            say({"type": "outcome", "status": "parked", "wait": {"kind": "timer", "at": at}})
        elif turn["body"] is not None:
            say({"type": "wakeFor", "name": "go"})
            key = json.loads(sys.stdin.readline())
            say({"type": "outcome", "status": "parked", "wait": {"kind": "signal", "name": "go"}, "state": key})
        else:
            with open("woken", "a") as effects:
                effects.write(json.dumps([turn["wake"], turn["signal"], turn["turn"]]) + "\n")
            say({"type": "outcome", "status": "finished", "output": turn["state"]})
        """;

    [Test]
    public async Task Is_told_the_key_and_woken_by_the_signal()
    {
        using TestImage image = TestImage.Python(Script);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply parked = await server.TurnAsync(new { });
        JsonElement wake = parked.Json.GetProperty("wake");
        using HttpRequestMessage signal = new(HttpMethod.Post, wake.GetProperty("url").GetString()!.TrimStart('/'))
        {
            Headers = { { "Iris-Wake-Key", wake.GetProperty("key").GetString() } },
            Content = new StringContent("{\"n\":1.50}", Encoding.UTF8, "application/json"),
        };
        using HttpResponseMessage accepted = await server.Client.SendAsync(signal);
        Assert.That(accepted.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
        await TestImage.UntilAsync(() => image.Read("woken").EndsWith('\n'), "the wake");
        Assert.That(JsonElement.Parse(image.Read("woken")).GetRawText(), Is.EqualTo(
            """[{"kind": "signal"}, {"name": "go", "payload": {"n": 1.5}}, 2]"""));
    }

    [Test]
    public async Task Is_woken_once_by_a_timer_whose_time_came_while_the_server_was_killed()
    {
        using TestImage image = TestImage.Python(Script);
        string data = Directory.CreateTempSubdirectory("iris-timer-").FullName;
        await using (IrisServer server = await IrisServer.StartAsync(image.Folder, "--data", data))
        {
            Assert.That((await server.TurnAsync(new { timer = 1500 })).Status, Is.EqualTo(HttpStatusCode.OK));
            server.Signal(9);
            await server.WaitForExitAsync();
        }

        Assert.That(image.Read("woken"), Is.Empty, "not before its time");
        await Task.Delay(1500);   // the very time that it waits for
        for (int i = 0; i < 2; i++)
        {
            await using IrisServer server = await IrisServer.StartAsync(image.Folder, "--data", data);
            await TestImage.UntilAsync(() => image.Read("woken").EndsWith('\n'), "the wake");
            await Task.Delay(1500);   // more than a tick: a second one would come
            server.Signal(15);
            await server.WaitForExitAsync();
        }

        Assert.That(image.Read("woken"), Is.EqualTo("[{\"kind\": \"timer\"}, null, 2]\n"));
        Directory.Delete(data, recursive: true);
    }
}
