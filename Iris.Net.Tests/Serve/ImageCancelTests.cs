using System.Text.Json;
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

    [TestCase("sleep 1000")]                                                             // SIGTERM ends it
    [TestCase("trap 'exit 0' TERM; sleep 1000 & wait")]                                  // ends without a word
    [TestCase("""trap 'say "{\"type\":\"outcome\",\"status\":\"finished\"}"' TERM; sleep 1000 & wait; sleep 1000""")]   // too late
    [TestCase("trap '' TERM; sleep 1000")]                                               // will not hear: SIGKILL
    public async Task A_worker_that_does_not_is_replaced(string misdeed)
    {
        using TestImage image = TestImage.Shell($$"""
            while read -r turn; do
              case $turn in *hang*) brood; touch hanging; {{misdeed}} ;; esac
              say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":$$}"
            done
            """, ""","workers":1""");
        await using ImageProgram program = ImageProgram.Open(image.Folder, _ => { });
        TurnOutcome before = await program.RunTurnAsync(TurnContext.InMemory());
        await CancelAsync(program, image);
        Assert.That(image.Pids.Where(TestImage.IsAlive), Is.Empty);
        Assert.That(Text(await program.RunTurnAsync(TurnContext.InMemory())), Is.Not.EqualTo(Text(before)));
    }

    private static async Task CancelAsync(ImageProgram program, TestImage image)
    {
        using var cancel = new CancellationTokenSource();
        var body = JsonSerializer.SerializeToElement("hang");
        Task<TurnOutcome> turn = program.RunTurnAsync(TurnContext.InMemory(body), cancel.Token).AsTask();
        await TestImage.UntilAsync(() => File.Exists(Path.Combine(image.Folder, "hanging")), "the program's hanging");
        await cancel.CancelAsync();
        Assert.That(async () => await turn, Throws.InstanceOf<OperationCanceledException>());
    }

    private static string Text(TurnOutcome outcome) => ((FinishedOutcome)outcome).Output.ToString();
}
