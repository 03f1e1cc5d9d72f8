namespace Iris.Net.Tests.Conformance.RefusalTable;

/// <summary>Every refusal of every route.</summary>
internal static class RefusalRows
{
    private const string Ann = "Authorization: Bearer ann";
    private const string Bob = "Authorization: Bearer bob";
    private const string Json = "Content-Type: application/json";
    private const string Continue = "/v1/session/$ID/message";
    private const string Stale = "stale or invalid continuationToken";
    private const string Missing = "missing continuationToken";
    private const string Busy = "a turn is already in flight for this session";
    private const string Strict = "Prefer: handling=strict";

    // What stands behind /v1/session/{id}, and the methods that are served there.
    private static readonly (string Method, string Path, string Allow)[] Routes =
    [
        ("POST", "/message", "POST"), ("GET", "/turn", "GET, HEAD"), ("GET", "/stream", "GET, HEAD"), ("GET", "", "DELETE, GET, HEAD"),
        ("GET", "/timeline", "GET, HEAD"), ("POST", "/cancel", "POST"), ("POST", "/ticket", "POST"), ("DELETE", "", "DELETE, GET, HEAD"),
    ];

    /// <summary>Those that every route of a session has.</summary>
    public static IEnumerable<RefusalRow> OfEverySessionRoute()
    {
        foreach ((string method, string path, string allow) in Routes)
        {
            string? body = method == "POST" ? "{}" : null;
            RefusalRow Row(string id, string[] fields, int status, string error, string code, params string[] more) =>
                new(State.Well, method, $"/v1/session/{id}{path}", body, fields, status, error, code, more);
            yield return Row("$ID", [Ann, "Host: evil.example", "X-Continuation-Token: $TOKEN"], 421, "host denied", "host-denied");
            yield return Row("$ID", [Ann, "Origin: https://evil.example", Json, "X-Continuation-Token: $TOKEN"], 403, "origin denied", "origin-denied");
            yield return Row("$ID", ["X-Continuation-Token: $TOKEN"], 401, "unauthorized", "unauthorized");
            yield return Row("%ff", [Ann, "X-Continuation-Token: $TOKEN"], 400, "malformed session id", "malformed-path");
            yield return Row("a%20b", [Ann, "X-Continuation-Token: $TOKEN"], 404, "unknown session 'a b'", "unknown-session");
            yield return Row("$ID", [Bob, "X-Continuation-Token: $TOKEN"], 404, "unknown session '$ID'", "unknown-session");
            yield return Row("$ID", [Bob], 404, "unknown session '$ID'", "unknown-session");
            yield return Row("$GONE", [Bob, "X-Continuation-Token: $GONETOKEN"], 404, "unknown session '$GONE'", "unknown-session");
            yield return Row("$GONE", [Ann, "X-Continuation-Token: $GONETOKEN"], 404, "unknown session '$GONE'", "unknown-session", "reason=deleted");
            yield return Row("$GONE", [Ann], 404, "unknown session '$GONE'", "unknown-session", "reason=deleted");
            yield return Row("$ID", [Ann], 400, Missing, "missing-token");
            yield return Row("$ID", [Ann, "X-Continuation-Token:"], 400, Missing, "missing-token");
            yield return Row("$ID", [Ann, "X-Continuation-Token: x"], 409, Stale, "stale-token");
            yield return Row("$ID", [Ann, "X-Continuation-Token: $OLDTOKEN"], 409, Stale, "stale-token");
            yield return Row("$ID", [Ann, "X-Continuation-Token: $TOKEN", "X-Continuation-Token: $TOKEN"], 409, Stale, "stale-token");
            yield return Row("$BUSY", [Ann, "X-Continuation-Token: x"], 409, Stale, "stale-token");
            yield return Row("$ID", [Ann, "Connection: Upgrade", "Upgrade: h2c"], 400, Missing, "missing-token");
            yield return new(
                State.Well, "PUT", $"/v1/session/$ID{path}", null, [Ann, "X-Continuation-Token: $TOKEN"], 405, "method PUT not allowed",
                "method-not-allowed", $"Allow: {allow}");
            yield return new(
                State.Broken, method, $"/v1/session/$ID{path}", body, ["X-Continuation-Token: $TOKEN"], 503, "store unavailable", "store-unavailable");
            if (body is null)
                continue;
            yield return Row("$ID", [Ann, "Sec-Fetch-Site: none"], 415, "unsupported media type", "unsupported-media-type");
            yield return Row("$ID", [Ann, "Content-Length: 1048577"], 413, "body too large", "body-too-large") with { Body = null };
            yield return Row("$ID", [Ann], 400, "malformed JSON body", "malformed-json") with { Body = "{" };
            yield return new(
                State.Hasty, method, $"/v1/session/$ID{path}", "{", ["Content-Length: 2", "X-Continuation-Token: $TOKEN"], 408, "timeout", "timeout");
        }
    }

