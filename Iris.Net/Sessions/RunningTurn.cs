using System.Threading.Tasks.Sources;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>One attempt at one turn, from its claim to its end. It outlives the exchange that started it.</summary>
internal sealed class RunningTurn : IThreadPoolWorkItem, IValueTaskSource<TurnEnd>
{
    private readonly SessionHost _host;
    private readonly Lease _lease;
    private readonly RecordWriter _records;
    private readonly TurnJournal _journal;
    private readonly RunningContext _context;
    private readonly CancellationTokenSource _cancel = new();
    private readonly long _started;
    private readonly long _requestSeq;
    private ManualResetValueTaskSourceCore<TurnEnd> _ended;
    private long _renewed, _cancelledAt;
    private int _cancelReason, _concluded;

    public RunningTurn(SessionHost host, Lease lease, SessionHead head, long nextSeq, OpenRequest? open, ReadOnlyMemory<byte> body)
    {
        _host = host;
        _lease = lease;
        Head = head;
        Body = body;
        OpenRequest? replay = open is not null && open.Body.Span.SequenceEqual(body.Span) ? open : null;
        Attempt = 1 + (replay?.Attempts ?? 0);
        Events = new TurnEvents(host.Settings.Time, host.EventLimits, host.Settings.Queue);
        _started = _renewed = host.Settings.Time.GetTimestamp();
        _records = host.RentRecords();
        _journal = new TurnJournal(host.Settings.Store, lease, nextSeq, _records, Events, host.Settings.Time);
        long startSeq = _journal.Begin(new AttemptStart(
            ClosesRequest: open is not null && replay is null, Number, Attempt, host.Minting, replay is null ? body : default));
        _requestSeq = replay?.FirstSeq ?? startSeq;
        _context = new RunningContext(this, _journal, replay, _cancel.Token);
    }

    public SessionId SessionId => _lease.Session;

    public SessionHead Head { get; }

    public ReadOnlyMemory<byte> Body { get; }

    /// <summary>The number that the turn has once it commits.</summary>
    public long Number => Head.Turn + 1;

    public int Attempt { get; }

    public int MaxSteps => _host.Settings.MaxStepsPerTurn;

    /// <summary>What readers follow.</summary>
    public TurnEvents Events { get; }

    private SessionSettings Settings => _host.Settings;

    /// <summary>The token that started the attempt: the client's until a turn commits.</summary>
    private ReadOnlyMemory<byte> PresentedToken => Head.Guard;

    public string StepKey(int place, string name) => _host.Key.ForStep(SessionId.Value, _requestSeq, place, name);

    /// <summary>Lets the program run, but not below its caller: one that blocks its thread holds up nobody else.</summary>
    public void Start() => Settings.Queue(this);

    /// <summary>Starts, and waits for the attempt's end. It never throws: whatever goes wrong is the end.</summary>
    public ValueTask<TurnEnd> RunAsync()
    {
        Start();
        return new(this, _ended.Version);
    }

    void IThreadPoolWorkItem.Execute() => _ = RunProgramAsync();

    /// <summary>Gives the claim back without running anything; no trace of it stays.</summary>
    public ValueTask WithdrawAsync()
    {
        _host.ReturnRecords(_records);
        return _host.ReleaseAsync(_lease);
    }

    /// <summary>Asks the program to end; after a grace the attempt is over regardless.</summary>
    public void Cancel(AbortReason reason)
    {
        if (Interlocked.CompareExchange(ref _cancelReason, (int)reason, 0) != 0)
            return;
        Volatile.Write(ref _cancelledAt, Settings.Time.GetTimestamp());
        _ = _cancel.CancelAsync();   // a program's callbacks run elsewhere, and are its own affair
    }

    /// <summary>Looks at the clock: the turn's time, the grace after a cancel, the lease.</summary>
    public void Tick()
    {
        TimeProvider time = Settings.Time;
        if (time.GetElapsedTime(_started) >= Settings.TurnTimeout)
            Cancel(AbortReason.Timeout);
        if (Volatile.Read(ref _cancelledAt) is not 0 and long at && time.GetElapsedTime(at) >= Settings.CancelGrace)
        {
            if (TryConclude())
                _ = AbandonAsync();
        }
        if (time.GetElapsedTime(_renewed) >= Settings.LeaseRenewal)
            _ = RenewAsync();
    }

