using System.Text.Json;
using Iris.Net.Tests.Conformance;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Stores.Files;

namespace Iris.Net.Tests.Serve;

/// <summary>A client that follows one turn over servers that are killed in the middle of it.</summary>
[Platform("Linux"), Category("Long")]
internal sealed class ResumedStreamTests
{
    private const int Rounds = 66;   // of a text and a step: with the marker and the outcome 200 events

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("IRIS_LONG") == "1";

    private static readonly string Talker = $$"""
        import json, sys, time
        def say(value): print(json.dumps(value), flush=True)
        def hear(): return json.loads(sys.stdin.readline())
        hear()
        for i in range({{Rounds}}):
            say({"type": "delta", "text": f"{i} "})
            say({"type": "step", "name": "s", "request": None})
            answer = hear()
            if answer["type"] == "perform":
                with open("effects", "a") as file: file.write(f'{i} {answer["idempotencyKey"]}\n')
                say({"type": "performed", "step": "s", "value": i})
                hear()
                time.sleep(0.005)
        say({"type": "outcome", "status": "finished", "output": "end"})
        """;

    [Test]
    public async Task Over_kills_every_record_comes_once_and_in_order()
    {
        int kills = IsLong ? 20 : 2;
        Random random = new(4711);
        using TestImage image = TestImage.Python(Talker);
        using TempDirectory data = new();
        IrisServer server = await IrisServer.StartAsync(image.Folder, "--data", data.Path);
        try
        {
            ResumingClient client = new(server.Client.BaseAddress!);
            await client.StartAsync(1);
            for (int killed = 0; client.Outcome is null || client.Outcome.Value.GetProperty("status").GetString() == "aborted";)
            {
                if (client.Outcome is not null)
                    await RetryAsync(client);
                // After so many events of the running attempt; the last one is left alone.
                await client.ResumeAsync(killed < kills ? random.Next(1, 1 + (200 / kills)) : int.MaxValue);
                if (killed == kills || client.Outcome is not null)
                    continue;
                server.Signal(9);
                await server.WaitForExitAsync();
                await server.DisposeAsync();
                killed++;
                server = await IrisServer.StartAsync(image.Folder, "--data", data.Path);
                client.MoveTo(server.Client.BaseAddress!);
                await client.ResumeAsync();
            }

            long[] seqs = [.. client.Records.Select(r => JsonElement.Parse(r).GetProperty("record").GetProperty("seq").GetInt64())];
            Assert.That(seqs, Is.Ordered.Ascending.And.Unique);
            Assert.That(client.Records, Has.Count.EqualTo((2 * Rounds) + 1));
            Assert.That(client.Outcome?.GetProperty("output").GetString(), Is.EqualTo("end"));
            Assert.That(client.Gaps.Select(gap => gap.GetProperty("lost").GetString()), Is.All.AnyOf("delta", "attempt"));
            Assert.That(client.Text, Does.EndWith($"{Rounds - 2} {Rounds - 1} "), "the last attempt's own text");
            string[] effects = image.Read("effects").Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.That(effects.Distinct().Count(), Is.EqualTo(Rounds), "a key for each step");
            Assert.That(effects, Has.Length.LessThanOrEqualTo(Rounds + kills), "a step is done again only where a kill hit it");
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    // The request is left to its client: the same token and body, and its steps are not done again.
    private static async Task RetryAsync(ResumingClient client)
    {
        await using RawConnection connection = await RawConnection.OpenAsync(client.Url);
        RawResponse reply = await connection.AskAsync(RawRequest.Post(
            $"/v1/session/{client.SessionId}/message", "{}", $"X-Continuation-Token: {client.Token}", "Prefer: respond-async"));
        Assert.That(reply.Status, Is.EqualTo(202), reply.Text);
        client.Restart();
    }
}
