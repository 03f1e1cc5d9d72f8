namespace Iris.Net.Journal;

/// <summary>What a session's journal holds that is not settled: behind its last commit, and of a client also before it, where a wake
/// turn committed beside the client's request.</summary>
internal sealed class JournalTail
{
    private bool _isWake;   // whose attempt began last
    private long _attemptAt = -1;   // the last record of it so far: an attempt's records follow one another

    /// <summary>The client's request that is open; null where none is.</summary>
    public OpenRequest? Open { get; private set; }

    /// <summary>The attempts of the wake that has not committed; null where there are none.</summary>
    public OpenRequest? Wake { get; private set; }

    /// <summary>Whether a client's request was admitted since the last client turn, closed by now or not.</summary>
    public bool WasAdmitted { get; private set; }

    /// <summary>The latest client request, where a cancel closed it; null otherwise.</summary>
    public CancelledRequest? Cancelled { get; private set; }

    /// <summary>The signal that no commit has consumed; null where there is none.</summary>
    public AcceptedSignal? Signal { get; private set; }

    /// <summary>Whether the wake was cancelled.</summary>
    public bool IsWakeClosed { get; private set; }

    /// <summary>Why the latest attempt since the last commit ended; empty where no end is known, null where none began.</summary>
    public string? LatestEnd { get; private set; }

    /// <summary>Where what is unsettled of a client begins; 0 where nothing is.</summary>
    public long ClientSeq { get; private set; }

    /// <summary>The seq behind the last record; 0 where there is none.</summary>
    public long NextSeq { get; private set; }

    public static async ValueTask<JournalTail> ReadAsync(IAsyncEnumerable<JournalEntry> records)
    {
        JournalTail tail = new();
        await foreach (JournalEntry record in records.ConfigureAwait(false))
            tail.Add(record);
        return tail;
    }

    private void Add(in JournalEntry record)
    {
        NextSeq = record.Seq + 1;
        switch (record.Kind)
        {
            case RecordKind.TurnStarted:
                (WasAdmitted, Cancelled, LatestEnd) = (true, null, "");
                (_isWake, _attemptAt) = (false, record.Seq);
                Open = OpenRequest.Add(Open, record);
                ClientSeq = Open.FirstSeq;
                break;
            case RecordKind.WakeStarted:
                LatestEnd = "";
                (_isWake, _attemptAt) = (true, record.Seq);
                Wake = OpenRequest.Add(Wake, record);
                break;
            case RecordKind.RequestClosed:
                (Open, Cancelled, WasAdmitted, ClientSeq) = (null, CancelledRequest.Read(record), true, record.Seq);
                if (Cancelled is not null)
                    LatestEnd = "cancelled";
                KeepAttempt(record);
                break;
            case RecordKind.RequestAccepted or RecordKind.RequestDeferred:
                if (Open is not null)
                    OpenRequest.Add(Open, record);
                KeepAttempt(record);
                break;
            case RecordKind.Signal:
                Signal = AcceptedSignal.Read(record);
                break;
            case RecordKind.WakeClosed:
                (IsWakeClosed, LatestEnd) = (true, "cancelled");
                KeepAttempt(record);
                break;
            case RecordKind.Marker or RecordKind.Commit:
                // What a client commits settles all that was; what a wake does, its own alone.
                if (!_isWake && _attemptAt == record.Seq - 1)
                    (Open, Cancelled, WasAdmitted, ClientSeq) = (null, null, false, 0);
                (Wake, Signal, IsWakeClosed, LatestEnd) = (null, null, false, null);
                KeepAttempt(record);
                break;
            default:
                AddToAttempt(record);
                break;
        }
    }

    private void KeepAttempt(in JournalEntry record) => _attemptAt = _attemptAt == record.Seq - 1 ? record.Seq : -1;

    private void AddToAttempt(in JournalEntry record)
    {
        KeepAttempt(record);
        if (_attemptAt < 0 || (_isWake ? Wake : Open) is not { } request)
            return;   // of a request that is over, as far as a store still has it
        OpenRequest.Add(request, record);
        if (record.Kind == RecordKind.TurnEnded)
            LatestEnd = request.EndReason;
    }
}
