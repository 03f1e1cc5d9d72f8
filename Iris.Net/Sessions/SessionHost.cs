using System.Collections.Concurrent;
using System.Security.Cryptography;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The sessions of one channel: decides who may run a turn. The checks stand in one order (unknown, missing, stale,
/// in flight), and the store's one swap decides among those who pass them.</summary>
internal sealed class SessionHost : IAsyncDisposable
{
    private const int MintAttempts = 4;

    private readonly RunningTurns _running;
    private readonly ConcurrentQueue<RecordWriter> _idleRecords = [];
    private readonly string _defDigest;
    private readonly string _owner = Guid.NewGuid().ToString("N");

    public SessionHost(SessionSettings settings)
    {
        Settings = settings;
        Minting = new Minting(settings.MintSessionId, settings.MintToken);
        HostCapabilities capabilities = settings.Adapter.Capabilities;
        _defDigest = ProgramDigest.Of(capabilities.Name, capabilities.Version);
        _running = new RunningTurns(settings);
    }

    public SessionSettings Settings { get; }

    public Minting Minting { get; }

    public ChannelKey Key { get; } = new(RandomNumberGenerator.GetBytes(32));

    public EventLimits EventLimits { get; } = new(Lasting: 1 << 20, LastingFor: TimeSpan.FromSeconds(1), Most: 4 << 20);

    private LeaseRequest LeaseRequest => new(_owner, Settings.LeaseTtl);

    /// <summary>Whether no turn is let in any more.</summary>
    public bool IsDraining => _running.IsDraining;

    /// <summary>Mints a session whose first turn is ready to run. Its place among the running turns is taken before: a session
    /// whose first turn is refused would be nobody's.</summary>
    public async ValueTask<Admission> StartAsync(TurnRequest request, CancellationToken cancel = default)
    {
        if (_running.TryReserve() is not Refusal.None and var refusal)
            return refusal;
        Admission admission = default;
        try
        {
            admission = await MintAsync(request, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            admission = Failed(e);   // the host's own ids or tokens
        }
        finally
        {
            if (admission.Turn is { } turn)
                _running.EnterReserved(turn);
            else
                _running.GiveUp();
        }

        return admission;
    }

    /// <summary>Claims a session for whoever presents its token.</summary>
    public async ValueTask<Admission> ContinueAsync(
        SessionId id, ReadOnlyMemory<byte> token, TurnRequest request, CancellationToken cancel = default)
    {
        try
        {
            // Somebody else's session does not exist, whatever is presented: looked at first, so that it is not claimed either.
            if (token.IsEmpty || request.Principal is not null)
            {
                SessionHead? head = await Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
                if (head is null || head.Principal != request.Principal)
                    return Refusal.UnknownSession;
                if (token.IsEmpty)
                    return Refusal.MissingToken;
            }

            return await ClaimAsync(id, token, request, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return StoreFailed(e);
        }
    }

    /// <summary>Claims a session for a connection that is bound to it, which needs no token.</summary>
    public async ValueTask<Admission> ContinueBoundAsync(SessionId id, TurnRequest request, CancellationToken cancel = default)
    {
        try
        {
            return await ClaimAsync(id, guard: default, request, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return StoreFailed(e);
        }
    }

    /// <summary>Refuses new turns and waits for the running ones; on <paramref name="cancel"/> it ends them.</summary>
    public Task DrainAsync(CancellationToken cancel = default) => _running.DrainAsync(cancel);

    public async ValueTask DisposeAsync()
    {
        await _running.DisposeAsync().ConfigureAwait(false);
        while (_idleRecords.TryDequeue(out RecordWriter? records))
            records.Dispose();
    }

    /// <summary>Gives a lease back. Where the store cannot be reached it runs out by itself.</summary>
    public async ValueTask ReleaseAsync(Lease lease)
    {
        try
        {
            await Settings.Store.ReleaseAsync(lease).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Report("store", e);
        }
    }

    /// <summary>Tells the host's log; one that throws itself harms no turn.</summary>
    public void Report(string what, Exception error)
    {
        try
        {
            Settings.Failed(what, error);
        }
        catch (Exception)
        {
            // There is nobody left to tell.
        }
    }

    public void Leave(RunningTurn turn) => _running.Leave(turn);

    public RecordWriter RentRecords() => _idleRecords.TryDequeue(out RecordWriter? records) ? records : new RecordWriter(_defDigest);

    public void ReturnRecords(RecordWriter records)
    {
        records.Clear();
        _idleRecords.Enqueue(records);
    }

    private async ValueTask<Admission> MintAsync(TurnRequest request, CancellationToken cancel)
    {
        for (int i = 0; i < MintAttempts; i++)
        {
            SessionId id = new(Minting.SessionId());
            SessionSeed seed = Seed(request.Principal, out RecordWriter records);
            CreateResult created;
            try
            {
                created = await Settings.Store.CreateAsync(id, seed, LeaseRequest, cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancel.IsCancellationRequested)
            {
                return StoreFailed(e);
            }
            finally
            {
                ReturnRecords(records);
            }

            if (created.Status == CreateStatus.Full)
                return Refusal.Overloaded;
            if (created.Status == CreateStatus.Created)
                return new RunningTurn(this, created.Lease, seed.Head, seed.Head.NextSeq, open: null, request.Body);
        }

        throw new InvalidOperationException("The minted session ids are all taken.");
    }

    private async ValueTask<Admission> ClaimAsync(
        SessionId id, ReadOnlyMemory<byte> guard, TurnRequest request, CancellationToken cancel)
    {
        BeginResult begun = await Settings.Store.BeginAsync(id, guard, LeaseRequest, cancel).ConfigureAwait(false);
        if (begun.Head is { } head && head.Principal != request.Principal)
        {
            // Of a request without principal, where the session has one.
            if (begun.Status == BeginStatus.Begun)
                await ReleaseAsync(begun.Lease).ConfigureAwait(false);
            return Refusal.UnknownSession;
        }

        switch (begun.Status)
        {
            case BeginStatus.Unknown:
                return Refusal.UnknownSession;
            case BeginStatus.Stale:
                return Refusal.StaleToken;
            case BeginStatus.Held:
                return begun.Lease.Owner == _owner ? Refusal.InFlight : Refusal.Contended;
            default:
                OpenRequest? open = await ReadOpenAsync(begun, cancel).ConfigureAwait(false);
                return await EnterAsync(
                    new RunningTurn(this, begun.Lease, begun.Head!, begun.NextSeq, open, request.Body)).ConfigureAwait(false);
        }
    }

    private async ValueTask<OpenRequest?> ReadOpenAsync(BeginResult begun, CancellationToken cancel)
    {
        if (begun.NextSeq <= begun.Head!.NextSeq)
            return null;
        try
        {
            return await OpenRequest.ReadAsync(
                Settings.Store.ReadAsync(begun.Lease.Session, begun.Head.NextSeq, cancel)).ConfigureAwait(false);
        }
        catch
        {
            await ReleaseAsync(begun.Lease).ConfigureAwait(false);
            throw;
        }
    }

    private async ValueTask<Admission> EnterAsync(RunningTurn turn)
    {
        Refusal refusal = _running.TryEnter(turn);
        if (refusal == Refusal.None)
            return turn;
        await turn.WithdrawAsync().ConfigureAwait(false);
        return refusal;
    }

    private SessionSeed Seed(string? principal, out RecordWriter records)
    {
        DateTimeOffset now = Settings.Time.GetUtcNow();
        byte[] salt = Minting.Salt(), token = Minting.Token();
        records = RentRecords();
        return new SessionSeed(
            new SessionHead
            {
                Guard = token,
                NextSeq = 1,
                Principal = principal,
                Salt = salt,
                CreatedAt = now,
                UpdatedAt = now,
            },
            new[] { records.Session(0, now.ToUnixTimeMilliseconds(), salt, principal) });
    }

    private Refusal StoreFailed(Exception e)
    {
        Report("store", e);
        return Refusal.StoreUnavailable;
    }

    private TurnEnd Failed(Exception e)
    {
        string errorId = Minting.ShortName();
        Report(errorId, e);
        return TurnEnd.Failed(errorId, e, token: default);
    }
}
