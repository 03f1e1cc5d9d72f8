using System.Security.Cryptography;
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

    /// <summary>The refusal of a token that is not the current one.</summary>
    public Admission Stale(SessionHead head, ReadOnlyMemory<byte> guard) =>
        ((Admission)Refusal.StaleToken) with { CanRecover = host.Settings.Receipts && IsSpent(head, guard) };

    /// <summary>The last client turn's end, as it was told.</summary>
    public PastTurn Committed(SessionId id, SessionHead head) =>
        new(id, head.Turn, head.RequestSeq, head.NextSeq, TurnEnd.Committed(head, host.Tokens.CurrentOf(id, head), host.ExpiryOf(head)));

    /// <summary>The end of an attempt that left no commit.</summary>
    public PastTurn Uncommitted(SessionId id, SessionHead head, OpenRequest? request) => new(
        id, head.Turn + 1, request?.FirstSeq ?? head.NextSeq, long.MaxValue,
        TurnEnd.Aborted(AbortReasonText.Parse(request?.EndReason), host.Tokens.CurrentOf(id, head)));

    private async ValueTask<Admission> JudgeAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel)
    {
        // Before the head: a turn that commits in between is then not running, and its commit is in the head.
        RunningTurn? running = host.Running.Of(id);
        SessionHead? head = await host.Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
        if (head is null || head.Principal != principal)
            return Refusal.UnknownSession;
        if (token.IsEmpty)
            return Refusal.MissingToken;
        if (running?.Head.Turn != head.Turn)
            running = null;
        if (!host.Tokens.TryGetCurrent(id, head, out _))
            return Refusal.StaleToken;   // what was made with a key that the channel has no more opens nothing
        ReadOnlyMemory<byte> guard = host.Tokens.GuardOf(token);
        bool isCurrent = CryptographicOperations.FixedTimeEquals(guard.Span, head.Guard.Span);
        if (!isCurrent && !(host.Settings.Receipts && IsSpent(head, guard)))
            return Refusal.StaleToken;
        if (running is not null)
            return isCurrent ? Admission.Attach(running) : Refusal.StaleToken;
        JournalTail tail = await host.ReadTailAsync(id, head, cancel).ConfigureAwait(false);
        if (!isCurrent)
            return tail.WasAdmitted ? Refusal.StaleToken : Committed(id, head);
        return tail.WasAdmitted || head.Turn == 0 ? Uncommitted(id, head, tail.Open) : Committed(id, head);
    }

    private static bool IsSpent(SessionHead head, ReadOnlyMemory<byte> guard) =>
        !head.Spent.IsEmpty && CryptographicOperations.FixedTimeEquals(guard.Span, head.Spent.Span);
}
