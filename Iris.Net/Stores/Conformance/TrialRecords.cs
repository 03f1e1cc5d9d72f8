using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Stores.Conformance;

/// <summary>Real records: a store may rebuild a head from them alone.</summary>
internal static class TrialRecords
{
    private static readonly long Ts = TrialClock.Start.ToUnixTimeMilliseconds();

    private static RecordWriter Writer => new("conformance");   // one a record: its bytes stay

    public static JournalEntry Decision(long seq, string text = "") =>
        Writer.Decision(seq, Ts, JsonPayload.Parse(Bytes($"{{\"text\":\"{text}\"}}")));

    public static JournalEntry Of(long seq, RecordKind kind) => kind switch
    {
        RecordKind.EffectIntent => Writer.EffectIntent(seq, Ts, "step", "key", new StepOptions()),
        RecordKind.EffectResult => Writer.EffectResult(seq, Ts, EffectId.Format("step", seq - 1), JsonPayload.Null),
        RecordKind.Decision => Decision(seq),
        RecordKind.Marker => Writer.Wait(seq, Ts, SessionWait.User),
        RecordKind.TurnStarted => Writer.TurnStarted(seq, Ts, 1, 1, "abcdef", "{}"u8, []),
        RecordKind.WakeStarted => Writer.TurnStarted(seq, Ts, 1, 1, "abcdef", "null"u8, [], WaitKind.Timer),
        RecordKind.WakeClosed => Writer.WakeClosed(seq, Ts),
        RecordKind.RequestClosed => Writer.RequestClosed(seq, Ts),
        RecordKind.TurnEnded => Writer.TurnEnded(seq, Ts, "conformance"),
        RecordKind.RequestAccepted => Writer.RequestAccepted(seq, Ts),
        RecordKind.RequestDeferred => Writer.RequestDeferred(seq, Ts),
        RecordKind.Signal => new(seq, kind, Bytes(
            $"{{\"seq\":{seq},\"ts\":{Ts},\"defDigest\":\"conformance\",\"kind\":\"signal\",\"payload\":{{\"name\":\"go\"}}}}")),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    public static JournalEntry Commit(long seq, SessionHead head) =>
        Writer.Commit(seq, head.UpdatedAt.ToUnixTimeMilliseconds(), head);

    public static SignalMail Signal(long turn, long seq) => new(turn, Of(seq, RecordKind.Signal));

    public static SessionSeed Seed(string guard)
    {
        SessionHead head = new()
        {
            Guard = Bytes(guard),
            NextSeq = 1,
            CreatedAt = TrialClock.Start,
            UpdatedAt = TrialClock.Start,
        };
        return new(head, new[] { Writer.Session(0, Ts, head) });
    }

    /// <summary>What a turn leaves that parked; where the journal goes on is said when it is appended.</summary>
    public static SessionHead Head(string guard, long turn = 1) => new()
    {
        Guard = Bytes(guard),
        NextSeq = 0,
        Turn = turn,
        ClientTurns = turn,
        Status = SessionStatus.Parked,
        Wait = SessionWait.User,
        CreatedAt = TrialClock.Start,
        UpdatedAt = TrialClock.Start,
    };

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static string Text(ReadOnlyMemory<byte> utf8) => Encoding.UTF8.GetString(utf8.Span);
}
