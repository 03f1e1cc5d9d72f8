using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>What each <see cref="RefusalCode"/> is on the wire.</summary>
internal static class RefusalText
{
    public static int StatusOf(RefusalCode code) => Describe(code).Status;

    public static string CodeOf(RefusalCode code) => Describe(code).Code;

    /// <summary>The code in words.</summary>
    public static string TitleOf(RefusalCode code) => CodeOf(code).Replace('-', ' ');

    /// <summary>The text of <c>error</c> where the route gives none of its own.</summary>
    public static string ErrorOf(RefusalCode code) => Describe(code).Error is { Length: > 0 } error ? error : TitleOf(code);

    /// <summary>Whether trying again a little later may help.</summary>
    public static bool IsTransient(RefusalCode code) =>
        code is RefusalCode.InFlight or RefusalCode.Contended or RefusalCode.Overloaded or RefusalCode.StoreUnavailable;

    /// <summary>The code of what the sessions refuse.</summary>
    public static RefusalCode CodeOf(Refusal refusal) => refusal switch
    {
        Refusal.UnknownSession => RefusalCode.UnknownSession,
        Refusal.MissingToken => RefusalCode.MissingToken,
        Refusal.BadRequest => RefusalCode.BadRequest,
        Refusal.StaleToken => RefusalCode.StaleToken,
        Refusal.IdempotencyMismatch => RefusalCode.IdempotencyMismatch,
        Refusal.InFlight => RefusalCode.InFlight,
        Refusal.Contended => RefusalCode.Contended,
        Refusal.NotWaiting => RefusalCode.NotWaiting,
        Refusal.Finished => RefusalCode.Finished,
        Refusal.Overloaded => RefusalCode.Overloaded,
        Refusal.Draining => RefusalCode.Draining,
        Refusal.StoreUnavailable => RefusalCode.StoreUnavailable,
        _ => throw new ArgumentOutOfRangeException(nameof(refusal)),
    };

    /// <summary>The code of what the server itself refuses with a status.</summary>
    public static RefusalCode CodeOf(int status) => status switch
    {
        408 => RefusalCode.Timeout,
        413 => RefusalCode.BodyTooLarge,
        414 or 431 => RefusalCode.HeaderTooLarge,
        421 => RefusalCode.HostDenied,
        426 => RefusalCode.UpgradeRequired,
        404 => RefusalCode.NoRoute,
        500 => RefusalCode.TurnFailed,
        503 => RefusalCode.Overloaded,
        _ => RefusalCode.BadRequest,
    };

#pragma warning disable CS8524 // No default arm: a new code without a status must not build.
    private static (int Status, string Code, string Error) Describe(RefusalCode code) => code switch
    {
        RefusalCode.UnknownSession => (404, "unknown-session", ""),
        RefusalCode.MissingToken => (400, "missing-token", "missing continuationToken"),
        RefusalCode.StaleToken => (409, "stale-token", "stale or invalid continuationToken"),
        RefusalCode.InFlight => (409, "in-flight", "a turn is already in flight for this session"),
        RefusalCode.MalformedJson => (400, "malformed-json", "malformed JSON body"),
        RefusalCode.MalformedPath => (400, "malformed-path", "malformed session id"),
        RefusalCode.NoRoute => (404, "no-route", ""),
        RefusalCode.MethodNotAllowed => (405, "method-not-allowed", ""),
        RefusalCode.TurnFailed => (500, "turn-failed", "internal error: turn failed"),
        RefusalCode.OriginDenied => (403, "origin-denied", ""),
        RefusalCode.HostDenied => (421, "host-denied", ""),
        RefusalCode.Unauthorized => (401, "unauthorized", ""),
        RefusalCode.BodyTooLarge => (413, "body-too-large", ""),
        RefusalCode.HeaderTooLarge => (431, "header-too-large", ""),
        RefusalCode.Timeout => (408, "timeout", ""),
        RefusalCode.Overloaded => (503, "overloaded", ""),
        RefusalCode.IdempotencyMismatch =>
            (422, "idempotency-mismatch", "Idempotency-Key was already used with a different request"),
        RefusalCode.NotWaiting => (409, "not-waiting", ""),
        RefusalCode.Finished => (410, "finished", ""),
        RefusalCode.Contended => (409, "contended", ""),
        RefusalCode.Draining => (503, "draining", ""),
        RefusalCode.UnsupportedMediaType => (415, "unsupported-media-type", ""),
        RefusalCode.UpgradeRequired => (426, "upgrade-required", ""),
        RefusalCode.StoreUnavailable => (503, "store-unavailable", ""),
        RefusalCode.BadRequest => (400, "bad-request", ""),
    };
#pragma warning restore CS8524
}
