using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>One attempt at one turn, from its claim to its end. It outlives the exchange that started it.</summary>
internal sealed partial class RunningTurn : IThreadPoolWorkItem, IValueTaskSource<TurnEnd>
{
    private readonly SessionHost _host;
    private readonly Lease _lease;
    private readonly RecordWriter _records;
    private readonly TurnJournal _journal;
    private readonly RunningContext _context;
    private readonly CancellationTokenSource _cancel = new();
    private readonly long _started;
    private volatile bool _isAccepted;
    private ManualResetValueTaskSourceCore<TurnEnd> _ended;
    private ActivityContext _caller;
    private Activity? _span;
    private bool _isCounted;
    private int _concluded;

    public RunningTurn(SessionHost host, Lease lease, SessionHead head, long nextSeq, JournalTail? tail, in TurnRequest request, WaitKind? wokenBy = null)
    {
        _host = host;
        _lease = lease;
        Head = head;
        Request = request;
        WokenBy = wokenBy;
        Signal = tail?.Signal;
        ClientSeq = tail?.ClientSeq ?? 0;
        ReadOnlyMemory<byte> body = request.Body;
        OpenRequest? open = IsWake ? tail?.Wake : tail?.Open;
        OpenRequest? replay = open is not null && open.Body.Span.SequenceEqual(body.Span) ? open : null;
        Attempt = 1 + (replay?.Attempts ?? 0);
        Key = replay is not null && request.Key is null ? replay.Key : request.KeyDigest;
        Events = new TurnEvents(host.Settings.Time, host.EventLimits, host.Settings.Queue);
        _started = _renewed = host.Settings.Time.GetTimestamp();
        _records = host.RentRecords();
        Events.Publish(nextSeq - 1);
        _journal = new TurnJournal(host.Settings.Store, lease, nextSeq, _records, Events, host.Settings.Time);
        long startSeq = _journal.Begin(new AttemptStart(
            ClosesRequest: open is not null && replay is null, Number, Attempt, host.Minting, replay is null ? body : default, Key, wokenBy));
        StartSeq = startSeq;
        Events.Begin(startSeq);
        FirstSeq = replay?.FirstSeq ?? startSeq;
        _isAccepted = replay is { IsAccepted: true };
        _context = new RunningContext(this, _journal, replay, _cancel.Token);
    }

    public SessionId SessionId => _lease.Session;

    public SessionHead Head { get; }

    /// <summary>What a client asked for.</summary>
    public TurnRequest Request { get; }

    /// <summary>What woke the session; null where a client asked.</summary>
    public WaitKind? WokenBy { get; }

    /// <summary>Whether no client asked for the turn.</summary>
    public bool IsWake => WokenBy is not null;

    /// <summary>The signal that was accepted before the turn, which its commit consumes; null where there is none.</summary>
    public AcceptedSignal? Signal { get; }

    /// <summary>Where what a client left unsettled begins; 0 where nothing is.</summary>
    public long ClientSeq { get; }

    /// <summary>SHA-256 of the idempotency key that the request came with, be it at an earlier attempt; empty where it has none.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>The seq of the request's first <c>turn_started</c>.</summary>
    public long FirstSeq { get; }

    /// <summary>The seq of the attempt's own <c>turn_started</c>.</summary>
    public long StartSeq { get; }

    /// <summary>Six random characters that name the attempt.</summary>
    public string Name => _journal.Name;

    /// <summary>The number that the turn has once it commits.</summary>
    public long Number => Head.Turn + 1;

    public int Attempt { get; }

    /// <summary>Whether it is run to its end whatever becomes of its client.</summary>
    public bool IsAccepted => _isAccepted;

    public int MaxSteps => _host.Settings.MaxStepsPerTurn;

    /// <summary>What readers follow.</summary>
    public TurnEvents Events { get; }

    private SessionSettings Settings => _host.Settings;

    /// <summary>Its events, for readers that come later than it is over.</summary>
    public AttemptEvents Attended => new(SessionId, Number, Name, StartSeq, Events);

    /// <summary>The id of the event at a place.</summary>
    public EventCursor CursorAt(EventPlace place) => new(Number, place.Seq, place.Delta, Name);

