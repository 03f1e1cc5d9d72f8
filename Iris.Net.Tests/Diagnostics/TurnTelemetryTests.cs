using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Iris.Net.Tests.Conformance;
using Iris.Net.Tests.Conformance.Raw;
using Iris.Net.Tests.Server;

namespace Iris.Net.Tests.Diagnostics;

/// <summary>What the channel tells of turns and refusals.</summary>
internal sealed class TurnTelemetryTests
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c", Span = "b7ad6b7169203331";

    [Test]
    public async Task A_turn_is_counted_by_its_outcome([Values] Face face)
    {
        using Listeners listeners = new();
        await using Channel channel = await Channel.StartAsync(RunAsync);
        await using SessionClient client = channel.Client(face);
        await client.SendAsync("""{"do":"park"}""");
        await client.SendAsync("""{"do":"fail"}""");
        await client.SendAsync("""{"do":"finish"}""");
        Assert.That(await listeners.TextsAsync("iris.turns", 3), Is.EqualTo(new[]
        {
            "iris.turns 1 iris.turn.outcome=parked",
            "iris.turns 1 error.type=System.InvalidOperationException iris.turn.outcome=failed",
            "iris.turns 1 iris.turn.outcome=finished",
        }));
        Assert.That(await listeners.TextsAsync("iris.turn.duration", 3), Has.Length.EqualTo(3));
        Assert.That(await listeners.TextsAsync("iris.active_turns", 6), Has.Length.EqualTo(6));
        Assert.That(await listeners.TextsAsync("iris.refusals", 1), Is.EqualTo(new[] { "iris.refusals 1 iris.refusal.code=turn-failed" }));
        string session = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(client.SessionId!)))[..8];
        await listeners.EventAsync($"TurnStart {session} 2 1");
        Assert.That(listeners.Written, Has.Some.StartWith($"TurnStop {session} 2 failed "));
    }

    [Test]
    public async Task A_program_runs_in_a_span_below_its_requests_and_carries_it_on([Values] Face face)
    {
        using Listeners listeners = new();
        string? carried = null;
        await using TestServer other = await TestServer.StartAsync((exchange, _) =>
        {
            carried = exchange.Request.Headers.TryGet("traceparent"u8, out ReadOnlySpan<byte> value) ? Encoding.ASCII.GetString(value) : null;
            return default;
        });
        Activity? seen = null;
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            seen = Activity.Current;
            using HttpClient client = new();
            await client.GetStringAsync(other.Url, cancel);
            Assert.That(Activity.Current, Is.SameAs(seen));
            return TurnOutcome.Finished(output: turn.Body);
        });
        await using (SessionClient client = channel.Client(face))
            await client.SendAsync("{}");
        Activity turn = await listeners.SpanAsync(span => span.OperationName == "iris.turn");
        Activity request = await listeners.SpanAsync(span => span.DisplayName.Contains("/v1/", StringComparison.Ordinal));
        Assert.That(seen, Is.SameAs(turn));
        Assert.That((turn.ParentSpanId, turn.TraceId), Is.EqualTo((request.SpanId, request.TraceId)));
        Assert.That(carried, Does.StartWith($"00-{turn.TraceId}-"));
        Assert.That(
            (turn.GetTagItem("iris.turn.number"), turn.GetTagItem("iris.turn.attempt"), turn.GetTagItem("iris.turn.outcome")),
            Is.EqualTo((1L, 1, "finished")));
        Assert.That(turn.GetTagItem("iris.session"), Has.Length.EqualTo(8));
    }

    [Test]
    public async Task A_turn_that_outlives_its_request_keeps_its_parent()
    {
        using Listeners listeners = new();
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously), go = new();
        await using Channel channel = await Channel.StartAsync(async (turn, cancel) =>
        {
            entered.SetResult();
            await go.Task;
            return TurnOutcome.Finished();
        });
        await using RawConnection connection = await RawConnection.OpenAsync(channel.Url);
        await connection.WriteAsync(
            RawRequest.Post("/v1/session", "{}", "Accept: text/event-stream", $"traceparent: 00-{Trace}-{Span}-01").Bytes(channel.Url));
        await entered.Task.Within();
        connection.Abort();
        go.SetResult();
        Activity turn = await listeners.SpanAsync(span => span.OperationName == "iris.turn");
        Assert.That(turn.TraceId.ToHexString(), Is.EqualTo(Trace));
    }

    [Test]
    public async Task Refusals_and_their_limits_are_counted()
    {
        using Listeners listeners = new();
        await using Channel channel = await Channel.StartAsync(Programs.Count);
        string target = $"/v1/session/{new string('s', 129)}/message";
        await channel.AskAsync(RawRequest.Post("/v1/session", "{"));
        await channel.AskAsync(RawRequest.Post("/v1/session", new string('[', 65)));
        await channel.AskAsync(RawRequest.Post(target, "{}", "X-Continuation-Token: t"));
        await channel.AskAsync(RawRequest.Get("/v1/session"));
        await channel.AskAsync(RawRequest.Get("/v1/session", "Transfer-Encoding: what"));
        Assert.That(await listeners.TextsAsync("iris.refusals", 5), Is.EqualTo(new[]
        {
            "iris.refusals 1 iris.refusal.code=malformed-json",
            "iris.refusals 1 iris.refusal.code=malformed-json",
            "iris.refusals 1 iris.refusal.code=unknown-session",
            "iris.refusals 1 iris.refusal.code=method-not-allowed",
            "iris.refusals 1 iris.refusal.code=bad-request",
        }));
        Assert.That(await listeners.TextsAsync("iris.limit.breaches", 2), Is.EqualTo(new[]
        {
            "iris.limit.breaches 1 iris.limit=MaxJsonDepth",
            "iris.limit.breaches 1 iris.limit=SessionId.MaxLength",
        }));
    }

    [Test]
    public async Task The_turns_own_limits_are_counted()
    {
        using Listeners listeners = new();
        ManualTime time = new();
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using Channel channel = await Channel.StartAsync(
            async (turn, cancel) =>
            {
                entered.TrySetResult();
                await Task.Delay(Timeout.Infinite, cancel);
                return TurnOutcome.Finished();
            },
            options => options with
            {
                TurnTimeout = TimeSpan.FromSeconds(10),
                Time = time,
                Limits = options.Limits with { MaxConcurrentTurns = 1 },
            });
        Task<Conformance.Raw.RawResponse> first = channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        await entered.Task.Within();
        await channel.AskAsync(RawRequest.Post("/v1/session", "{}"));
        time.Advance(10);
        await first.Within();
        Assert.That(await listeners.TextsAsync("iris.limit.breaches", 2), Is.EquivalentTo(new[]
        {
            "iris.limit.breaches 1 iris.limit=MaxConcurrentTurns",
            "iris.limit.breaches 1 iris.limit=TurnTimeout",
        }));
        Assert.That((await listeners.TextsAsync("iris.turns", 1))[0], Is.EqualTo("iris.turns 1 iris.turn.abort_reason=timeout iris.turn.outcome=aborted"));
    }

    [Test]
    public async Task No_secret_is_told_to_anybody()
    {
        ConcurrentQueue<ChannelLog> log = [];
        List<string> secrets =
            ["body-secret", "auth-secret", "cookie-secret", "query-secret", "path-secret", "token-secret", "field-secret", "output-secret"];
        string told;
        using (Listeners listeners = new())
        {
            await using (Channel channel = await Channel.StartAsync(RunAsync, options => options with { Log = log.Enqueue }))
            {
                string[] fields = ["Authorization: Bearer auth-secret", "Cookie: c=cookie-secret", "X-Field: field-secret"];
                foreach (Face face in Enum.GetValues<Face>())
                {
                    await using SessionClient client = channel.Client(face);
                    foreach (string act in (string[])["park", "fail", "park", "finish"])
                    {
                        await client.SendAsync($$"""{"do":"{{act}}","x":"body-secret"}""");
                        secrets.Add(client.Token!);
                    }

                    secrets.Add(client.SessionId!);
                    await channel.AskAsync(RawRequest.Post(
                        $"/v1/session/{client.SessionId}/message?q=query-secret", """{"x":"body-secret"}""",
                        [.. fields, "X-Continuation-Token: token-secret"]));
                    await channel.AskAsync(RawRequest.Post(
                        $"/v1/session/{client.SessionId}/message?q=query-secret", "{\"x\":\"body-secret\"", fields));
                }

                await channel.AskAsync(RawRequest.Post("/v1/session/path-secret/message", "{}", [.. fields, "X-Continuation-Token: token-secret"]));
                await channel.AskAsync(RawRequest.Get("/path-secret?query-secret", fields));
                await channel.AskAsync(RawRequest.Get("/v1/path-secret", [.. fields, "Transfer-Encoding: field-secret"]));
                await channel.AskAsync(RawRequest.Get("/path-secret", [.. fields, "Host: field-secret"]));
                await channel.AskAsync(RawRequest.Get("/path-secret", [.. fields, "Origin: http://field-secret"]));
            }

            told = listeners.Everything();
        }

        told += string.Join('\n', log.Select(line => $"{line.Category} {line.Text} {line.Exception}"));
        Assert.That(log.Count(line => line is { Level: ChannelLogLevel.Error, Category: "Iris.Net.Turns" }), Is.EqualTo(3));
        Assert.That(told, Does.Contain("iris.turns").And.Contain("TurnStop").And.Contain("iris.turn").And.Contain("a turn failed (errorId="));
        foreach (string secret in secrets.Distinct())
            Assert.That(told, Does.Not.Contain(secret));
    }

    private static ValueTask<TurnOutcome> RunAsync(TurnContext turn, CancellationToken cancel) => turn.Field("do") switch
    {
        "park" => ValueTask.FromResult(TurnOutcome.ParkedOnUser(state: JsonPayload.Parse("\"output-secret\""u8))),
        "fail" => throw new InvalidOperationException("It broke."),
        _ => Programs.Finish(JsonPayload.Parse("\"output-secret\""u8)),
    };
}
