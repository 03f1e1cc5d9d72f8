namespace Iris.Net.Endpoints;

/// <summary>Every code that a refusal carries in <c>Iris-Refusal</c> and <c>code</c>. <see cref="RefusalText"/> maps each.</summary>
internal enum RefusalCode : byte
{
    UnknownSession,
    MissingToken,
    StaleToken,
    InFlight,
    MalformedJson,
    MalformedPath,
    NoRoute,
    MethodNotAllowed,
    TurnFailed,
    OriginDenied,
    HostDenied,
    Unauthorized,
    BodyTooLarge,
    HeaderTooLarge,
    Timeout,
    Overloaded,
    IdempotencyMismatch,
    NotWaiting,
    Finished,
    Contended,
    Draining,
    UnsupportedMediaType,
    UpgradeRequired,
    StoreUnavailable,
    BadRequest,
}
