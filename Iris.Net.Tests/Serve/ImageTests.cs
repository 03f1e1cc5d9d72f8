using System.Net;
using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Serve;

/// <summary>Images through the server's socket: what a program is told, and what its lines lead to.</summary>
[Platform("Linux")]
internal sealed class ImageTests
{
    [Test]
    public async Task Is_named_in_the_listening_line()
    {
        using TestImage image = TestImage.Shell("");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        Assert.That(server.ListeningLine, Does.EndWith("(image=desk, store=memory, web=off)"));
    }

    [TestCase(0)]
    [TestCase(1)]
    public async Task Is_told_the_turn_and_its_state(int workers)
    {
        using TestImage image = TestImage.Shell("""
            while read -r turn; do
              say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":$turn,\"state\":{\"n\":[1, \"ü\"]}}"
            done
            """, $$""","workers":{{workers}}""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply first = await server.TurnAsync(new { message = "hi \n ü" });
        Assert.That(first.Output.GetRawText(), Is.EqualTo(
            $$"""{"type":"turn","sessionId":"{{first.SessionId}}","turn":1,"attempt":1,"body":{{first.Output.GetProperty("body").GetRawText()}},"state":null,"signal":null,"steps":[]}"""));
        Assert.That(first.Output.GetProperty("body").GetProperty("message").GetString(), Is.EqualTo("hi \n ü"));
        TurnReply second = await server.TurnAsync(new { message = "again" }, first);
        Assert.That(second.Output.GetProperty("turn").GetInt64(), Is.EqualTo(2));
        Assert.That(second.Output.GetProperty("state").GetRawText(), Is.EqualTo("""{"n":[1, "ü"]}"""));
        Assert.That(second.Output.GetProperty("body").TryGetProperty("continuationToken", out _), Is.False);
    }

    [Test]
    public async Task Runs_in_its_folder_with_the_session_in_its_environment()
    {
        using TestImage image = TestImage.Shell("""
            say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":[\"$PWD\",\"$IRIS_SESSION_ID\",\"$IRIS_TURN\",\"$HOME\"]}"
            """);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply reply = await server.TurnAsync(new { });
        Assert.That(reply.Output.EnumerateArray().Select(value => value.GetString()), Is.EqualTo(
            new[] { image.Folder, reply.SessionId, "1", Environment.GetEnvironmentVariable("HOME") ?? "" }));
    }

    [TestCase("""{"kind":"user"}""")]
    [TestCase("""{"kind":"signal","name":"approved"}""")]
    [TestCase("""{"kind":"timer","at":4102444800000}""")]
    public async Task Parks(string wait)
    {
        using TestImage image = TestImage.Shell($$"""
            say '{"type":"outcome","status":"parked","wait":{{wait}},"state":5}'
            """);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply reply = await server.TurnAsync(new { });
        Assert.That(reply.Json.GetProperty("status").GetString(), Is.EqualTo("parked"));
        Assert.That(reply.Json.GetProperty("wait").GetRawText(), Is.EqualTo(wait));
    }

    [Test]
    public async Task Streams_its_deltas_as_they_are_written()
    {
        using TestImage image = TestImage.Shell("""
            read -r turn
            say '{"type":"delta","text":"one "}'
            until [ -e go ]; do sleep 0.01; done
            say '{"type":"delta","text":"two"}'
            say '{"type":"outcome","status":"finished"}'
            """);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/session?stream=1") { Content = new StringContent("{}") };
        using HttpResponseMessage reply = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await reply.Content.ReadAsStreamAsync());
        while (await lines.ReadLineAsync() is { } line && !line.Contains("\"one \"", StringComparison.Ordinal)) { }
        image.Put("go");   // the program goes on only now that its first delta is here
        string rest = await lines.ReadToEndAsync();
        Assert.That(rest, Does.Contain("\"text\":\"two\"").And.Contain("\"status\":\"finished\""));
    }

    [Test]
    public async Task A_step_runs_once_over_the_attempts_of_a_request()
    {
        using TestImage image = TestImage.Shell("""
            read -r turn
            if [ "$IRIS_TURN" = 1 ]; then say '{"type":"outcome","status":"finished"}'; exit; fi
            say '{"type":"step","name":"fare","request":{"to":"Rome"}}'
            read -r answer
            case $answer in
              '{"type":"perform","step":"fare","idempotencyKey":"'?*'"}')
                echo "$answer" >> performed
                say '{"type":"delta","text":"working"}'
                say '{"type":"performed","step":"fare","value":{"price":[7]}}'
                read -r answer ;;
            esac
            if ! [ -e again ]; then touch again; exit 3; fi
            say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":[$turn,$answer]}"
            """);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply first = await server.TurnAsync(new { });
        Assert.That((await server.TurnAsync(new { }, first)).Status, Is.EqualTo(HttpStatusCode.InternalServerError));
        JsonElement output = (await server.TurnAsync(new { }, first)).Output;
        Assert.That(output[0].GetProperty("attempt").GetInt32(), Is.EqualTo(2));
        Assert.That(output[0].GetProperty("steps").GetRawText(), Is.EqualTo("""[{"name":"fare","value":{"price":[7]}}]"""));
        Assert.That(output[1].GetRawText(), Is.EqualTo("""{"type":"result","step":"fare","value":{"price":[7]}}"""));
        Assert.That(image.Read("performed").Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Its_standard_error_goes_to_the_servers_log()
    {
        using TestImage image = TestImage.Shell("""
            echo 'looking up fares' >&2
            printf 'no end of line' >&2
            say '{"type":"outcome","status":"finished"}'
            """);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        await server.TurnAsync(new { });
        await Patience.Until(() => server.Log.Contains("no end of line", StringComparison.Ordinal), "the log");
        Assert.That(server.Log, Does.Match(@"(?m)^image desk: \[\d+\] looking up fares$"));
    }

    [Test]
    public async Task A_flood_without_lines_on_standard_error_comes_in_pieces()
    {
        using TestImage image = TestImage.Shell("""
            head -c 100000 /dev/zero | tr '\0' x >&2
            say '{"type":"outcome","status":"finished"}'
            """);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        await server.TurnAsync(new { });
        await Patience.Until(() => server.Log.Count(c => c == 'x') == 100_000, "the log");
        Assert.That(server.Log.Split('\n').Max(line => line.Count(c => c == 'x')), Is.EqualTo(8 * 1024));
    }

    [Test]
    public async Task A_program_need_not_listen_nor_end_its_last_line()
    {
        using TestImage image = TestImage.Shell("""exec <&-; printf '{"type":"outcome","status":"finished","output":1}'""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply reply = await server.TurnAsync(new { message = new string('x', 500_000) });
        Assert.That(reply.Output.GetInt32(), Is.EqualTo(1));
    }

