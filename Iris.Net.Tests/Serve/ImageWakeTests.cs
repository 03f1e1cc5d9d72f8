using System.Net;
using System.Text;
using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores.Files;

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

    // Woken, it does a step, and is killed with its server in the next one, as often as there are files that say so.
    private const string Killed = """
        import json, os, sys, time
        def say(line): print(json.dumps(line), flush=True)
        def hear(): return json.loads(sys.stdin.readline())
        def step(name):
            say({"type": "step", "name": name, "request": None})
            answer = hear()
            if answer["type"] != "perform": return
            with open("effects", "a") as effects: effects.write(name + "\n")
            if name == "b" and os.path.exists("kill"):
                while not os.path.exists("answered"): time.sleep(0.01)
                os.remove("kill")
                pid = os.getpid()
                while b"iris.dll" not in open(f"/proc/{pid}/cmdline", "rb").read():
                    pid = int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])
                os.kill(pid, 9)
            say({"type": "performed", "step": name, "value": 1})
            hear()
        turn = hear()
        if turn["body"] is None:
            step("a")
            step("b")
            step("c")
            say({"type": "outcome", "status": "finished", "output": turn["turn"]})
        elif turn["body"]["on"] == "timer":
            say({"type": "outcome", "status": "parked", "wait": {"kind": "timer", "at": int(time.time() * 1000) + 100}})
        else:
            say({"type": "outcome", "status": "parked", "wait": {"kind": "signal", "name": "go"}})
        """;

    [TestCase("timer")]
    [TestCase("signal")]
    public async Task A_wake_that_was_killed_with_its_server_goes_on_by_itself(string on)
    {
        using TestImage image = TestImage.Python(Killed);
        image.Put("kill");
        using TempDirectory data = new();
        TurnReply parked;
        await using (IrisServer server = await IrisServer.StartAsync(image.Folder, "--data", data.Path))
        {
            parked = await server.TurnAsync(new { on });
            if (on == "signal")
            {
                JsonElement wake = parked.Json.GetProperty("wake");
                using HttpRequestMessage signal = new(HttpMethod.Post, wake.GetProperty("url").GetString()!.TrimStart('/'));
                signal.Headers.Add("Iris-Wake-Key", wake.GetProperty("key").GetString());
                using HttpResponseMessage accepted = await server.Client.SendAsync(signal);
                Assert.That(accepted.StatusCode, Is.EqualTo(HttpStatusCode.Accepted));
            }

            image.Put("answered");
            await server.WaitForExitAsync();
        }

        Assert.That(image.Read("effects"), Is.EqualTo("a\nb\n"));
        await using IrisServer next = await IrisServer.StartAsync(image.Folder, "--data", data.Path);
        await Patience.Until(() => image.Read("effects").EndsWith("c\n", StringComparison.Ordinal), "the wake's end");
        Assert.That(image.Read("effects"), Is.EqualTo("a\nb\nb\nc\n"), "what had a result is not done again");
        using HttpRequestMessage ask = new(HttpMethod.Get, $"v1/session/{parked.SessionId}/turn");
        ask.Headers.Add("X-Continuation-Token", parked.Token);
        ask.Headers.Add("Prefer", "wait=30");
        using HttpResponseMessage reply = await next.Client.SendAsync(ask);
        Assert.That(await reply.Content.ReadAsStringAsync(), Does.Contain("\"status\":\"finished\",\"output\":2"));
    }

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
        await Patience.Until(() => image.Read("woken").EndsWith('\n'), "the wake");
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
            Assert.That((await server.TurnAsync(new { timer = 4000 })).Status, Is.EqualTo(HttpStatusCode.OK));
            server.Signal(9);
            await server.WaitForExitAsync();
        }

        Assert.That(image.Read("woken"), Is.Empty, "not before its time");
        await Task.Delay(4000);   // the very time that it waits for
        for (int i = 0; i < 2; i++)
        {
            await using IrisServer server = await IrisServer.StartAsync(image.Folder, "--data", data);
            await Patience.Until(() => image.Read("woken").EndsWith('\n'), "the wake");
            await Task.Delay(1500);   // more than a tick: a second one would come
            server.Signal(15);
            await server.WaitForExitAsync();
        }

        Assert.That(image.Read("woken"), Is.EqualTo("[{\"kind\": \"timer\"}, null, 2]\n"));
        Directory.Delete(data, recursive: true);
    }
}
