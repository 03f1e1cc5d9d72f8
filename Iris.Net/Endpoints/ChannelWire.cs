using System.Text;
using Iris.Net.Http;
using Iris.Net.Server;
using Iris.Net.Sessions;
using Iris.Net.Stores;

namespace Iris.Net.Endpoints;

/// <summary>How one channel speaks: which parts of the protocol are on.</summary>
/// <param name="Sessions">The channel's sessions.</param>
/// <param name="IsSeedExact">True: the base protocol alone, without extensions.</param>
/// <param name="ExposeErrors">True: what a program threw is told to clients.</param>
/// <param name="MaxJsonDepth">Deeper bodies are malformed.</param>
internal sealed record ChannelWire(SessionHost Sessions, bool IsSeedExact, bool ExposeErrors, int MaxJsonDepth)
{
    private static ReadOnlySpan<byte> JsonType => "application/json"u8;

    private static ReadOnlySpan<byte> ProblemType => "application/problem+json"u8;

    /// <summary>Adds the header fields of every JSON reply.</summary>
    public static void AddJsonHeaders(HttpResponse response) => AddHeaders(response, JsonType);

    /// <summary>Sends a JSON reply.</summary>
    public static ValueTask SendJsonAsync(HttpResponse response, int status, ReadOnlyMemory<byte> json, CancellationToken cancel = default)
    {
        response.Status = status;
        AddJsonHeaders(response);
        return response.SendAsync(json, cancel);
    }

    /// <summary>Sends a refusal: as JSON, as a problem where the client asks for one, to an upgrade without a body.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="code">Why.</param>
    /// <param name="error">What to say; null for what the code always says.</param>
    /// <param name="errorId">Names an exception in the server's log.</param>
    /// <param name="echoesPath">False: the path is too long to be sent back.</param>
    /// <param name="recover">Where the reply is that the refused client missed.</param>
    /// <param name="reason">Why the session is gone.</param>
    /// <param name="cancel">Ends the wait.</param>
    public ValueTask RefuseAsync(
        HttpExchange exchange, RefusalCode code, string? error = null, string? errorId = null, bool echoesPath = true,
        string? recover = null, string? reason = null, CancellationToken cancel = default)
    {
        HttpResponse response = exchange.Response;
        response.Status = RefusalText.StatusOf(code);
        return response.SendAsync(WriteRefusal(exchange.Request, response, code, error, errorId, echoesPath, recover, reason), cancel);
    }

    /// <summary>The header fields that a program reads a refusal by.</summary>
    public void AddRefusalHeaders(HttpResponse response, RefusalCode code)
    {
        RefusalInstruments.Refused(code);
        if (IsSeedExact)
            return;
        response.Headers.Add("Iris-Refusal"u8, RefusalText.CodeOf(code));
        if (RefusalText.IsTransient(code))
            response.Headers.Add("Retry-After"u8, "1"u8);
    }

    /// <summary>Adds a refusal's header fields, and gives its body. The status is set already. There is no request where its head
    /// could not be read.</summary>
    public ReadOnlyMemory<byte> WriteRefusal(
        HttpRequest? request, HttpResponse response, RefusalCode code, string? error = null, string? errorId = null, bool echoesPath = true,
        string? recover = null, string? reason = null)
    {
        AddRefusalHeaders(response, code);
        error ??= RefusalText.ErrorOf(code);
        if (request is { IsWebSocketUpgrade: true })
            return default;
        if (request is null || IsSeedExact || !AsksForProblem(request))
        {
            AddJsonHeaders(response);
            return WireJson.Refusal(error, IsSeedExact ? null : RefusalText.CodeOf(code), IsSeedExact ? null : errorId, recover, reason);
        }

        AddHeaders(response, ProblemType);
        return WireJson.Problem(code, response.Status, error, echoesPath ? Encoding.UTF8.GetString(request.Path) : null, errorId, recover, reason);
    }

    /// <summary>What a refusal of the sessions says on every face.</summary>
    /// <param name="admission">The refusal.</param>
    /// <param name="sessionId">As the client named the session; null where it named none. A START's key may have named one that is gone.</param>
    public RefusalDetails DetailsOf(Admission admission, string? sessionId)
    {
        GoneSession? gone = IsSeedExact ? null : admission.Gone;
        sessionId = gone?.Id.Value ?? sessionId;
        bool isNamed = admission.Refusal == Refusal.UnknownSession && sessionId?.Length <= SessionId.MaxLength;   // else not echoed
        return new(
            RefusalText.CodeOf(admission.Refusal), isNamed ? $"unknown session '{sessionId}'" : null,
            admission.CanRecover && !IsSeedExact && sessionId is not null ? SessionRoutes.ReceiptOf(sessionId) : null, gone?.Reason);
    }

    /// <summary>An <c>error</c> event.</summary>
    public ReadOnlyMemory<byte> ErrorEvent(RefusalCode code, string? message = null, string? errorId = null) =>
        ErrorEvent(new RefusalDetails(code, message), errorId);

    /// <summary>The same, with where to recover and why the session is gone.</summary>
    public ReadOnlyMemory<byte> ErrorEvent(in RefusalDetails why, string? errorId = null)
    {
        RefusalInstruments.Refused(why.Code);
        string message = why.Error ?? RefusalText.ErrorOf(why.Code);
        return IsSeedExact
            ? WireJson.ErrorEvent(message, null, null)
            : WireJson.ErrorEvent(message, RefusalText.CodeOf(why.Code), errorId, why.Recover, why.Reason);
    }

    /// <summary>The last event of a turn: its outcome, or the error that it ended in.</summary>
    public ReadOnlyMemory<byte> LastEvent(string sessionId, TurnEnd end) => end.Status switch
    {
        TurnStatus.Failed => ErrorEvent(
            RefusalCode.TurnFailed, ExposeErrors ? end.Error!.Message : "turn failed", end.ErrorId),
        TurnStatus.Overloaded => ErrorEvent(RefusalCode.Overloaded),
        TurnStatus.StoreUnavailable => ErrorEvent(RefusalCode.StoreUnavailable),
        _ => WireJson.Outcome(sessionId, end, isExtended: !IsSeedExact),
    };

    /// <summary>What <c>error</c> says of what was thrown.</summary>
    public string? FailureText(Exception error) => ExposeErrors ? $"internal error: {error.Message}" : null;

    private static void AddHeaders(HttpResponse response, ReadOnlySpan<byte> type)
    {
        response.Headers.Add("content-type"u8, type);
        response.Headers.Add("Cache-Control"u8, "no-store"u8);
        response.Headers.Add("X-Content-Type-Options"u8, "nosniff"u8);
    }

    private static bool AsksForProblem(HttpRequest request)
    {
        foreach (ReadOnlySpan<byte> accept in request.Headers.ValuesOf("accept"u8))
            if (MediaRanges.Name(accept, ProblemType))
                return true;
        return false;
    }
}

/// <summary>What a refusal says.</summary>
/// <param name="Code">Why.</param>
/// <param name="Error">In words; null for what the code always says.</param>
/// <param name="Recover">Where the reply is that the refused client missed.</param>
/// <param name="Reason">Why the session is gone.</param>
internal readonly record struct RefusalDetails(RefusalCode Code, string? Error = null, string? Recover = null, string? Reason = null);