    /// <summary>The others.</summary>
    public static IEnumerable<RefusalRow> Others { get; } =
    [
        Signal("$WOKEN", "2", ["Iris-Wake-Key: $WOKENKEY"], 409, "not waiting", "not-waiting"),
        Signal("$DONE", "2", ["Iris-Wake-Key: $DONEKEY"], 410, "finished", "finished"),
        Signal("$WAIT", "1", [], 404, "unknown session '$WAIT'", "unknown-session"),
        Signal("$WAIT", "1", ["Iris-Wake-Key:"], 404, "unknown session '$WAIT'", "unknown-session"),
        Signal("$WAIT", "1", ["Iris-Wake-Key: $WOKENKEY"], 404, "unknown session '$WAIT'", "unknown-session"),
        Signal("$WAIT", "1", ["Iris-Wake-Key: $WAITKEY", "Iris-Wake-Key: $WAITKEY"], 404, "unknown session '$WAIT'", "unknown-session"),
        Signal("$WAIT", "1", [Ann, "X-Continuation-Token: $TOKEN"], 404, "unknown session '$WAIT'", "unknown-session"),
        Signal("$GONE", "1", ["Iris-Wake-Key: $WAITKEY"], 404, "unknown session '$GONE'", "unknown-session"),
        Signal("nowhere", "1", ["Iris-Wake-Key: $WAITKEY"], 404, "unknown session 'nowhere'", "unknown-session"),
        Signal("$WAIT", "{", ["Iris-Wake-Key: $WAITKEY"], 400, "malformed JSON body", "malformed-json"),
        Signal("$WAIT", null, ["Iris-Wake-Key: $WAITKEY", "Content-Length: 1048577"], 413, "body too large", "body-too-large"),
        Signal("$WAIT", "1", ["Iris-Wake-Key: $WAITKEY", "Sec-Fetch-Site: none"], 415, "unsupported media type", "unsupported-media-type"),
        Signal("$WAIT", "1", ["Iris-Wake-Key: $WAITKEY", "Host: evil.example"], 421, "host denied", "host-denied"),
        Signal("$WAIT", "1", ["Iris-Wake-Key: $WAITKEY", "Origin: https://evil.example", Json], 403, "origin denied", "origin-denied"),
        Signal("%ff", "1", ["Iris-Wake-Key: $WAITKEY"], 400, "malformed session id", "malformed-path"),
        Well("POST", "/v1/session/$WAIT/signal/%ff", "1", ["Iris-Wake-Key: $WAITKEY"], 400, "malformed signal name", "malformed-path"),
        Well("POST", "/v1/session/$WAIT/signal/other", "1", ["Iris-Wake-Key: $WAITKEY"], 404, "unknown session '$WAIT'", "unknown-session"),
        Well("GET", "/v1/session/$WAIT/signal/go", null, [Ann, "Iris-Wake-Key: $WAITKEY"], 405, "method GET not allowed", "method-not-allowed", "Allow: POST"),
        Signal("$WAIT", "1", ["Iris-Wake-Key: $WAITKEY"], 503, "store unavailable", "store-unavailable") with { Server = State.Broken },
        Signal("$WAIT", "1 2", ["Iris-Wake-Key: $WAITKEY"], 400, "malformed JSON body", "malformed-json"),
        Signal("$WAIT", "{", ["Iris-Wake-Key: wrong"], 400, "malformed JSON body", "malformed-json"),
        Signal("$WAIT", "1", ["Iris-Wake-Key: $WAITKEY", "Origin: null"], 403, "origin denied", "origin-denied"),
        Signal("$ID", "1", ["Iris-Wake-Key: $TOKEN"], 404, "unknown session '$ID'", "unknown-session"),
        Signal("a%20b", "1", ["Iris-Wake-Key: $WAITKEY"], 404, "unknown session 'a b'", "unknown-session"),
        Signal("$WAIT", "{", ["Iris-Wake-Key: $WAITKEY", "Content-Length: 2"], 408, "timeout", "timeout") with { Server = State.Hasty },

        // Whoever calls is not asked, and makes no difference.
        Signal("$WOKEN", "2", ["Iris-Wake-Key: $WOKENKEY", Bob], 409, "not waiting", "not-waiting"),
        Signal("$DONE", "2", ["Iris-Wake-Key: $DONEKEY", "Authorization: Bearer throw"], 410, "finished", "finished"),
        Signal("$GONE", "1", ["Iris-Wake-Key: $WAITKEY", Ann], 404, "unknown session '$GONE'", "unknown-session"),
        Well("GET", "/v1", null, [Ann, "Host: evil.example"], 421, "host denied", "host-denied"),
        Well("POST", "/v1/session", "{}", [Ann, "Host: evil.example"], 421, "host denied", "host-denied"),
        Well("GET", "/v1", null, [Ann, "Origin: https://evil.example"], 403, "origin denied", "origin-denied"),
        Well("POST", "/v1/session", "{}", [Ann, "Origin: null", Json], 403, "origin denied", "origin-denied"),
        Well("OPTIONS", "/v1/session", null, ["Origin: null", "Access-Control-Request-Method: POST"], 403, "origin denied", "origin-denied"),
        Well("POST", "/v1/session", "{}", [], 401, "unauthorized", "unauthorized"),
        Well("GET", "/v1", null, [], 401, "unauthorized", "unauthorized"),
        Well("GET", "/v1/openapi.json", null, [], 401, "unauthorized", "unauthorized"),
        Well("OPTIONS", "/v1/session", null, [], 401, "unauthorized", "unauthorized"),
        Well("GET", "/v1/sessions", null, [], 401, "unauthorized", "unauthorized"),
        Well("GET", "/nope", null, [], 401, "unauthorized", "unauthorized"),
        Well("POST", "/v1/session", "{}", ["Authorization: Bearer throw"], 500, "internal error", "turn-failed"),
        Well("GET", "/v1/session", null, [Ann], 405, "method GET not allowed", "method-not-allowed", "Allow: POST"),
        Well("DELETE", "/v1", null, [Ann], 405, "method DELETE not allowed", "method-not-allowed", "Allow: GET, HEAD"),
        Well("PATCH", "/v1/ready", null, [Ann], 405, "method PATCH not allowed", "method-not-allowed", "Allow: GET, HEAD"),
        Well("GET", "/v1/ws", null, [Ann], 405, "method GET not allowed", "method-not-allowed", "Allow: POST"),
        Well("GET", "/nope", null, [Ann], 405, "method GET not allowed", "method-not-allowed", "Allow: POST"),
        Well("GET", "/v1/sessions", null, [Ann], 405, "method GET not allowed", "method-not-allowed", "Allow: POST"),
        Well("POST", "/v1/session", null, [Ann, "Content-Length: 1048577"], 413, "body too large", "body-too-large"),
        Well("POST", "/nope", null, [Ann, "Content-Length: 1048577"], 413, "body too large", "body-too-large"),
        Well("POST", "/v1/session", "{}", [Ann, "Sec-Fetch-Site: none"], 415, "unsupported media type", "unsupported-media-type"),
        Well("POST", "/v1/session", "{", [Ann], 400, "malformed JSON body", "malformed-json"),
        Well("POST", "/v1/ready", "{", [Ann], 400, "malformed JSON body", "malformed-json"),
        Well("POST", "/v1/ready", "{}", [Ann], 404, "no route for /v1/ready", "no-route"),
        Well("POST", "/v1/ws", "{}", [Ann], 404, "no route for /v1/ws", "no-route"),
        Well("POST", "/v1/session/", "{}", [Ann], 404, "no route for /v1/session/", "no-route"),
        Well("POST", "/v1/sessions?x=1", "{}", [Ann], 404, "no route for /v1/sessions", "no-route"),
        Well("POST", Continue, "{\"continuationToken\":\"$TOKEN\"}", [Bob], 404, "unknown session '$ID'", "unknown-session"),
        Well("POST", Continue, "{\"continuationToken\":\"\"}", [Ann, "X-Continuation-Token: $TOKEN"], 400, Missing, "missing-token"),
        Well("POST", Continue, "{\"continuationToken\":\"x\"}", [Ann, "X-Continuation-Token: $TOKEN"], 409, Stale, "stale-token"),

        // The spent token is told where its reply is, by a POST.
        Well("POST", "/v1/session/$OLD/message", "{}", [Ann, "X-Continuation-Token: $SPENT"], 409, Stale, "stale-token", "recover=/v1/session/$OLD/turn"),
        Well("POST", "/v1/session/$OLD/ticket", "", [Ann, "X-Continuation-Token: $SPENT"], 409, Stale, "stale-token", "recover=/v1/session/$OLD/turn"),
        Well("DELETE", "/v1/session/$OLD", null, [Ann, "X-Continuation-Token: $SPENT"], 409, Stale, "stale-token"),

        Well("POST", "/v1/session/$BUSY/message", "{}", [Ann, "X-Continuation-Token: $BUSYTOKEN"], 409, Busy, "in-flight"),
        Well("POST", "/v1/session/$BUSY/message", "{}", [Ann, "X-Continuation-Token: $BUSYTOKEN", "Iris-If-Busy: reject"], 409, Busy, "in-flight"),
        Well("DELETE", "/v1/session/$BUSY", null, [Ann, "X-Continuation-Token: $BUSYTOKEN"], 409, Busy, "in-flight"),

        Well("GET", "/v1/session/$ID/timeline?limit=0", null, [Ann, "X-Continuation-Token: $TOKEN"], 400, "bad request", "bad-request"),
        Well("GET", "/v1/session/$ID/stream?after=x", null, [Ann, "X-Continuation-Token: $TOKEN"], 400, "bad request", "bad-request"),
        Well("GET", "/v1/session/$ID/stream", null, [Ann, "X-Continuation-Token: $TOKEN", "Last-Event-ID: 9.1.0.abcdef"], 400, "bad request", "bad-request"),
        Well("POST", Continue, "{}", [Ann, "X-Continuation-Token: $TOKEN", "Iris-If-Busy: wait"], 400, "bad request", "bad-request"),
        Well("POST", Continue, "{}", [Ann, "X-Continuation-Token: $TOKEN", "Idempotency-Key: a", "Idempotency-Key: a"], 400, "bad request", "bad-request"),
        Well("POST", "/v1/session", "{}", [Ann, "Idempotency-Key: ä"], 400, "bad request", "bad-request"),
        new(State.Open, "POST", "/v1/session", "{}", ["Idempotency-Key: nineteen-characters"], 400, "bad request", "bad-request"),
        Well("POST", "/v1/session/$KEYED/message", "{\"other\":1}", [Ann, "X-Continuation-Token: $KEYSPENT", "Idempotency-Key: one"],
            422, "Idempotency-Key was already used with a different request", "idempotency-mismatch"),
        Well("POST", "/v1/session/$KEYED/message", "{}", [Ann, "X-Continuation-Token: $KEYEDTOKEN", "Idempotency-Key: one"],
            422, "Idempotency-Key was already used with a different request", "idempotency-mismatch"),
        Well("POST", "/v1/session/$KEYED/message", "{}", [Ann, "X-Continuation-Token: x", "Idempotency-Key: one"], 409, Stale, "stale-token"),

        // A ticket: whatever is wrong with it is one and the same, whoever asks.
        Well("GET", "/v1/session/$ID/stream?ticket=x", null, [], 409, Stale, "stale-token"),
        Well("GET", "/v1/session/$ID/stream?ticket=x", null, [Ann, "X-Continuation-Token: $TOKEN"], 409, Stale, "stale-token"),
        Well("GET", "/v1/session/$ID/stream?ticket=$TOKEN", null, [Bob], 409, Stale, "stale-token"),
        Well("GET", "/v1/session/$GONE/stream?ticket=", null, [], 409, Stale, "stale-token"),
        Well("GET", "/v1/session/nowhere/stream?ticket=x&ticket=x", null, [], 409, Stale, "stale-token"),
        Well("GET", "/v1/session/%ff/stream?ticket=x", null, [], 400, "malformed session id", "malformed-path"),
        Well("GET", "/v1/session/$ID/timeline?ticket=x", null, [], 401, "unauthorized", "unauthorized"),

        Well("POST", "/v1/session", "{\"do\":\"throw\"}", [Ann], 500, "internal error: turn failed", "turn-failed"),
        Well("POST", Continue, "{\"do\":\"throw\"}", [Ann, "X-Continuation-Token: $TOKEN"], 500, "internal error: turn failed", "turn-failed"),
        Well("POST", "/v1/session", "{\"do\":\"overload\"}", [Ann], 503, "overloaded", "overloaded"),
        Well("POST", Continue, "{\"do\":\"contend\"}", [Ann, "X-Continuation-Token: $TOKEN", Strict], 409, "contended", "contended", "Preference-Applied: handling=strict"),
        Well("POST", "/v1/session", "{\"do\":\"contend\"}", [Ann, Strict], 409, "contended", "contended", "Preference-Applied: handling=strict"),
        new(State.Held, "POST", "/v1/session/$BUSY/message", "{}", ["X-Continuation-Token: $BUSYTOKEN", Strict], 409, "contended", "contended", "Preference-Applied: handling=strict"),
        new(State.Held, "DELETE", "/v1/session/$BUSY", null, ["X-Continuation-Token: $BUSYTOKEN"], 409, "contended", "contended"),

        new(State.Full, "POST", "/v1/session", "{}", [], 503, "overloaded", "overloaded"),
        new(State.Full, "POST", Continue, "{}", ["X-Continuation-Token: $TOKEN"], 503, "overloaded", "overloaded"),
        new(State.Full, "POST", Continue, "{}", ["X-Continuation-Token: $TOKEN", "Idempotency-Key: k"], 503, "overloaded", "overloaded"),
        new(State.Crowded, "GET", "/v1/session/$ID/stream", null, ["X-Continuation-Token: $TOKEN"], 503, "overloaded", "overloaded"),
        new(State.Crowded, "GET", "/v1/session/$ID/stream?follow=1&ticket=$IDTICKET", null, [], 503, "overloaded", "overloaded"),
        new(State.Crowded, "GET", "/v1/session/$BUSY/turn", null, ["X-Continuation-Token: $BUSYTOKEN", "Prefer: wait=5"], 503, "overloaded", "overloaded"),
        new(State.Crowded, "GET", "/v1/session/$OLD/stream?ticket=$OLDTICKET", null, [], 503, "overloaded", "overloaded"),
        new(State.Draining, "POST", "/v1/session", "{}", [], 503, "draining", "draining"),
        new(State.Draining, "POST", Continue, "{}", ["X-Continuation-Token: $TOKEN"], 503, "draining", "draining"),
        new(State.Draining, "GET", "/v1/ready", null, [], 503, "draining", "draining"),
        new(State.Broken, "POST", "/v1/session", "{}", [], 503, "store unavailable", "store-unavailable"),
        new(State.Broken, "POST", "/v1/session", "{}", ["Idempotency-Key: twenty-characters-or-more"], 503, "store unavailable", "store-unavailable"),
        new(State.Broken, "POST", Continue, "{}", ["X-Continuation-Token: $TOKEN", "Idempotency-Key: k"], 503, "store unavailable", "store-unavailable"),
        new(State.Hasty, "POST", "/v1/session", "{", ["Content-Length: 2"], 408, "timeout", "timeout"),

        Well("POST", "/v1/session", null, [Ann, "Content-Length: 2", "Transfer-Encoding: chunked"], 400, "bad request", "bad-request"),
        Well("POST", "/v1/session", null, [Ann, "Transfer-Encoding: chunked, chunked"], 400, "bad request", "bad-request"),
        Well("POST", "/v1/session", "x", [Ann, "Expect: a-miracle"], 417, "bad request", "bad-request"),
        Well("POST", "/v1/session", null, [Ann, "Transfer-Encoding: gzip, chunked"], 501, "bad request", "bad-request"),
        Well("POST", "/v1/session", "5junk\r\n", [Ann, "Transfer-Encoding: chunked"], 400, "bad request", "bad-request"),
        Well("GET", "/" + new string('a', 8200), null, [Ann], 414, "header too large", "header-too-large"),
        Well("GET", "/v1", null, [Ann, "X: " + new string('a', 33000)], 431, "header too large", "header-too-large"),
        Well("GET", "/v1", null, [.. Enumerable.Repeat("X: y", 101)], 431, "header too large", "header-too-large"),
    ];