    [Test]
    public async Task Workers_are_kept_and_a_dead_one_is_replaced_for_the_next_turn()
    {
        using TestImage image = TestImage.Shell("""
            while read -r turn; do say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":$$}"; done
            """, ""","workers":1""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        int worker = (await server.TurnAsync(new { })).Output.GetInt32();
        Assert.That((await server.TurnAsync(new { })).Output.GetInt32(), Is.EqualTo(worker));
        IrisServer.SignalTo(worker, 9);
        await Patience.Until(() => !Directory.Exists($"/proc/{worker}"), "the server to learn of the worker's end");
        Assert.That((await server.TurnAsync(new { })).Output.GetInt32(), Is.Not.EqualTo(worker));
    }

    [Test]
    public async Task A_worker_that_says_error_is_kept()
    {
        using TestImage image = TestImage.Shell("""
            while read -r turn; do
              case $turn in
                *fail*) say '{"type":"error","message":"no such fare"}' ;;
                *) say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":$$}" ;;
              esac
            done
            """, ""","workers":1""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        int worker = (await server.TurnAsync(new { })).Output.GetInt32();
        TurnReply failed = await server.TurnAsync(new { message = "fail" });
        Assert.That(failed.Status, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(failed.Text, Does.Not.Contain("no such fare"));
        await Patience.Until(() => server.Log.Contains("no such fare", StringComparison.Ordinal), "the line of the log");
        Assert.That((await server.TurnAsync(new { })).Output.GetInt32(), Is.EqualTo(worker));
    }

