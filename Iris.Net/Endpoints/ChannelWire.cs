using Iris.Net.Http;
using Iris.Net.Server;
using Iris.Net.Sessions;

namespace Iris.Net.Endpoints;

/// <summary>How one channel speaks: which parts of the protocol are on.</summary>
/// <param name="Sessions">The channel's sessions.</param>
/// <param name="IsSeedExact">True: the base protocol alone, without extensions.</param>
/// <param name="ExposeErrors">True: what a program threw is told to clients.</param>
/// <param name="MaxJsonDepth">Deeper bodies are malformed.</param>
internal sealed record ChannelWire(SessionHost Sessions, bool IsSeedExact, bool ExposeErrors, int MaxJsonDepth)
{
    private static readonly byte[] JsonType = "application/json"u8.ToArray();

    /// <summary>Adds the header fields of every JSON reply.</summary>
    public static void AddJsonHeaders(HttpResponse response)
    {
        response.Headers.Add("content-type"u8, JsonType);
        response.Headers.Add("Cache-Control"u8, "no-store"u8);
        response.Headers.Add("X-Content-Type-Options"u8, "nosniff"u8);
    }

    /// <summary>Sends a JSON reply.</summary>
    public static ValueTask SendJsonAsync(HttpResponse response, int status, ReadOnlyMemory<byte> json, CancellationToken cancel = default)
    {
        response.Status = status;
        AddJsonHeaders(response);
        return response.SendAsync(json, cancel);
    }

    /// <summary>Sends a refusal as a plain JSON reply.</summary>
    public ValueTask RefuseAsync(
        HttpResponse response, RefusalCode code, string? error = null, string? errorId = null, CancellationToken cancel = default)
    {
        AddRefusalHeaders(response, code);
        return SendJsonAsync(response, RefusalText.StatusOf(code), RefusalBody(code, error, errorId), cancel);
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

    /// <summary>The body of what the server itself refuses, as <see cref="HttpServerOptions.OnRejected"/> wants it.</summary>
    public ReadOnlyMemory<byte> RejectionBody(HttpRequest? request, HttpResponse response, RejectionReason reason)
    {
        RefusalCode code = RefusalText.CodeOf(response.Status);
        AddRefusalHeaders(response, code);
        AddJsonHeaders(response);
        return RefusalBody(code);
    }

    public ReadOnlyMemory<byte> RefusalBody(RefusalCode code, string? error = null, string? errorId = null) => WireJson.Refusal(
        error ?? RefusalText.ErrorOf(code), IsSeedExact ? null : RefusalText.CodeOf(code), IsSeedExact ? null : errorId);

    /// <summary>An <c>error</c> event.</summary>
    public ReadOnlyMemory<byte> ErrorEvent(RefusalCode code, string? message = null, string? errorId = null)
    {
        RefusalInstruments.Refused(code);
        return WireJson.ErrorEvent(
            message ?? RefusalText.ErrorOf(code), IsSeedExact ? null : RefusalText.CodeOf(code), IsSeedExact ? null : errorId);
    }

    /// <summary>The last event of a turn: its outcome, or the error that it ended in.</summary>
    public ReadOnlyMemory<byte> LastEvent(string sessionId, TurnEnd end) => end.Status switch
    {
        TurnStatus.Failed => ErrorEvent(
            RefusalCode.TurnFailed, ExposeErrors ? end.Error!.Message : "turn failed", end.ErrorId),
        TurnStatus.Overloaded => ErrorEvent(RefusalCode.Overloaded),
        TurnStatus.StoreUnavailable => ErrorEvent(RefusalCode.StoreUnavailable),
        _ => WireJson.Outcome(sessionId, end),
    };

    /// <summary>What <c>error</c> says of a turn that threw.</summary>
    public string? FailureText(TurnEnd end) => ExposeErrors ? $"internal error: {end.Error!.Message}" : null;
}