    /// <summary>Over a WebSocket.</summary>
    public static IEnumerable<MessageRow> Messages { get; } =
    [
        new(State.Open, ["{"], "malformed JSON frame", "malformed-json"),
        new(State.Open, [""], "malformed JSON frame", "malformed-json"),
        new(State.Open, ["\uFEFF{}"], "malformed JSON frame", "malformed-json"),
        new(State.Open, ["{\"continuationToken\":\"$TOKEN\"}"], "present no continuationToken to start a session", "bad-request"),
        new(State.Open, ["{}", "{\"continuationToken\":\"x\"}"], Stale, "stale-token"),
        new(State.Open, ["{}", "{\"continuationToken\":\"\"}"], Stale, "stale-token"),
        new(State.Open, ["{}", "{\"continuationToken\":\"$TOKEN\"}"], Stale, "stale-token"),
        new(State.Open, ["{\"$iris\":\"nothing\"}"], "bad request", "bad-request"),
        new(State.Open, ["{\"$iris\":7}"], "bad request", "bad-request"),
        new(State.Open, ["{\"$ref\":\"" + new string('x', 511) + "\"}"], "$ref is longer than 512 bytes", "bad-request"),
        new(State.Open, ["{\"do\":\"throw\"}"], "turn failed", "turn-failed"),
        new(State.Open, ["{\"do\":\"overload\"}"], "overloaded", "overloaded"),
        new(State.Well, ["{\"do\":\"throw\"}"], "turn failed", "turn-failed", Ann),
        new(State.Full, ["{}"], "overloaded", "overloaded"),
        new(State.Broken, ["{}"], "store unavailable", "store-unavailable"),
        new(State.Crowded, ["{\"$iris\":\"attach\",\"sessionId\":\"$ID\",\"continuationToken\":\"$TOKEN\"}"], "overloaded", "overloaded"),
    ];

