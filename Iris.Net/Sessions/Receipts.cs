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
            return await AnswerAsync(id, token, principal, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return host.StoreFailed(e);
        }
    }

    /// <summary>Lets in whoever wants to read: with the current token, or the one spent last while its successor is not admitted.</summary>
    public async ValueTask<ReadAccess> OpenAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel = default)
    {
        try
        {
            return await JudgeAsync(id, token, principal, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return new(host.StoreFailed(e));
        }
    }

    /// <summary>The refusal of a token that is not the current one.</summary>
    public Admission Stale(SessionHead head, ReadOnlyMemory<byte> guard) =>
        ((Admission)Refusal.StaleToken) with { CanRecover = host.Settings.Receipts && IsSpent(head, guard) };

    /// <summary>The last client turn's end, as it was told.</summary>
    public PastTurn Committed(SessionId id, SessionHead head) =>
        new(id, head.Turn, head.RequestSeq, head.NextSeq, TurnEnd.Committed(head, host.Tokens.Current(id, head), host.ExpiryOf(head)));

    /// <summary>The end of an attempt that left no commit.</summary>
    public PastTurn Uncommitted(SessionId id, SessionHead head, OpenRequest? request) => new(
        id, head.Turn + 1, request?.FirstSeq ?? head.NextSeq, long.MaxValue,
        TurnEnd.Aborted(AbortReasonText.Parse(request?.EndReason), host.Tokens.Current(id, head)));

    private async ValueTask<ReadAccess> JudgeAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel)
    {
        // Before the head: a turn that commits in between is then not running, and its commit is in the head.
        RunningTurn? running = host.Running.Of(id);
        SessionHead? head = await host.Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
        if (head is null || head.Principal != principal)
            return new(Refusal.UnknownSession);
        if (token.IsEmpty)
            return new(Refusal.MissingToken);
        if (running?.Head.Turn != head.Turn)
            running = null;
        ReadOnlyMemory<byte> guard = host.Tokens.GuardOf(token);
        bool isCurrent = CryptographicOperations.FixedTimeEquals(guard.Span, head.Guard.Span);
        if (!isCurrent && !(host.Settings.Receipts && IsSpent(head, guard)))
            return new(Refusal.StaleToken);
        if (running is not null)
            return isCurrent ? new(Refusal.None, head, running) : new(Refusal.StaleToken);
        JournalTail tail = await host.ReadTailAsync(id, head, cancel).ConfigureAwait(false);
        return !isCurrent && tail.WasAdmitted ? new(Refusal.StaleToken) : new(Refusal.None, head, null, tail);
    }

    private async ValueTask<Admission> AnswerAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel)
    {
        ReadAccess access = await JudgeAsync(id, token, principal, cancel).ConfigureAwait(false);
        if (access.Refusal != Refusal.None)
            return access.Refusal;
        if (access.Running is { } running)
            return Admission.Attach(running);
        SessionHead head = access.Head!;
        return access.Tail!.WasAdmitted || head.Turn == 0 ? Uncommitted(id, head, access.Tail.Open) : Committed(id, head);
    }

    private static bool IsSpent(SessionHead head, ReadOnlyMemory<byte> guard) =>
        !head.Spent.IsEmpty && CryptographicOperations.FixedTimeEquals(guard.Span, head.Spent.Span);
}

/// <summary>Whether somebody may read a session, and what there is.</summary>
/// <param name="Refusal">Why not.</param>
/// <param name="Head">Its head.</param>
/// <param name="Running">The turn that runs; null where none does.</param>
/// <param name="Tail">What the journal holds behind the head, where no turn runs.</param>
internal readonly record struct ReadAccess(
    Refusal Refusal, SessionHead? Head = null, RunningTurn? Running = null, JournalTail? Tail = null);
