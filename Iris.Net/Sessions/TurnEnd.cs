using System.Runtime.InteropServices;
using System.Text.Json;
using Iris.Net.Journal;

namespace Iris.Net.Sessions;

/// <summary>How an attempt ended, as its client is told.</summary>
internal enum TurnStatus : byte
{
    Finished,
    Parked,
    Contended,
    Aborted,

    /// <summary>The program threw.</summary>
    Failed,

    /// <summary>The host has no room for another turn.</summary>
    Overloaded,

    /// <summary>The store cannot be reached or trusted: what became of a commit is not known.</summary>
    StoreUnavailable,
}

/// <summary>Why an attempt ended without a commit.</summary>
internal enum AbortReason : byte
{
    None,
    Failed,
    Timeout,
    LeaseLost,
    Cancelled,
    Contended,

    /// <summary>The server stops.</summary>
    Stopped,

    /// <summary>Its process ended before it did.</summary>
    Crashed,

    /// <summary>The store cannot be reached or trusted: what became of a commit is not known.</summary>
    StoreUnavailable,
}

/// <summary>The reasons as clients and journals have them.</summary>
internal static class AbortReasonText
{
    public static string Of(AbortReason reason) => reason switch
    {
        AbortReason.None or AbortReason.Failed => "failed",
        AbortReason.Timeout => "timeout",
        AbortReason.LeaseLost => "lease_lost",
        AbortReason.Cancelled => "cancelled",
        AbortReason.Contended => "contended",
        AbortReason.Stopped or AbortReason.Crashed or AbortReason.StoreUnavailable => "crashed",
        _ => throw new ArgumentOutOfRangeException(nameof(reason)),
    };

    /// <summary>A missing one is a crash: nothing was there to write it.</summary>
    public static AbortReason Parse(string? text) => text switch
    {
        "failed" => AbortReason.Failed,
        "timeout" => AbortReason.Timeout,
        "lease_lost" => AbortReason.LeaseLost,
        "cancelled" => AbortReason.Cancelled,
        "contended" => AbortReason.Contended,
        _ => AbortReason.Crashed,
    };
}

/// <summary>The end of an attempt.</summary>
internal sealed class TurnEnd
{
    private static readonly byte[] FinishedReply = "{\"status\":\"finished\"}"u8.ToArray();
    private static readonly byte[] AbortedFields = "\"status\":\"aborted\""u8.ToArray();
    private TurnEnd(TurnStatus status) => Status = status;

    public TurnStatus Status { get; }

    /// <summary>True where the attempt ended in an error instead of an outcome.</summary>
    public bool IsError => Status is TurnStatus.Failed or TurnStatus.Overloaded or TurnStatus.StoreUnavailable;

    public bool IsCommitted => Status is TurnStatus.Finished or TurnStatus.Parked;

    /// <summary>The members of the reply that tell the outcome, from <c>"status"</c> on: <c>"status":…,"output":…</c>.</summary>
    public ReadOnlyMemory<byte> Fields { get; private init; }

    /// <summary>The token that the client now holds, in UTF-8: a new one where the turn committed.</summary>
    public ReadOnlyMemory<byte> Token { get; private init; }

    public AbortReason Reason { get; private init; }

    /// <summary>Names what the program threw in the server's log.</summary>
    public string? ErrorId { get; private init; }

    /// <summary>What the program threw; told to clients only where the host wants that.</summary>
    public Exception? Error { get; private init; }

    /// <summary>When the session runs out; null where it does not.</summary>
    public DateTimeOffset? ExpiresAt { get; private init; }

    /// <summary>What wakes the session that parked on a signal; null where it did not, or where clients are not told.</summary>
    public WakeKey? Wake { get; private init; }

    /// <summary>A commit, as its reply tells it.</summary>
    public static TurnEnd Committed(
        ReadOnlyMemory<byte> reply, ReadOnlyMemory<byte> token, DateTimeOffset? expiresAt, WakeKey? wake = null) =>
        new(reply.Span.StartsWith("{\"status\":\"finished\""u8) ? TurnStatus.Finished : TurnStatus.Parked)
        {
            Fields = MembersOf(reply),
            Token = token,
            ExpiresAt = expiresAt,
            Wake = wake,
        };