    /// <summary>The token that started the attempt: the client's until a turn commits.</summary>
    public ReadOnlyMemory<byte> PresentedToken => _host.Tokens.CurrentOf(SessionId, Head);

    /// <summary>What sends the session its next signal of a name, once this turn has committed.</summary>
    public WakeKey WakeFor(string name) => _host.Wakes.KeyOf(
        SessionId, Head.Salt, name, new SignalCounts(Head.Signals).Of(name) + (Signal?.Name == name ? 1 : 0));

    public string StepKey(int place, string name) => _host.Keys.Current.ForStep(SessionId.Value, FirstSeq, place, name);

    /// <summary>Makes the request one that is run to its end whatever becomes of its client: durable once this returns. Before
    /// <see cref="Start"/>.</summary>
    /// <returns>Null, or the end of the attempt where the store does not take it.</returns>
    public async ValueTask<TurnEnd?> AcceptAsync()
    {
        TurnEnd? end = await SecureAsync(
            () => _isAccepted ? null : _records.RequestAccepted(_journal.NextSeq, _journal.Now)).ConfigureAwait(false);
        _isAccepted |= end is null;
        return end;
    }

    /// <summary>Makes the attempt known to the journal, durably once this returns: its token may be given out. Before
    /// <see cref="Start"/>.</summary>
    /// <returns>Null, or the end of the attempt where the store does not take it.</returns>
    public ValueTask<TurnEnd?> SecureAsync() => SecureAsync(static () => null);

    private async ValueTask<TurnEnd?> SecureAsync(Func<JournalEntry?> write)
    {
        try
        {
            await _context.AcceptRequestAsync(write).ConfigureAwait(false);
            return null;
        }
        catch (AttemptOverException over)
        {
            if (!TryConclude())
                return await Events.EndAsync().ConfigureAwait(false);   // the clock was quicker
            TurnEnd end = await FailAsync(over).ConfigureAwait(false);
            End(end);
            return end;
        }
    }

    /// <summary>Lets the program run, but not below its caller: one that blocks its thread holds up nobody else.</summary>
    public void Start()
    {
        _caller = SessionInstruments.Caller;
        _isCounted = SessionInstruments.Begin(this);
        Settings.Queue(this);
    }

    /// <summary>Starts, and waits for the attempt's end. It never throws: whatever goes wrong is the end.</summary>
    public ValueTask<TurnEnd> RunAsync()
    {
        Start();
        return new(this, _ended.Version);
    }

    /// <summary>Waits for the end of the running attempt for a while; null where it runs on.</summary>
    public async ValueTask<TurnEnd?> EndWithinAsync(TimeSpan time, CancellationToken cancel = default)
    {
        if (Events.End is not null || time == TimeSpan.Zero)
            return Events.End;
        try
        {
            return await Events.EndAsync().WaitAsync(time, Settings.Time, cancel).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return null;
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunProgramAsync();

    /// <summary>Gives the claim back without running anything; no trace of it stays.</summary>
    public ValueTask WithdrawAsync()
    {
        _host.ReturnRecords(_records);
        return _host.ReleaseAsync(_lease);
    }

    private async Task RunProgramAsync()
    {
        _span = SessionInstruments.StartSpan(this, _caller);
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
            _host.Report("abandoned", error, SessionId);
    }

    // The program's own end and the clock may come to it at once: one of them says how the attempt ended.
    private bool TryConclude() => Interlocked.Exchange(ref _concluded, 1) == 0;

    private void End(TurnEnd end)
    {
        _host.Running.Leave(this);
        _host.ReturnRecords(_records);
        SessionInstruments.End(this, end, _isCounted, _span, Settings.Time.GetElapsedTime(_started));
        Events.Finish(end);
        _ended.SetResult(end);
    }

    TurnEnd IValueTaskSource<TurnEnd>.GetResult(short token) => _ended.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<TurnEnd>.GetStatus(short token) => _ended.GetStatus(token);

    void IValueTaskSource<TurnEnd>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _ended.OnCompleted(continuation, state, token, flags);
}
