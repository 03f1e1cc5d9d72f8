namespace Iris.Net;

/// <summary>Finds out who asks. It is called for every request and every upgrade but those for health and readiness, after Host
/// and Origin were judged; it leaves body and response alone, and bounds its own waits. What it throws is told to the log, and the
/// client gets 500.</summary>
/// <param name="exchange">The request, with its addresses. It may not be used after the task has ended.</param>
/// <param name="disconnected">Cancelled once the connection is known to be gone.</param>
public delegate ValueTask<AuthorizeResult> Authorizer(Server.HttpExchange exchange, CancellationToken disconnected);

/// <summary>What an <see cref="Authorizer"/> found out: who asks, or that nobody may. The default value refuses.</summary>
public readonly struct AuthorizeResult
{
    /// <summary>The most characters that a principal has.</summary>
    public const int MaxPrincipalLength = 256;

    private readonly string? _challenge;

    private AuthorizeResult(string? principal, string? challenge) => (Principal, _challenge) = (principal, challenge);

    /// <summary>Who asks; null where the request is refused.</summary>
    public string? Principal { get; }

    /// <summary>What <c>WWW-Authenticate</c> says where the request is refused.</summary>
    public string Challenge => _challenge ?? "Bearer";

    /// <summary>Lets the request in.</summary>
    /// <param name="principal">Who asks. Sessions belong to it, compared as it stands: 1 to 256 characters without control
    /// characters. It is kept with the session.</param>
    /// <exception cref="ArgumentException">No such text.</exception>
    public static AuthorizeResult Allow(string principal) =>
        principal is { Length: > 0 and <= MaxPrincipalLength } && UnicodeText.IsWellFormed(principal) && !principal.Any(char.IsControl)
            ? new(principal, null)
            : throw new ArgumentException(
                $"A principal has 1 to {MaxPrincipalLength} characters, no control characters, and no lone surrogate.", nameof(principal));

    /// <summary>Refuses the request with 401.</summary>
    /// <param name="challenge">The value of <c>WWW-Authenticate</c> (RFC 9110 section 11.6.1), such as
    /// <c>Bearer error="invalid_token"</c>.</param>
    /// <exception cref="ArgumentException">The challenge is empty or has control characters.</exception>
    public static AuthorizeResult Refuse(string challenge = "Bearer") =>
        challenge is { Length: > 0 } && !challenge.Any(char.IsControl)
            ? new(null, challenge)
            : throw new ArgumentException("A challenge has at least one character and no control characters.", nameof(challenge));
}
