using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Iris.Net.Tests.Server;

namespace Iris.Net.Tests.Conformance.RawTable;

/// <summary>Raw requests, each with its one answer, however they arrive: whole, in two pieces cut at every position, and byte
/// by byte. What is smuggled behind a request never runs.</summary>
[TestFixture]
internal sealed partial class RawTableTests
{
    private const int AtOnce = 48;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly RawSubject _subject = new();
    private TestServer _server = null!;
    private IPEndPoint _address = null!;

    private static IEnumerable<TestCaseData> Cases() =>
        RequestLineCases.All.Concat(HostCases.All).Concat(FieldCases.All).Concat(FramingCases.All).Concat(ChunkCases.All)
            .Concat(ConnectionCases.All).Concat(LimitCases.All).Select(row => new TestCaseData(row).SetArgDisplayNames(row.Name));

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _server = await _subject.StartAsync();
        _address = new IPEndPoint(IPAddress.Loopback, _server.Url.Port);
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public void The_table_has_at_least_200_rows_and_no_name_twice()
    {
        string[] names = [.. Cases().Select(row => ((RawCase)row.Arguments[0]!).Name)];
        Assert.That(names, Has.Length.AtLeast(200));
        Assert.That(names, Is.Unique);
    }

    [TestCaseSource(nameof(Cases))]
    public async Task The_server_gives_one_answer_however_the_request_arrives(object row)
    {
        var raw = (RawCase)row;
        byte[] bytes = Encoding.Latin1.GetBytes(raw.Request);
        int[][] ways = [[], .. Enumerable.Range(1, bytes.Length - 1).Select(at => new[] { at }), [.. Enumerable.Range(1, bytes.Length - 1)]];
        _subject.TakeRuns();
        await Parallel.ForEachAsync(ways, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (cuts, _) =>
        {
            string answer = await AskAsync(raw, bytes, cuts);
            if (answer != raw.Answer)
                Assert.Fail($"{(cuts is [var at] ? $"cut at {at}" : $"in {cuts.Length + 1} pieces")}\n{raw.Request}\n---- answered\n{answer}" +
                    $"\n---- not\n{raw.Answer}");
        });
        Assert.That(_subject.TakeRuns(), Is.EqualTo(raw.Runs * ways.Length), "requests that ran");
        Assert.That(_server.Errors, Is.Empty);
    }

    private async Task<string> AskAsync(RawCase raw, byte[] bytes, int[] cuts)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var answer = new StringBuilder();
        try
        {
            await socket.ConnectAsync(_address, patience.Token);
            int start = 0;
            foreach (int end in cuts.Append(bytes.Length))
            {
                await SendAsync(socket, bytes.AsMemory(start..end), patience.Token);
                start = end;
                await Task.Yield();
            }

            var buffer = new byte[4096];
            bool hasEnded = raw.EndsEarly;
            if (hasEnded)
                socket.Shutdown(SocketShutdown.Send);
            for (int count; (count = await socket.ReceiveAsync(buffer, patience.Token)) > 0;)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, count));
                if (hasEnded || Masked(raw, answer.ToString()).Length < raw.Answer.Length)
                    continue;
                hasEnded = true;
                socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (SocketException e)
        {
            answer.Append(e.SocketErrorCode);
        }
        catch (OperationCanceledException)
        {
            answer.Append("(and no more came)");
        }

        return Masked(raw, answer.ToString());
    }

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes, cancel)..];
    }

    private static string Masked(RawCase raw, string answer)
    {
        answer = DateField().Replace(answer, "Date: *\r\n");
        return raw.MayAskForBody && answer.StartsWith(RawAnswer.Continue, StringComparison.Ordinal)
            ? answer[RawAnswer.Continue.Length..]
            : answer;
    }

    [GeneratedRegex("Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT\r\n")]
    private static partial Regex DateField();
}