    /// <summary>What a turn's marker tells of its end; the token where that is still the current one.</summary>
    public static TurnEnd OfMarker(in JournalEntry marker, ReadOnlyMemory<byte> token)
    {
        JsonElement payload = marker.ReadPayload();
        bool isParked = payload.TryGetProperty("wait"u8, out JsonElement wait);
        bool hasOutput = payload.TryGetProperty("output"u8, out JsonElement output);
        ReadOnlySpan<byte> value = isParked ? JsonMarshal.GetRawUtf8Value(wait) : hasOutput ? JsonMarshal.GetRawUtf8Value(output) : default;
        return new(isParked ? TurnStatus.Parked : TurnStatus.Finished)
        {
            Fields = isParked ? (byte[])[.. "\"status\":\"parked\",\"wait\":"u8, .. value]
                : hasOutput ? (byte[])[.. "\"status\":\"finished\",\"output\":"u8, .. value]
                : MembersOf(FinishedReply),
            Token = token,
        };
    }

    public static TurnEnd Aborted(AbortReason reason, ReadOnlyMemory<byte> token) =>
        new(TurnStatus.Aborted) { Fields = AbortedFields, Token = token, Reason = reason };

    public static TurnEnd Contended(long current, ReadOnlyMemory<byte> token) => new(TurnStatus.Contended)
    {
        Fields = MembersOf(JsonText.Object(json =>
        {
            json.WriteString("status"u8, "contended"u8);
            json.WriteNumber("current"u8, current);
        })),
        Token = token,
        Reason = AbortReason.Contended,
    };

    public static TurnEnd Failed(string errorId, Exception error, ReadOnlyMemory<byte> token) =>
        new(TurnStatus.Failed) { ErrorId = errorId, Error = error, Token = token, Reason = AbortReason.Failed };

    public static TurnEnd Overloaded(ReadOnlyMemory<byte> token) =>
        new(TurnStatus.Overloaded) { Token = token, Reason = AbortReason.Failed };

    public static TurnEnd StoreUnavailable(ReadOnlyMemory<byte> token) =>
        new(TurnStatus.StoreUnavailable) { Token = token, Reason = AbortReason.StoreUnavailable };

    /// <summary>The same end where it is told as an outcome: it left no commit.</summary>
    public TurnEnd AsAborted() => Aborted(Reason, Token);

    /// <summary>The same end as it is told to who must not have the token.</summary>
    public TurnEnd WithoutToken() => new(Status)
    {
        Fields = Fields,
        Reason = Reason,
        ErrorId = ErrorId,
        Error = Error,
        ExpiresAt = ExpiresAt,
    };

    /// <summary>What a commit answers, without names and tokens: <c>{"status":"finished"[,"output":…]}</c> or
    /// <c>{"status":"parked","wait":…}</c>.</summary>
    public static ReadOnlyMemory<byte> ReplyOf(CommittedOutcome outcome) => outcome switch
    {
        FinishedOutcome { Output.HasValue: true } finished =>
            (byte[])[.. "{\"status\":\"finished\",\"output\":"u8, .. finished.Output.Utf8.Span, (byte)'}'],
        FinishedOutcome => FinishedReply,
        ParkedOutcome parked => ReplyOf(parked.Wait),
        _ => throw new InvalidOperationException("A commit finishes or parks."),
    };

    /// <summary>The signal's name that a reply says its turn parked on; null where it is another reply.</summary>
    public static string? SignalOf(ReadOnlyMemory<byte> reply) =>
        JsonText.Parse(reply).TryGetProperty("wait"u8, out JsonElement wait) && wait.TryGetProperty("name"u8, out JsonElement name)
            ? name.GetString() : null;

    private static ReadOnlyMemory<byte> ReplyOf(SessionWait wait) => JsonText.Object(json =>
    {
        json.WriteString("status"u8, "parked"u8);
        json.WritePropertyName("wait"u8);
        WaitJson.Write(json, wait);
    });

    // The members alone: readers of the fields put their own before and behind them.
    private static ReadOnlyMemory<byte> MembersOf(ReadOnlyMemory<byte> json) => json[1..^1];
}