    private async Task RunProgramAsync()
    {
        TurnOutcome? outcome = null;
        Exception? error = null;
        try
        {
            outcome = await Settings.Adapter.RunTurnAsync(_context, _cancel.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = e;
        }

        if (TryConclude())
            End(await ConcludeAsync(outcome, error).ConfigureAwait(false));
        else if (error is not null)
            _host.Report("abandoned", error);
    }

    private async Task AbandonAsync() =>
        End(await FailAsync(new AttemptOverException((AbortReason)_cancelReason)).ConfigureAwait(false));

    // The program's own end and the clock may come to it at once: one of them says how the attempt ended.
    private bool TryConclude() => Interlocked.Exchange(ref _concluded, 1) == 0;

    private void End(TurnEnd end)
    {
        _host.Leave(this);
        _host.ReturnRecords(_records);
        Events.Finish(end);
        _ended.SetResult(end);
    }

    private async ValueTask<TurnEnd> ConcludeAsync(TurnOutcome? outcome, Exception? error)
    {
        try
        {
            if (error is null)
                return await DecideAsync(outcome).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = e;
        }

        return await FailAsync(error).ConfigureAwait(false);
    }

    private async ValueTask<TurnEnd> DecideAsync(TurnOutcome? outcome)
    {
        await _context.CloseAsync().ConfigureAwait(false);
        if (_context.Doom is { } doom)
            throw doom;
        switch (outcome)
        {
            case CommittedOutcome committed:
                return await CommitAsync(committed).ConfigureAwait(false);
            case ContendedOutcome contended:
                await EndUncommittedAsync().ConfigureAwait(false);
                return TurnEnd.Contended(contended.Current, PresentedToken);
            case AbortedOutcome aborted:
                await EndUncommittedAsync().ConfigureAwait(false);
                _host.Report("aborted", new InvalidOperationException(aborted.Reason ?? "The adapter aborted the turn."));
                return TurnEnd.Aborted(AbortReason.Failed, PresentedToken);
            default:
                throw new InvalidOperationException("The program returned no outcome.");
        }
    }

    private async ValueTask<TurnEnd> CommitAsync(CommittedOutcome outcome)
    {
        ReadOnlyMemory<byte> reply = TurnEnd.ReplyOf(outcome), token = _host.Minting.Token();
        long seq = _journal.NextSeq, now = _journal.Now;
        SessionHead head = Head with
        {
            Guard = token,
            Turn = Number,
            ClientTurns = Head.ClientTurns + 1,
            NextSeq = seq + 2,
            Status = outcome is ParkedOutcome ? SessionStatus.Parked : SessionStatus.Finished,
            Wait = (outcome as ParkedOutcome)?.Wait,
            State = outcome.State.Utf8,
            Reply = reply,
            UpdatedAt = DateTimeOffset.FromUnixTimeMilliseconds(now),
        };
        JournalEntry marker = outcome is ParkedOutcome parked
            ? _records.Wait(seq, now, parked.Wait)
            : _records.Finish(seq, now, ((FinishedOutcome)outcome).Output);
        await _journal.CommitAsync(marker, head).ConfigureAwait(false);
        return TurnEnd.Committed(outcome, reply, token);
    }

    private async ValueTask<TurnEnd> FailAsync(Exception error)
    {
        await _context.CloseAsync().ConfigureAwait(false);
        await EndUncommittedAsync().ConfigureAwait(false);
        AbortReason reason = error is AttemptOverException over && over.Reason != AbortReason.None
            ? over.Reason
            : error is OperationCanceledException or AttemptOverException ? (AbortReason)Volatile.Read(ref _cancelReason) : AbortReason.None;
        if (reason is not (AbortReason.None or AbortReason.StoreUnavailable))
            return TurnEnd.Aborted(reason, PresentedToken);
        string errorId = _host.Minting.ShortName();
        _host.Report(errorId, error);
        return reason == AbortReason.StoreUnavailable ? TurnEnd.StoreUnavailable(PresentedToken)
            : error is HostOverloadedException ? TurnEnd.Overloaded(PresentedToken)
            : TurnEnd.Failed(errorId, error, PresentedToken);
    }

    /// <summary>Leaves the attempt in the journal, so that a retry is known as one, and gives the lease back.</summary>
    private async ValueTask EndUncommittedAsync()
    {
        try
        {
            await _journal.FlushAsync(Flush.Written).ConfigureAwait(false);
        }
        catch (AttemptOverException)
        {
            // The store is gone or somebody else has the session: the attempt leaves no trace, and nothing depends on one.
        }

        await _host.ReleaseAsync(_lease).ConfigureAwait(false);
    }

    private async Task RenewAsync()
    {
        _renewed = Settings.Time.GetTimestamp();
        try
        {
            if (!await Settings.Store.RenewAsync(_lease, Settings.LeaseTtl).ConfigureAwait(false))
                Cancel(AbortReason.LeaseLost);
        }
        catch (Exception e)
        {
            _host.Report("lease", e);   // the next tick tries again while the lease lasts
        }
    }

    TurnEnd IValueTaskSource<TurnEnd>.GetResult(short token) => _ended.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TurnEnd>.GetStatus(short token) => _ended.GetStatus(token);

    void IValueTaskSource<TurnEnd>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _ended.OnCompleted(continuation, state, token, flags);
}
