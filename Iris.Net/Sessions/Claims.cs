using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Decides who may run a turn. The checks stand in one order (unknown, missing, idempotency, stale, in flight), and the
/// store's one swap decides among those who pass them.</summary>
internal sealed class Claims(SessionHost host)
{
    private const int MintAttempts = 4;
    private const int JudgeAttempts = 4;

    private readonly Idempotency _idempotency = new(host);
    private readonly SessionLeases _leases = new(host);

    private SessionSettings Settings => host.Settings;

    /// <summary>Makes a session whose first turn is ready to run, or knows the request again by its key.</summary>
    public async ValueTask<Admission> StartAsync(TurnRequest request, CancellationToken cancel = default)
    {
        if (request.HasInvalidField || (request is { Principal: null, Key.Length: < TurnRequest.LeastBearerKey }))
            return Refusal.BadRequest;
        return request.Key is null
            ? await StartInPlaceAsync(request, id: null, cancel).ConfigureAwait(false)
            : await StartWithKeyAsync(request, cancel).ConfigureAwait(false);
    }

    /// <summary>Claims a session for whoever presents its token.</summary>
    public async ValueTask<Admission> ContinueAsync(
        SessionId id, ReadOnlyMemory<byte> token, TurnRequest request, CancellationToken cancel = default)
    {
        try
        {
            // Somebody else's session does not exist, whatever is presented: looked at first, so that it is not claimed either.
            if (token.IsEmpty || request.Principal is not null || request.HasInvalidField)
            {
                SessionHead? head = await Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
                if (head is null)
                    return await host.Presenters.UnknownAsync(id, request.Principal, cancel).ConfigureAwait(false);
                if (head.Principal != request.Principal)
                    return Refusal.UnknownSession;
                if (token.IsEmpty)
                    return Refusal.MissingToken;
                if (request.HasInvalidField)
                    return Refusal.BadRequest;
            }

            ReadOnlyMemory<byte> guard = host.Tokens.GuardOf(token);
            return request.Key is null
                ? await _leases.EnterAsync(await _leases.ClaimAsync(id, guard, request, cancel).ConfigureAwait(false)).ConfigureAwait(false)
                : await ContinueWithKeyAsync(id, guard, request, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return host.StoreFailed(e);
        }
    }

    /// <summary>Cancels the turn that such a claim met, waits for its end, and claims again: of several that do, one runs.</summary>
    public async ValueTask<Admission> InterruptAsync(
        SessionId id, ReadOnlyMemory<byte> token, TurnRequest request, CancellationToken cancel = default)
    {
        if (host.Running.Of(id) is { IsWake: true })
            return Refusal.InFlight;   // it was waited for already
        await host.Cancels.InterruptAsync(id, cancel).ConfigureAwait(false);
        return await ContinueAsync(id, token, request, cancel).ConfigureAwait(false);
    }

    /// <summary>Claims a session for a connection that is bound to it, which needs no token.</summary>
    public async ValueTask<Admission> ContinueBoundAsync(SessionId id, TurnRequest request, CancellationToken cancel = default)
    {
        try
        {
            if (request.HasInvalidField)
            {
                SessionHead? head = await Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
                return head is null ? await host.Presenters.UnknownAsync(id, request.Principal, cancel).ConfigureAwait(false)
                    : head.Principal != request.Principal ? Refusal.UnknownSession
                    : Refusal.BadRequest;
            }

            if (request.Key is not null)
                return await ContinueWithKeyAsync(id, guard: null, request, cancel).ConfigureAwait(false);
            return await _leases.EnterAsync(await _leases.ClaimAsync(id, guard: default, request, cancel).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return host.StoreFailed(e);
        }
    }

    // Its place among the running turns is taken before: a session whose first turn is refused would be nobody's.
    private async ValueTask<Admission> StartInPlaceAsync(TurnRequest request, SessionId? id, CancellationToken cancel)
    {
        if (host.Running.TryReserve() is not Refusal.None and var refusal)
            return refusal;
        Admission admission = default;
        try
        {
            admission = id is null
                ? await MintAsync(request, cancel).ConfigureAwait(false)
                : await CreateOrClaimAsync(id.Value, request, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            admission = Failed(e);   // the host's own ids or tokens
        }
        finally
        {
            if (admission.Turn is { } turn)
                host.Running.EnterReserved(turn);
            else
                host.Running.GiveUp();
        }

        return admission;
    }

    private async ValueTask<Admission> MintAsync(TurnRequest request, CancellationToken cancel)
    {
        for (int i = 0; i < MintAttempts; i++)
        {
            SessionId id = new(host.Minting.SessionId());
            if (await CreateAsync(id, request, cancel).ConfigureAwait(false) is { } admission)
                return admission;
        }

        throw new InvalidOperationException("The minted session ids are all taken.");
    }

    // The key leads to the same session again, also after a crash. Its first request is known by T0, which every START presents.
    private async ValueTask<Admission> StartWithKeyAsync(TurnRequest request, CancellationToken cancel)
    {
        try
        {
            (SessionId id, Admission? gone) = await FindStartedAsync(request, cancel).ConfigureAwait(false);
            if (gone is { } refused)
                return refused;
            using KeyGates.Pass pass = await host.Gates.EnterAsync(id.Value, cancel).ConfigureAwait(false);
            for (int i = 0; i < JudgeAttempts; i++)
            {
                // What runs or ran already takes no place.
                if (await _idempotency.JudgeStartAsync(id, request, cancel).ConfigureAwait(false) is { } judged)
                    return judged;
                Admission started = await StartInPlaceAsync(request, id, cancel).ConfigureAwait(false);
                if (started.Refusal != Refusal.InFlight)
                    return started;
            }

            return Refusal.InFlight;
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return host.StoreFailed(e);
        }
    }

    // The id is the principal's own: why its session is gone is told.
    private async ValueTask<(SessionId Id, Admission? Gone)> FindStartedAsync(TurnRequest request, CancellationToken cancel)
    {
        SessionId id = default;
        foreach (ChannelKey key in host.Keys.All.Reverse())
        {
            id = new SessionId(key.ForSessionId(request.Principal, request.Key!));
            if (await Settings.Store.FindAsync(id, cancel).ConfigureAwait(false) is not null)
                break;   // it was started with this key of the channel
            Admission unknown = await host.Presenters.UnknownAsync(id, request.Principal, cancel).ConfigureAwait(false);
            if (unknown.Gone is not null)
                return (id, unknown);
        }

        return (id, null);
    }

    /// <summary>In flight also where the session went on in between: it is judged again.</summary>
    private async ValueTask<Admission> CreateOrClaimAsync(SessionId id, TurnRequest request, CancellationToken cancel)
    {
        if (await CreateAsync(id, request, cancel).ConfigureAwait(false) is { } created)
            return created;
        try
        {
            Admission claimed = await _leases.ClaimAsync(id, guard: default, request, cancel).ConfigureAwait(false);
            if (claimed.Contended is { Number: > 1 })
                return Refusal.InFlight;   // whoever starts a session gets no other token than its first
            if (claimed.Turn is not { Head.ClientTurns: > 0 } late)
                return claimed;
            await late.WithdrawAsync().ConfigureAwait(false);
            return Refusal.InFlight;
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return host.StoreFailed(e);
        }
    }

    private async ValueTask<Admission> ContinueWithKeyAsync(
        SessionId id, ReadOnlyMemory<byte>? guard, TurnRequest request, CancellationToken cancel)
    {
        using KeyGates.Pass pass = await host.Gates.EnterAsync(id.Value, cancel).ConfigureAwait(false);
        Admission claimed = default;
        for (int i = 0; i < JudgeAttempts; i++)
        {
            if (await _idempotency.JudgeContinueAsync(id, guard, request, cancel).ConfigureAwait(false) is { } judged)
                return judged;
            claimed = await _leases.EnterAsync(await _leases.ClaimAsync(id, guard.GetValueOrDefault(), request, cancel).ConfigureAwait(false)).ConfigureAwait(false);
            // The same request may have been quicker in another process, and may have committed by now: judged again, key first.
            if (claimed.Refusal is not (Refusal.InFlight or Refusal.StaleToken) || host.Running.Of(id) is { IsWake: true })
                break;
        }

        return claimed;
    }

    /// <summary>Null where the id is taken.</summary>
    private async ValueTask<Admission?> CreateAsync(SessionId id, TurnRequest request, CancellationToken cancel)
    {
        DateTimeOffset now = Settings.Time.GetUtcNow();
        byte[] salt = host.Minting.Salt();
        MintedToken token = host.Tokens.Mint(id, salt, clientTurns: 0);
        SessionHead head = new()
        {
            Guard = token.Guard,
            Sealed = token.Sealed,
            NextSeq = 1,
            Principal = request.Principal,
            Salt = salt,
            CreatedAt = now,
            UpdatedAt = now,
        };
        RecordWriter records = host.RentRecords();
        CreateResult created;
        try
        {
            SessionSeed seed = new(head, new[] { records.Session(0, now.ToUnixTimeMilliseconds(), head) });
            created = await Settings.Store.CreateAsync(id, seed, host.LeaseRequest, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return host.StoreFailed(e);
        }
        finally
        {
            host.ReturnRecords(records);
        }

        return created.Status switch
        {
            CreateStatus.Full => Refusal.Overloaded,
            CreateStatus.Created => new RunningTurn(host, created.Lease, head, head.NextSeq, tail: null, request),
            _ => null,
        };
    }

    private TurnEnd Failed(Exception e)
    {
        string errorId = host.Minting.ShortName();
        host.Report(errorId, e);
        return TurnEnd.Failed(errorId, e, token: default);
    }
}
