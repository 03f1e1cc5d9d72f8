namespace Iris.Net.Sessions;

/// <summary>Why a request to run a turn is refused.</summary>
internal enum Refusal : byte
{
    None,
    UnknownSession,
    MissingToken,
    BadRequest,
    StaleToken,
    IdempotencyMismatch,
    InFlight,
    Contended,
    NotWaiting,
    Finished,
    Overloaded,
    Draining,
    StoreUnavailable,
}
