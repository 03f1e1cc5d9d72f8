using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>How an attempt ends: with a commit, or with the reason why there is none.</summary>
internal sealed partial class RunningTurn
{
    private async Task AbandonAsync() =>
        End(await FailAsync(new AttemptOverException((AbortReason)_cancelReason)).ConfigureAwait(false));

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
                return await EndUncommittedAsync(AbortReason.Contended).ConfigureAwait(false) is not AbortReason.Contended and var other
                    ? EndOf(other)
                    : TurnEnd.Contended(contended.Current, PresentedToken);
            case AbortedOutcome aborted:
                if (await EndUncommittedAsync(AbortReason.Failed).ConfigureAwait(false) is not AbortReason.Failed and var cancelled)
                    return EndOf(cancelled);
                _host.Report(
                    "aborted", new InvalidOperationException(aborted.Reason ?? "The adapter aborted the turn."), SessionId);
                return TurnEnd.Aborted(AbortReason.Failed, PresentedToken);
            default:
                throw new InvalidOperationException("The program returned no outcome.");
        }
    }

    private async ValueTask<TurnEnd> CommitAsync(CommittedOutcome outcome)
    {
        ReadOnlyMemory<byte> reply = TurnEnd.ReplyOf(outcome);
        MintedToken token = IsWake ? default : _host.Tokens.Mint(SessionId, Head.Salt, Head.ClientTurns + 1);
        long seq = _journal.NextSeq, now = _journal.Now;
        SessionHead head = NextHead.After(this, outcome, reply, token, seq + 2, now);
        JournalEntry marker = outcome is ParkedOutcome parked
            ? _records.Wait(seq, now, parked.Wait)
            : _records.Finish(seq, now, ((FinishedOutcome)outcome).Output);
        await _journal.CommitAsync(marker, head).ConfigureAwait(false);
        if (Head.Wait is { Kind: not WaitKind.User })
            _host.Due.Settle(SessionId);
        return TurnEnd.Committed(
            reply, IsWake ? PresentedToken : token.Token, _host.ExpiryOf(head), _host.Wakes.KeyToTell(SessionId, head));
    }

    private async ValueTask<TurnEnd> FailAsync(Exception error)
    {
        await _context.CloseAsync().ConfigureAwait(false);
        AbortReason reason = error is AttemptOverException over && over.Reason != AbortReason.None
            ? over.Reason
            : error is OperationCanceledException or AttemptOverException ? (AbortReason)Volatile.Read(ref _cancelReason) : AbortReason.None;
        AbortReason ended = await EndUncommittedAsync(reason == AbortReason.None ? AbortReason.Failed : reason).ConfigureAwait(false);
        if (reason != AbortReason.None || ended != AbortReason.Failed)
            reason = ended;
        if (reason is not (AbortReason.None or AbortReason.StoreUnavailable))
            return TurnEnd.Aborted(reason, PresentedToken);
        string errorId = _host.Minting.ShortName();
        _host.Report(errorId, error, SessionId);
        return reason == AbortReason.StoreUnavailable ? TurnEnd.StoreUnavailable(PresentedToken)
            : error is HostOverloadedException ? TurnEnd.Overloaded(PresentedToken)
            : TurnEnd.Failed(errorId, error, PresentedToken);
    }

    private TurnEnd EndOf(AbortReason reason) => reason == AbortReason.StoreUnavailable
        ? TurnEnd.StoreUnavailable(PresentedToken)
        : TurnEnd.Aborted(reason, PresentedToken);

    /// <summary>Leaves the attempt and its end in the journal, so that a retry is known as one, and gives the lease back.</summary>
    /// <returns>Why it ended: a cancel that was accepted goes before any other reason, and is told only where it is durable.</returns>
    private async ValueTask<AbortReason> EndUncommittedAsync(AbortReason reason)
    {
        Events.EndsUncommitted = true;
        Task<bool>? verdict;
        lock (_cancel)
        {
            _endsUncommitted = true;
            verdict = _verdict;
        }

        if (verdict is not null && await verdict.ConfigureAwait(false))
            reason = AbortReason.Cancelled;
        try
        {
            if (reason == AbortReason.Cancelled && !_context.IsRequestClosed)
                _journal.Add(WriteClosed());
            // One that the server itself cut short has no end: it is taken up again where that was promised.
            if (reason != AbortReason.Stopped)
                _journal.Add(_records.TurnEnded(_journal.NextSeq, _journal.Now, AbortReasonText.Of(reason)));
            await _journal.FlushAsync(reason == AbortReason.Cancelled ? Flush.Durable : Flush.Written).ConfigureAwait(false);
        }
        catch (AttemptOverException over)
        {
            // The store is gone or somebody else has the session: the attempt leaves no trace, and nothing else depends on one.
            if (reason == AbortReason.Cancelled)
                reason = over.Reason;
        }

        await _host.ReleaseAsync(_lease).ConfigureAwait(false);
        return reason;
    }
}
