using System.Diagnostics;
using System.Text;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Serve;

/// <summary>No process of an image outlives the server, however that ends.</summary>
[Platform("Linux")]
internal sealed class ImageLifetimeTests
{
    private const int SigKill = 9;
    private const int SigTerm = 15;

    private const string Hang = """
        while read -r turn; do
          case $turn in
            *hang*) brood; touch hanging; until [ -e go ]; do sleep 0.01; done ;;
          esac
          say '{"type":"outcome","status":"finished","output":"well"}'
        done
        """;

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public async Task A_killed_server_takes_its_images_along(int workers)
    {
        using TestImage image = TestImage.Shell(Hang, $$""","workers":{{workers}}""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        Task turn = HangAsync(server, image);
        await UntilHangingAsync(image);
        int[] all = [.. image.Pids, .. ChildrenOf(server.ProcessId)];
        server.Signal(SigKill);
        await Patience.Until(() => !all.Any(TestImage.IsAlive), "the end of every process");
        Assert.That(async () => await turn, Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task A_keeper_that_somebody_ended_is_replaced()
    {
        using TestImage image = TestImage.Shell(Hang);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        await server.TurnAsync(new { });
        int keeper = ChildrenOf(server.ProcessId).Single(child => CommandOf(child).Contains("sessions=", StringComparison.Ordinal));
        IrisServer.SignalTo(keeper, SigKill);
        await Patience.Until(() => !TestImage.IsAlive(keeper), "the keeper's end");
        await server.TurnAsync(new { });
        Task turn = HangAsync(server, image);
        await UntilHangingAsync(image);
        server.Signal(SigKill);
        await Patience.Until(() => !image.Pids.Any(TestImage.IsAlive), "the end of every process");
        Assert.That(async () => await turn, Throws.InstanceOf<HttpRequestException>());
    }

    [TestCase(0)]
    [TestCase(1)]
    public async Task A_drain_lets_the_running_turn_end_and_leaves_nothing(int workers)
    {
        using TestImage image = TestImage.Shell(Hang, $$""","workers":{{workers}}""");
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        Task<TurnReply> turn = HangAsync(server, image);
        await UntilHangingAsync(image);
        int[] all = [.. image.Pids, .. ChildrenOf(server.ProcessId)];
        server.Signal(SigTerm);
        await Patience.Until(() => IsRefusing(server), "the drain");
        image.Put("go");
        Assert.That((await turn).Output.GetString(), Is.EqualTo("well"));
        Assert.That(await server.WaitForExitAsync(), Is.Zero);
        await Patience.Until(() => !all.Any(TestImage.IsAlive), "the end of every process");
    }

    [Test]
    public async Task A_second_signal_exits_at_once_and_leaves_nothing()
    {
        using TestImage image = TestImage.Shell(Hang);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        Task turn = HangAsync(server, image);
        await UntilHangingAsync(image);
        server.Signal(SigTerm);
        await Patience.Until(() => IsRefusing(server), "the drain");
        server.Signal(SigTerm);
        Assert.That(await server.WaitForExitAsync(), Is.EqualTo(128 + SigTerm));
        await Patience.Until(() => !image.Pids.Any(TestImage.IsAlive), "the end of every process");
        Assert.That(async () => await turn, Throws.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task An_image_process_leads_its_own_session()
    {
        using TestImage image = TestImage.Shell("""
            read -r turn
            read -r stat < /proc/$$/stat
            set -- ${stat##*) }
            say "{\"type\":\"outcome\",\"status\":\"finished\",\"output\":[$$,$3,$4]}"
            """);
        await using IrisServer server = await IrisServer.StartAsync(image.Folder);
        int[] ids = [.. (await server.TurnAsync(new { })).Output.EnumerateArray().Select(id => id.GetInt32())];
        Assert.That(ids, Is.EqualTo(new[] { ids[0], ids[0], ids[0] }), "process, group, session");
    }

    private static async Task<TurnReply> HangAsync(IrisServer server, TestImage image)
    {
        Assert.That(File.Exists(Path.Combine(image.Folder, "hanging")), Is.False);
        return await server.TurnAsync(new { message = "hang" });
    }

    private static Task UntilHangingAsync(TestImage image) =>
        Patience.Until(() => File.Exists(Path.Combine(image.Folder, "hanging")), "the program's hanging");

    private static bool IsRefusing(IrisServer server)
    {
        try
        {
            using var client = new System.Net.Sockets.TcpClient();
            client.Connect("127.0.0.1", server.Client.BaseAddress!.Port);
            client.GetStream().Write("POST /v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"u8);
            return new StreamReader(client.GetStream(), Encoding.ASCII).ReadLine() is not { } line || line.Contains(" 503 ", StringComparison.Ordinal);
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException)
        {
            return true;
        }
    }

    private static int[] ChildrenOf(int parent) => [.. Process.GetProcesses().Select(process => process.Id)
        .Where(id => ParentOf(id) == parent)];

    private static int ParentOf(int process)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{process}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static string CommandOf(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline");
        }
        catch (IOException)
        {
            return "";   // it has ended meanwhile
        }
    }
}
