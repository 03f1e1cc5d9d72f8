using System.Text;
using System.Text.Json;
using Iris.Net.Endpoints;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance.RefusalTable;

/// <summary>Every refusal as it is written: status, code, text, header fields and members, in each form that it has.</summary>
public sealed class RefusalTableTests
{
    private static readonly string[] Fields = ["Allow", "Preference-Applied", "Sec-WebSocket-Version", "Upgrade"];
    private static readonly string[] Members = ["reason", "recover", "committed", "wake"];
    private static readonly string[] AskAgain = ["in-flight", "contended", "overloaded", "store-unavailable"];

    private readonly Dictionary<State, RefusalServers> _servers = [];

    private static IEnumerable<TestCaseData> Rows => Named(RefusalRows.OfEverySessionRoute().Concat(RefusalRows.Others));

    private static IEnumerable<TestCaseData> MessageRows => Named(RefusalRows.Messages);

    private static IEnumerable<TestCaseData> UpgradeRows => Named(RefusalRows.Upgrades);

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        foreach (State state in Enum.GetValues<State>())
            _servers[state] = await RefusalServers.StartAsync(state);
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        foreach (RefusalServers server in _servers.Values)
            await server.DisposeAsync();
    }

    [TestCaseSource(nameof(Rows))]
    public async Task Is_refused(object of)
    {
        var row = (RefusalRow)of;
        RefusalServers server = _servers[row.Server];
        bool opensStream = row.Code is "turn-failed" or "overloaded" && row.Body?.Contains("\"do\"", StringComparison.Ordinal) == true;
        foreach (string? accept in (string?[])[null, "text/event-stream", "application/problem+json", "text/event-stream, application/problem+json;q=0.1"])
        {
            if (opensStream && accept?.Contains("event-stream", StringComparison.Ordinal) == true)
                continue;
            if (row.Server == State.Hasty && accept is not null)
                continue;   // each takes a second
            string[] fields = [.. row.Fields.Select(server.Fill), .. accept is null ? (string[])[] : [$"Accept: {accept}"]];
            string target = server.Fill(row.Target), error = server.Fill(row.Error);
            RawResponse refusal = await server.Channel.AskAsync(
                new RawRequest(row.Method, target, fields) { Body = row.Body is null ? null : Encoding.UTF8.GetBytes(server.Fill(row.Body)) });
            // Where the head could not be read, nobody knows what it asks for.
            if (accept?.Contains("problem", StringComparison.Ordinal) == true && row.Status is not (414 or 431))
                WireForm.CheckProblem(refusal, row.Status, error, row.Code, target.Split('?')[0]);
            else
                WireForm.CheckRefusal(refusal, row.Status, error, row.Code);
            CheckMore(refusal, row.More, row.Status, row.Code, server);
            foreach (string name in Members)
                Assert.That(
                    refusal.Json.TryGetProperty(name, out JsonElement said) ? $"{name}={said}" : null,
                    Is.EqualTo(row.More.Select(server.Fill).SingleOrDefault(more => more.StartsWith(name + "=", StringComparison.Ordinal))));
            Assert.That(refusal.Json.TryGetProperty("errorId", out _), Is.EqualTo(row.Status == 500), "it names what was thrown");
            Assert.That(refusal.Text, Does.Not.Contain("secret"));
        }
    }

    [TestCaseSource(nameof(MessageRows))]
    public async Task Is_an_error_event(object of)
    {
        var row = (MessageRow)of;
        RefusalServers server = _servers[row.Server];
        await using RawWebSocket socket = await RawWebSocket.OpenAsync(server.Url, row.Fields, []);
        foreach (string message in row.Messages[..^1])
        {
            await socket.SendAsync(server.Fill(message));
            while (!(await socket.ReceiveTextAsync()).Contains("\"outcome\"", StringComparison.Ordinal))
            {
            }
        }

        for (int i = 0; i < 2; i++)   // after it the connection is as before
        {
            await socket.SendAsync(server.Fill(row.Messages[^1]));
            JsonElement error = JsonElement.Parse(await socket.ReceiveTextAsync());
            WireForm.CheckError(error);
            Assert.That(
                (error.GetProperty("message").GetString(), error.GetProperty("code").GetString()), Is.EqualTo((row.Error, row.Code)));
            Assert.That(error.GetRawText(), Does.Not.Contain("secret"));
        }
    }

    [TestCaseSource(nameof(UpgradeRows))]
    public async Task Is_refused_without_content(object of)
    {
        var row = (UpgradeRow)of;
        RefusalServers server = _servers[row.Server];
        foreach (string accept in (string[])["application/json", "application/problem+json"])
        {
            IEnumerable<string> handshake = RawWebSocket.HandshakeFields
                .Where(field => !row.Fields.Any(own => own.Split(':')[0] == field.Split(':')[0]));
            RawResponse refusal = await server.Channel.AskAsync(
                RawRequest.Get(server.Fill(row.Target), [.. row.Fields.Select(server.Fill), $"Accept: {accept}", .. handshake]));
            WireForm.CheckRefusedUpgrade(refusal, row.Status, row.Code);
            CheckMore(refusal, row.More, row.Status, row.Code, server);
        }
    }

    [Test]
    public void Every_code_has_a_row()
    {
        IEnumerable<string> shown = RefusalRows.OfEverySessionRoute().Concat(RefusalRows.Others).Select(row => row.Code)
            .Concat(RefusalRows.Upgrades.Select(row => row.Code));
        Assert.That(Enum.GetValues<RefusalCode>().Select(RefusalText.CodeOf).Except(shown), Is.Empty);
    }

    private static void CheckMore(RawResponse refusal, string[] more, int status, string code, RefusalServers server)
    {
        Assert.That(refusal["Retry-After"], Is.EqualTo(AskAgain.Contains(code) ? "1" : null));
        Assert.That(refusal["WWW-Authenticate"], Is.EqualTo(status == 401 ? "Bearer realm=\"test\"" : null));
        foreach (string name in Fields)
            Assert.That(
                refusal[name] is { } said ? $"{name}: {said}" : null,
                Is.EqualTo(more.Select(server.Fill).SingleOrDefault(m => m.StartsWith(name + ":", StringComparison.Ordinal))));
    }

    private static IEnumerable<TestCaseData> Named<T>(IEnumerable<T> rows)
        where T : class => rows.Select((row, i) => new TestCaseData(row).SetArgDisplayNames($"{i} {row}".ReplaceLineEndings("")));
}