    [Test]
    public async Task Workers_serve_turns_side_by_side()
    {
        using TestImage image = TestImage.Shell("""
            while read -r turn; do
              echo $$ >> met
              until [ "$(wc -l < met)" -ge 2 ]; do sleep 0.01; done
              say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":$$}"
            done
            """, ""","workers":2""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply[] replies = await Task.WhenAll(server.TurnAsync(new { }), server.TurnAsync(new { }));
        Assert.That(replies[0].Output.GetInt32(), Is.Not.EqualTo(replies[1].Output.GetInt32()));
    }

    [Test]
    public async Task A_turn_that_finds_no_worker_free_is_told_of_overload_after_a_wait()
    {
        using TestImage image = TestImage.Shell("""
            while read -r turn; do
              touch busy
              until [ -e go ]; do sleep 0.01; done
              say '{"type":"outcome","status":"finished"}'
            done
            """, ""","workers":1""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        Task<TurnReply> first = server.TurnAsync(new { });
        await Patience.Until(() => File.Exists(Path.Combine(image.Folder, "busy")), "the first turn");
        TurnReply refused = await server.TurnAsync(new { });
        Assert.That(refused.Status, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        Assert.That(refused.Text, Is.EqualTo("""{"error":"overloaded","code":"overloaded"}"""));
        Assert.That(first.IsCompleted, Is.False);
        image.Put("go");
        Assert.That((await first).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_Python_program_holds_a_conversation_of_large_lines()
    {
        using TestImage image = TestImage.Python("""
            import json, sys
            def say(**line): print(json.dumps(line, ensure_ascii=False), flush=True)
            for line in sys.stdin:
                turn = json.loads(line)
                said = (turn["state"] or []) + [len(turn["body"]["message"])]
                say(type="delta", text="é" * 300_000)
                say(type="step", name="sum", request=None)
                if json.loads(sys.stdin.readline())["type"] == "perform":
                    say(type="performed", step="sum", value=sum(said))
                    result = json.loads(sys.stdin.readline())
                say(type="outcome", status="finished", output=result["value"], state=said)
            """, ""","workers":1""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply reply = await server.TurnAsync(new { message = new string('ü', 100_000) });
        Assert.That(reply.Output.GetInt32(), Is.EqualTo(100_000));
        reply = await server.TurnAsync(new { message = "x" }, reply);
        Assert.That(reply.Output.GetInt32(), Is.EqualTo(100_001));
    }

    [TestCase("""{"name":"desk","command":["no-such-program-here"]}""", "there is no program 'no-such-program-here' to run")]
    [TestCase("""{"name":"desk","command":["./agent.sh"]}""", "there is no program './agent.sh' to run")]
    [TestCase("""{"name":"desk","comand":["sh"]}""", "unknown field 'comand'")]
    public async Task An_image_that_cannot_be_served_is_one_line_and_exit_1(string manifest, string why)
    {
        using TestImage image = TestImage.Manifest(manifest);
        (int code, string output, string errors) = await IrisServer.RunAsync("serve", image.Folder, "--port", "0");
        Assert.That((code, output), Is.EqualTo((1, "")));
        Assert.That(errors, Does.StartWith("iris: ").And.EndWith(why + "\n"));
        Assert.That(errors.Split('\n'), Has.Length.EqualTo(2));
    }

    [Test]
    public async Task No_image_in_the_folder_is_one_line_and_exit_1()
    {
        (int code, _, string errors) = await IrisServer.RunAsync("serve", "/nowhere/at/all");
        Assert.That((code, errors.Split('\n').Length), Is.EqualTo((1, 2)));
        Assert.That(errors, Does.StartWith("iris: cannot read the image: "));
    }
}
