using System.Security.Cryptography;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Judges who presents a token outside of a claim: the current one, or the one that was spent last and whose successor
/// nobody has used.</summary>
internal sealed class Presenters(SessionHost host)
{
    // Matches no session's: with it a claim tells why there is none, and claims nothing.
    private static readonly byte[] NoGuard = [0];

    /// <summary>Judges a token; null is that of a connection that is bound to the session.</summary>
    public async ValueTask<Presented> JudgeAsync(
        SessionId id, ReadOnlyMemory<byte>? token, string? principal, CancellationToken cancel = default)
    {
        // Before the head: a turn that commits in between is then not running, and its commit is in the head.
        RunningTurn? running = host.Running.Of(id);
        SessionHead? head = await host.Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
        if (head is null)
            return new(await UnknownAsync(id, principal, cancel).ConfigureAwait(false));
        if (head.Principal != principal)
            return new(Refusal.UnknownSession);
        if (token is { IsEmpty: true })
            return new(Refusal.MissingToken);
        if (!host.Tokens.TryGetCurrent(id, head, out _))
            return new(Refusal.StaleToken);   // what was made with a key that the channel has no more opens nothing
        if (running?.Head.Turn != head.Turn)
            running = null;
        ReadOnlyMemory<byte> guard = token is { } presented ? host.Tokens.GuardOf(presented) : head.Guard;
        bool isCurrent = CryptographicOperations.FixedTimeEquals(guard.Span, head.Guard.Span);
        if (!isCurrent && (running is not null || !IsReceipt(head, guard)))
            return new(Refusal.StaleToken);
        if (running is not null)
            return new(head, isCurrent, running, Tail: null);
        JournalTail tail = await host.ReadTailAsync(id, head, cancel).ConfigureAwait(false);
        return isCurrent || !tail.WasAdmitted ? new(head, isCurrent, null, tail) : new(Refusal.StaleToken);
    }

    /// <summary>Whether a guard is that of the token which was spent last, and opens something.</summary>
    public bool IsReceipt(SessionHead head, ReadOnlyMemory<byte> guard) =>
        host.Settings.Receipts && !head.Spent.IsEmpty && CryptographicOperations.FixedTimeEquals(guard.Span, head.Spent.Span);

    /// <summary>The refusal of a session that is not there; why it went is for its own principal.</summary>
    public async ValueTask<Admission> UnknownAsync(SessionId id, string? principal, CancellationToken cancel = default)
    {
        BeginResult begun = await host.Settings.Store.BeginAsync(id, NoGuard, host.LeaseRequest, cancel).ConfigureAwait(false);
        return Unknown(id, begun, principal);
    }

    /// <summary>The same, where the store told why.</summary>
    public static Admission Unknown(SessionId id, in BeginResult begun, string? principal) => ((Admission)Refusal.UnknownSession) with
    {
        Gone = begun.Why == Tombstone.None || begun.Principal != principal ? null : new GoneSession(id, begun.Why),
    };
}

/// <summary>What a token opens.</summary>
/// <param name="Head">The session's head; null where it is refused.</param>
/// <param name="IsCurrent">Whether the token is the current one, and not the spent one.</param>
/// <param name="Running">The turn that this process runs; null where it runs none.</param>
/// <param name="Tail">What the journal holds behind the head; null while a turn runs.</param>
internal readonly record struct Presented(SessionHead? Head, bool IsCurrent, RunningTurn? Running, JournalTail? Tail)
{
    public Presented(Admission refused)
        : this(null, false, null, null) => Refused = refused;

    /// <summary>The refusal, where there is one.</summary>
    public Admission Refused { get; }

    public bool IsRefused => Head is null;
}
