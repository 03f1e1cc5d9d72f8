using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>What became of the turn that a token started. The spent token stays its receipt until its successor is admitted, so
/// that a lost reply locks nobody out.</summary>
internal sealed class Receipts(SessionHost host)
{
    /// <summary>Answers whoever presents the current token, or the one spent last.</summary>
    public async ValueTask<Admission> AskAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel = default)
    {
        try
        {
            return await JudgeAsync(id, token, principal, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return host.StoreFailed(e);
        }
    }

    /// <summary>Lets in whoever wants to read: with the current token, or the one spent last while its successor is not admitted.</summary>
    public async ValueTask<Presented> OpenAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel = default)
    {
        try
        {
            return await host.Presenters.JudgeAsync(id, token, principal, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return new(host.StoreFailed(e));
        }
    }

    /// <summary>The refusal of a token that is not the current one.</summary>
    public Admission Stale(SessionHead head, ReadOnlyMemory<byte> guard) =>
        ((Admission)Refusal.StaleToken) with { CanRecover = host.Presenters.IsReceipt(head, guard) };

    /// <summary>The last client turn's end, as it was told.</summary>
    public PastTurn Committed(SessionId id, SessionHead head) =>
        new(id, head.Turn, head.RequestSeq, head.NextSeq, TurnEnd.Committed(head, host.Tokens.CurrentOf(id, head), host.ExpiryOf(head)));

    /// <summary>The end of an attempt that left no commit.</summary>
    public PastTurn Uncommitted(SessionId id, SessionHead head, JournalTail tail) => new(
        id, head.Turn + 1, tail.Open?.FirstSeq ?? tail.Cancelled?.FirstSeq ?? head.NextSeq, long.MaxValue,
        TurnEnd.Aborted(
            tail.Cancelled is null ? AbortReasonText.Parse(tail.Open?.EndReason) : AbortReason.Cancelled, host.Tokens.CurrentOf(id, head)));

    private async ValueTask<Admission> JudgeAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel)
    {
        Presented presented = await host.Presenters.JudgeAsync(id, token, principal, cancel).ConfigureAwait(false);
        if (presented.IsRefused)
            return presented.Refused;
        if (presented.Running is { } running)
            return Admission.Attach(running);
        SessionHead head = presented.Head!;
        JournalTail tail = presented.Tail!;
        return presented.IsCurrent && (tail.WasAdmitted || head.Turn == 0) ? Uncommitted(id, head, tail) : Committed(id, head);
    }
}
