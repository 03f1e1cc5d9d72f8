using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Serve.Images;

namespace Iris.Net.Tests.Serve;

/// <summary>Cancelling a turn of an image: SIGTERM to the process group, SIGKILL after 5 s.</summary>
[Platform("Linux")]
internal sealed class ImageCancelTests
{
    [Test]
    public async Task A_worker_that_answers_SIGTERM_with_error_is_kept()
    {
        using TestImage image = TestImage.Shell("""
            trap 'say "{\"type\":\"error\",\"message\":\"stopped\"}"' TERM
            while read -r turn; do
              case $turn in
                *hang*) sleep 1000 & touch hanging; wait ;;
                *) say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":$$}" ;;
              esac
            done
            """, ""","workers":1""");
        await using ImageProgram program = ImageProgram.Open(image.Folder, _ => { });
        TurnOutcome before = await program.RunTurnAsync(TurnContext.InMemory());
        await CancelAsync(program, image);
        Assert.That(Text(await program.RunTurnAsync(TurnContext.InMemory())), Is.EqualTo(Text(before)));
    }

    [TestCase("", "sleep 1000")]
    [TestCase("trap 'exit 0' TERM", "sleep 1000 & wait")]
    [TestCase("trap '' TERM", "sleep 1000")]
    [TestCase("""trap 'say "no line"' TERM""", "sleep 1000 & wait; sleep 1000")]
    public async Task A_worker_that_does_not_is_killed_with_its_children(string trap, string wait)
    {
        using TestImage image = Worker(trap, wait);
        await using ImageProgram program = ImageProgram.Open(image.Folder, _ => { });
        TurnOutcome before = await program.RunTurnAsync(TurnContext.InMemory());
        await CancelAsync(program, image);
        Assert.That(image.Pids.Where(TestImage.IsAlive), Is.Empty);
        Assert.That(Text(await program.RunTurnAsync(TurnContext.InMemory())), Is.Not.EqualTo(Text(before)));
    }

    [Test]
    public async Task A_worker_that_finishes_its_turn_all_the_same_is_heard_and_replaced()
    {
        using TestImage image = Worker("trap 'kill $pause' TERM", "wait $pause", "sleep 1000 & pause=$!");   // a signal before the wait ends it too
        await using ImageProgram program = ImageProgram.Open(image.Folder, _ => { });
        TurnOutcome before = await program.RunTurnAsync(TurnContext.InMemory());
        using var cancel = new CancellationTokenSource();
        Task<TurnOutcome> turn = HangAsync(program, image, cancel.Token);
        await UntilHangingAsync(image);
        await cancel.CancelAsync();
        Assert.That(Text(await turn), Is.EqualTo(Text(before)));
        Assert.That(image.Pids.Where(TestImage.IsAlive), Is.Empty);
        Assert.That(Text(await program.RunTurnAsync(TurnContext.InMemory())), Is.Not.EqualTo(Text(before)));
    }

    private static TestImage Worker(string trap, string wait, string before = ":") => TestImage.Shell($$"""
        {{trap}}
        while read -r turn; do
          case $turn in *hang*) brood; {{before}}; touch hanging; {{wait}} ;; esac
          say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":$$}"
        done
        """, ""","workers":1""");

    private static async Task CancelAsync(ImageProgram program, TestImage image)
    {
        using var cancel = new CancellationTokenSource();
        Task<TurnOutcome> turn = HangAsync(program, image, cancel.Token);
        await UntilHangingAsync(image);
        await cancel.CancelAsync();
        Assert.That(async () => await turn, Throws.InstanceOf<OperationCanceledException>());
    }

    private static Task<TurnOutcome> HangAsync(ImageProgram program, TestImage image, CancellationToken cancel)
    {
        Assert.That(File.Exists(Path.Combine(image.Folder, "hanging")), Is.False);
        return program.RunTurnAsync(TurnContext.InMemory(JsonSerializer.SerializeToElement("hang")), cancel).AsTask();
    }

    private static Task UntilHangingAsync(TestImage image) =>
        Patience.Until(() => File.Exists(Path.Combine(image.Folder, "hanging")), "the program's hanging");

    private static string Text(TurnOutcome outcome) => ((FinishedOutcome)outcome).Output.ToString();
}