    /// <summary>Upgrades.</summary>
    public static IEnumerable<UpgradeRow> Upgrades { get; } =
    [
        new(State.Well, "/v1/ws", [Ann, "Host: evil.example"], 421, "host-denied"),
        new(State.Well, "/v1/ws", [Ann, "Origin: https://evil.example"], 403, "origin-denied"),
        new(State.Well, "/v1/ws?ticket=x", ["Origin: https://evil.example"], 403, "origin-denied"),
        new(State.Well, "/v1/ws", [], 401, "unauthorized"),
        new(State.Well, "/v1/ws?tickets=x", [], 401, "unauthorized"),
        new(State.Well, "/v1/nope?ticket=x", [], 401, "unauthorized"),
        new(State.Well, "/v1/session/$ID/stream?ticket=x", [], 401, "unauthorized"),
        new(State.Well, "/v1/ws", ["Authorization: Bearer throw"], 500, "turn-failed"),
        new(State.Well, "/v1/nope", [Ann], 404, "no-route"),
        new(State.Well, "/v1/session/$ID", [Ann, "X-Continuation-Token: $TOKEN"], 404, "no-route"),
        new(State.Well, "/v1/ws", [Ann, "Sec-WebSocket-Key: x"], 400, "bad-request"),
        new(State.Well, "/v1/ws", [Ann, "Content-Length: 2", "Transfer-Encoding: chunked"], 400, "bad-request"),
        new(State.Plain, "/v1/ws", [], 426, "upgrade-required", "Upgrade: websocket", "Connection: Upgrade"),
        new(State.Plain, "/v1/nope", [], 426, "upgrade-required", "Upgrade: websocket", "Connection: Upgrade"),
    ];

    private static RefusalRow Signal(string id, string? body, string[] fields, int status, string error, string code) =>
        Well("POST", $"/v1/session/{id}/signal/go", body, fields, status, error, code);

    private static RefusalRow Well(
        string method, string target, string? body, string[] fields, int status, string error, string code, params string[] more) =>
        new(State.Well, method, target, body, fields, status, error, code, more);
}
