using System.Net;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Serve;

/// <summary>A program that fails its attempt: that attempt alone fails, the token is kept, and no process is left.</summary>
[Platform("Linux")]
internal sealed class ImageFailureTests
{
    private const string Finish = """say '{"type":"outcome","status":"finished","output":"well"}'""";

    [TestCase("exit 0", "exited with 0 before it gave an outcome")]
    [TestCase("exit 7", "exited with 7 before it gave an outcome")]
    [TestCase("kill -9 $$", "exited with 137 before it gave an outcome")]
    [TestCase("say garbage; sleep 1000", "a line that is not JSON")]
    [TestCase("say; sleep 1000", "a line that is not JSON")]
    [TestCase("say '{\"type\":\"delta\",\"text\":\"x\"} {}'; sleep 1000", "a line that is not JSON")]
    [TestCase("""printf '{"type":"delta","text":"\303\050"}\n'; sleep 1000""", "a line that is not JSON")]
    [TestCase("""say '{"type":"outcome","status":"finished","output":"\ud800"}'; sleep 1000""", "a line that is not JSON")]
    [TestCase("""printf '{"type":"outc'""", "a line that is not JSON")]
    [TestCase("say '[]'; sleep 1000", "a line that is not a JSON object")]
    [TestCase("""say '{"text":"x"}'; sleep 1000""", "'type' is not a string")]
    [TestCase("""say '{"type":"dleta","text":"x"}'; sleep 1000""", "unknown type 'dleta'")]
    [TestCase("""say '{"type":"delta","text":5}'; sleep 1000""", "'text' is not a string")]
    [TestCase("""say '{"type":"outcome","status":"done"}'; sleep 1000""", "unknown status 'done'")]
    [TestCase("""say '{"type":"outcome","status":"parked"}'; sleep 1000""", "without 'wait'")]
    [TestCase("""say '{"type":"outcome","status":"parked","wait":{"kind":"rain"}}'; sleep 1000""", "unknown kind 'rain'")]
    [TestCase("""say '{"type":"outcome","status":"parked","wait":{"kind":"timer","at":1e300}}'; sleep 1000""", "milliseconds")]
    [TestCase("""say '{"type":"outcome","status":"parked","wait":{"kind":"timer","at":9000000000000000}}'; sleep 1000""", "a wait that cannot be")]
    [TestCase("""say '{"type":"outcome","status":"parked","wait":{"kind":"signal","name":""}}'; sleep 1000""", "a wait that cannot be")]
    [TestCase("""say '{"type":"performed","step":"a","value":1}'; sleep 1000""", "a step that it was not to perform")]
    [TestCase("""say '{"type":"step","name":"a"}'; say '{"type":"performed","step":"b","value":1}'; sleep 1000""", "was to perform step 'a'")]
    [TestCase("""say '{"type":"step","name":"a"}'; say '{"type":"step","name":"b"}'; sleep 1000""", "was to perform step 'a'")]
    [TestCase("""say '{"type":"step","name":"a"}'; say '{"type":"performed","step":"a"}'; sleep 1000""", "without 'value'")]
    [TestCase("""say '{"type":"error","message":"out of seats"}'; exit""", "out of seats")]
    [TestCase("head -c 17000000 /dev/zero | tr '\\0' ' '; sleep 1000", "a line of more than 16777216 bytes")]
    public async Task Fails_the_attempt_alone(string misdeed, string logged)
    {
        using TestImage image = TestImage.Shell($$"""
            read -r turn
            if [ "$IRIS_TURN" = 1 ] || [ -e failed ]; then {{Finish}}; exit; fi
            touch failed; brood
            {{misdeed}}
            """);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply first = await server.TurnAsync(new { });
        TurnReply failed = await server.TurnAsync(new { }, first);
        Assert.That(failed.Status, Is.EqualTo(HttpStatusCode.InternalServerError), failed.Text);
        Assert.That(failed.Text, Does.Contain("internal error: turn failed").And.Not.Contain(logged));
        await Patience.Until(() => server.Log.Contains(logged, StringComparison.Ordinal), logged);
        Assert.That(image.Pids, Has.Length.EqualTo(5));
        await Patience.Until(() => !image.Pids.Any(TestImage.IsAlive), "the end of every process");
        TurnReply again = await server.TurnAsync(new { }, first);
        Assert.That(again.Output.GetString(), Is.EqualTo("well"));
    }

    [TestCase(0, "sleep 1000")]
    [TestCase(1, "sleep 1000")]
    [TestCase(0, "trap '' TERM; while :; do sleep 0.1; done")]
    [TestCase(0, "while :; do say '{\"type\":\"delta\",\"text\":\"x\"}'; sleep 0.01; done")]
    public async Task A_turn_past_its_time_is_killed_with_its_children(int workers, string misdeed)
    {
        using TestImage image = TestImage.Shell($$"""
            while read -r turn; do
              case $turn in *hang*) brood; {{misdeed}} ;; esac
              {{Finish}}
            done
            """, $$""","workers":{{workers}},"turnTimeoutSeconds":2""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        TurnReply first = await server.TurnAsync(new { });
        TurnReply failed = await server.TurnAsync(new { message = "hang" }, first);
        Assert.That(failed.Status, Is.EqualTo(HttpStatusCode.InternalServerError), failed.Text);
        Assert.That(image.Pids.Where(TestImage.IsAlive), Is.Empty);
        await Patience.Until(() => server.Log.Contains("ran past its time of 2 s", StringComparison.Ordinal), "the line of the log");
        Assert.That((await server.TurnAsync(new { }, first)).Output.GetString(), Is.EqualTo("well"));
    }

    [Test]
    public async Task Closing_its_output_fails_the_attempt()
    {
        using TestImage image = TestImage.Shell("read -r turn; echo $$ >> pids; exec >&-; exec sleep 1000");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        Assert.That((await server.TurnAsync(new { })).Status, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(image.Pids.Select(TestImage.IsAlive), Is.EqualTo(new[] { false }));
        await Patience.Until(
            () => server.Log.Contains("closed its output before it gave an outcome", StringComparison.Ordinal), "the line of the log");
    }

    [Test]
    public async Task A_worker_that_speaks_between_turns_is_replaced()
    {
        using TestImage image = TestImage.Shell("""
            while read -r turn; do
              say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":$$}"
              say '{"type":"outcome","status":"finished","output":"of no turn"}'
              touch spoke
            done
            """, ""","workers":1""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        int worker = (await server.TurnAsync(new { })).Output.GetInt32();
        await Patience.Until(() => File.Exists(Path.Combine(image.Folder, "spoke")), "what it says");
        Assert.That((await server.TurnAsync(new { })).Output.GetInt32(), Is.Not.EqualTo(worker));
    }

    [Test]
    public async Task What_a_finished_program_leaves_running_ends_with_it()
    {
        using TestImage image = TestImage.Shell($"read -r turn; brood; {Finish}");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        Assert.That((await server.TurnAsync(new { })).Output.GetString(), Is.EqualTo("well"));
        await Patience.Until(() => !image.Pids.Any(TestImage.IsAlive), "the end of every process");
    }
}
