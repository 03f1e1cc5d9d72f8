using System.Security.Cryptography;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Knows a request again by its idempotency key. A session remembers the key of its latest client request only: the one
/// that is open, or else the one that committed last.</summary>
internal sealed class Idempotency(SessionHost host)
{
    /// <summary>Judges a START; null where there is no session yet, or it claims like any request.</summary>
    public async ValueTask<Admission?> JudgeStartAsync(SessionId id, TurnRequest request, CancellationToken cancel)
    {
        (RunningTurn? running, SessionHead? head) = await LookAsync(id, cancel).ConfigureAwait(false);
        if (head is null)
            return null;
        if (head.Principal != request.Principal)
            return Refusal.UnknownSession;
        if (!host.Tokens.TryGetCurrent(id, head, out _))
            return Refusal.StaleToken;
        Latest? latest = await LatestAsync(id, head, running, cancel).ConfigureAwait(false);
        if (latest is null && head.Turn == 0)
            return null;   // it was made, and its first attempt never began
        if (latest is null || head.ClientTurns > 1 || (head.ClientTurns == 1 && !latest.IsCommitted) || !latest.HasKey(request))
            return Refusal.StaleToken;   // another request came since
        return latest.HasBody(request) ? Again(id, head, running, latest) : Refusal.IdempotencyMismatch;
    }

    /// <summary>Judges a CONTINUE; null where it claims like any request. Without a guard it is that of a connection that is bound to
    /// the session, which stands for the token that the key came with.</summary>
    public async ValueTask<Admission?> JudgeContinueAsync(
        SessionId id, ReadOnlyMemory<byte>? guard, TurnRequest request, CancellationToken cancel)
    {
        (RunningTurn? running, SessionHead? head) = await LookAsync(id, cancel).ConfigureAwait(false);
        if (head is null)
            return await host.Presenters.UnknownAsync(id, request.Principal, cancel).ConfigureAwait(false);
        if (head.Principal != request.Principal)
            return Refusal.UnknownSession;
        if (!host.Tokens.TryGetCurrent(id, head, out _))
            return Refusal.StaleToken;
        if (await LatestAsync(id, head, running, cancel).ConfigureAwait(false) is not { } latest || !latest.HasKey(request))
            return null;
        bool isSameToken = guard is not { } presented || CryptographicOperations.FixedTimeEquals(presented.Span, latest.Guard.Span);
        if (isSameToken && latest.HasBody(request))
            return Again(id, head, running, latest);
        return isSameToken || CryptographicOperations.FixedTimeEquals(guard!.Value.Span, head.Guard.Span) ? Refusal.IdempotencyMismatch : null;
    }

    private async ValueTask<(RunningTurn? Running, SessionHead? Head)> LookAsync(SessionId id, CancellationToken cancel)
    {
        RunningTurn? running = host.Running.Of(id);   // before the head, see Receipts
        SessionHead? head = await host.Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
        return (running?.Head.Turn == head?.Turn ? running : null, head);
    }

    private Admission? Again(SessionId id, SessionHead head, RunningTurn? running, Latest latest)
    {
        if (latest.IsCommitted)
            return host.Receipts.Committed(id, head);
        if (latest.CancelledIn is { } tail)
            return host.Receipts.Uncommitted(id, head, tail);
        return running is null ? (Admission?)null : Admission.Attach(running);
    }

    private async ValueTask<Latest?> LatestAsync(SessionId id, SessionHead head, RunningTurn? running, CancellationToken cancel)
    {
        if (running is not null)
            return new Latest(running.Key, running.Request.Body, default, head.Guard, IsCommitted: false);
        JournalTail tail = await host.ReadTailAsync(id, head, cancel).ConfigureAwait(false);
        if (tail.Open is { } open)
            return new Latest(open.Key, open.Body, default, head.Guard, IsCommitted: false);
        if (tail.Cancelled is { } cancelled)
            return new Latest(cancelled.Key, default, cancelled.BodyDigest, head.Guard, IsCommitted: false) { CancelledIn = tail };
        return tail.WasAdmitted || head.ClientTurns == 0
            ? null
            : new Latest(head.RequestKey, default, head.RequestBody, head.Spent, IsCommitted: true);
    }

    /// <summary>The latest request: its key, its body or what that hashes to, and what it was presented with.</summary>
    private sealed record Latest(
        ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> BodyDigest, ReadOnlyMemory<byte> Guard, bool IsCommitted)
    {
        /// <summary>Where the journal has its end, if a cancel closed it.</summary>
        public JournalTail? CancelledIn { get; init; }

        public bool HasKey(TurnRequest request) => Key.Span.SequenceEqual(request.KeyDigest.Span);

        public bool HasBody(TurnRequest request) => BodyDigest.IsEmpty
            ? Body.Span.SequenceEqual(request.Body.Span)
            : BodyDigest.Span.SequenceEqual(TurnRequest.DigestOf(Key, request.Body).Span);
    }
}
