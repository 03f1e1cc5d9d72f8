using System.Text.Json;

namespace Iris.Net.Journal;

/// <summary>What a journal record says. The first four are public: streams and timelines show them; the others are
/// private and show nowhere.</summary>
public enum RecordKind : byte
{
    /// <summary>A step begins.</summary>
    EffectIntent = 1,

    /// <summary>A step's result.</summary>
    EffectResult = 2,

    /// <summary>What an adapter decided.</summary>
    Decision = 3,

    /// <summary>A turn's end: <c>finish</c> or <c>wait</c>.</summary>
    Marker = 4,

    /// <summary>A session's first record: salt, principal, time.</summary>
    Session = 16,

    /// <summary>An attempt begins.</summary>
    TurnStarted = 17,

    /// <summary>The open request's results are never offered again.</summary>
    RequestClosed = 18,

    /// <summary>A signal was accepted.</summary>
    Signal = 19,

    /// <summary>A turn's commit: its state, its reply and the new head.</summary>
    Commit = 20,

    /// <summary>An attempt ended without a commit, and why.</summary>
    TurnEnded = 21,

    /// <summary>The open request was answered with 202: whoever serves the session runs it to its end.</summary>
    RequestAccepted = 22,

    /// <summary>The accepted request waits for its client: it was begun too often without an end.</summary>
    RequestDeferred = 23,

    /// <summary>An attempt begins that no client asked for: a signal or a timer woke the session.</summary>
    WakeStarted = 24,

    /// <summary>A cancel ended the wake: it is not tried again, and the next turn gets what woke it.</summary>
    WakeClosed = 25,
}

/// <summary>One record of a session's journal: its bytes as they were first written, and what a store needs to know of them.</summary>
/// <param name="Seq">The record's place, rising from 0 over the session's life.</param>
/// <param name="Kind">What it says.</param>
/// <param name="Utf8">The whole record as JSON; a store copies it before its append returns.</param>
public readonly record struct JournalEntry(long Seq, RecordKind Kind, ReadOnlyMemory<byte> Utf8)
{
    /// <summary>True where streams and timelines show the record.</summary>
    public bool IsPublic => Kind <= RecordKind.Marker;

    /// <summary>True where the record ends the open request: nothing before it is ever replayed.</summary>
    public bool ClosesRequest => Kind is RecordKind.Commit or RecordKind.RequestClosed;

    /// <summary>When it was written.</summary>
    internal DateTimeOffset ReadTime() =>
        DateTimeOffset.FromUnixTimeMilliseconds(JsonText.Parse(Utf8).GetProperty("ts"u8).GetInt64());

    /// <summary>What the record says beside its place, time and kind.</summary>
    internal JsonElement ReadPayload() => JsonText.Parse(Utf8).GetProperty("payload"u8);

    /// <summary>The six characters that name an attempt, of its <c>turn_started</c>.</summary>
    internal string ReadName() => ReadPayload().GetProperty("name"u8).GetString()!;
}
