using System.Text.Json;
using Iris.Net.Tests.Conformance.Raw;

namespace Iris.Net.Tests.Conformance;

/// <summary>The form of what the server sends: names, their order, and the fields of the head.</summary>
internal static class WireForm
{
    /// <summary>Every code that a refusal may have.</summary>
    public static readonly string[] Codes =
    [
        "unknown-session", "missing-token", "stale-token", "in-flight", "malformed-json", "malformed-path", "no-route", "method-not-allowed",
        "turn-failed", "origin-denied", "host-denied", "unauthorized", "body-too-large", "header-too-large", "timeout", "overloaded",
        "idempotency-mismatch", "not-waiting", "finished", "contended", "draining", "unsupported-media-type", "upgrade-required",
        "store-unavailable", "bad-request",
    ];

    // After the base fields, in this order.
    private static readonly string[] Added = ["committed", "reason", "wake", "code", "errorId", "recover", "ref", "id"];

    private static readonly string[] AskAgain = ["in-flight", "contended", "overloaded", "store-unavailable"];

    public static void CheckOutcome(JsonElement outcome, bool isEvent)
    {
        string status = outcome.GetProperty("status").GetString()!;
        string[] detail = status switch
        {
            "finished" => outcome.TryGetProperty("output", out _) ? ["output"] : [],
            "parked" => ["wait"],
            "contended" => ["current"],
            "aborted" => [],
            _ => throw new AssertionException($"status {status}"),
        };
        CheckFields(
            outcome,
            isEvent ? ["type", "sessionId", "status", .. detail, "continuationToken"] : ["sessionId", "continuationToken", "status", .. detail]);
    }

    public static void CheckError(JsonElement error)
    {
        CheckFields(error, ["type", "message", "code"]);
        Assert.That(Codes, Has.Member(error.GetProperty("code").GetString()));
    }

    /// <summary>A refusal's head and body.</summary>
    public static void CheckRefusal(RawResponse refusal)
    {
        CheckReply(refusal);
        CheckFields(refusal.Json, ["error", "code"]);
        string code = refusal.Json.GetProperty("code").GetString()!;
        Assert.That(Codes, Has.Member(code));
        Assert.That(refusal["Iris-Refusal"], Is.EqualTo(code), "Iris-Refusal");
        Assert.That(refusal["Retry-After"], Is.EqualTo(AskAgain.Contains(code) ? "1" : null), "Retry-After");
    }

    /// <summary>A refusal with exactly this status, text and code.</summary>
    public static void CheckRefusal(RawResponse refusal, int status, string error, string code)
    {
        Assert.That(refusal.Status, Is.EqualTo(status), refusal.ToString());
        CheckRefusal(refusal);
        Assert.That(
            (refusal.Json.GetProperty("error").GetString(), refusal.Json.GetProperty("code").GetString()), Is.EqualTo((error, code)));
    }

    /// <summary>A refusal as a problem of RFC 9457.</summary>
    public static void CheckProblem(RawResponse refusal, int status, string error, string code, string? instance)
    {
        CheckReply(refusal, "application/problem+json");
        string[] path = instance is null ? [] : ["instance"];
        CheckFields(refusal.Json, ["type", "title", "status", "detail", .. path, "error", "code"]);
        JsonElement problem = refusal.Json;
        Assert.That(
            (refusal.Status, problem.GetProperty("status").GetInt32(), refusal["Iris-Refusal"]), Is.EqualTo((status, status, code)));
        Assert.That(problem.GetProperty("type").GetString(), Is.EqualTo("urn:iris:refusal:" + code));
        Assert.That(problem.GetProperty("title").GetString(), Is.EqualTo(code.Replace('-', ' ')));
        Assert.That(
            (problem.GetProperty("detail").GetString(), problem.GetProperty("error").GetString(), problem.GetProperty("code").GetString()),
            Is.EqualTo((error, error, code)));
        if (instance is not null)
            Assert.That(problem.GetProperty("instance").GetString(), Is.EqualTo(instance));
    }

    /// <summary>An upgrade that was refused: there is no content.</summary>
    public static void CheckRefusedUpgrade(RawResponse refusal, int status, string code)
    {
        Assert.That((refusal.Status, refusal.Text, refusal["Iris-Refusal"]), Is.EqualTo((status, "", code)));
        Assert.That((refusal["Content-Type"], refusal["Content-Length"]), Is.EqualTo(((string?)null, "0")));
    }

    /// <summary>What the head of every JSON reply says.</summary>
    public static void CheckReply(RawResponse reply, string type = "application/json")
    {
        Assert.That(reply["Content-Type"], Is.EqualTo(type), reply.ToString());
        Assert.That(reply["Content-Length"], Is.Not.Null);
        Assert.That(reply["Cache-Control"], Is.EqualTo("no-store"));
        Assert.That(reply["X-Content-Type-Options"], Is.EqualTo("nosniff"));
    }

    /// <summary>The base fields first, all of them and in order; then none but the added ones, in theirs.</summary>
    public static void CheckFields(JsonElement value, string[] expected)
    {
        string[] names = value.EnumerateObject().Select(property => property.Name).ToArray();
        Assert.That(names.Take(expected.Length), Is.EqualTo(expected), value.GetRawText());
        string[] after = names[expected.Length..];
        Assert.That(after, Is.EqualTo(Added.Where(after.Contains)), value.GetRawText());
    }
}
