using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>A session's stable name: at most 128 characters, compared as they stand.</summary>
public readonly record struct SessionId(string Value)
{
    /// <summary>The most characters that a session id has.</summary>
    public const int MaxLength = 128;

    /// <summary>The name itself.</summary>
    public override string ToString() => Value;
}

/// <summary>What a store promises.</summary>
/// <param name="Name">What the listening line calls it.</param>
/// <param name="Durable">True: what was appended with <see cref="Flush.Durable"/> survives the process.</param>
/// <param name="Shared">True: other processes may hold leases on the same sessions.</param>
/// <param name="KeepsPrivateRecords">False: a commit drops the private records before it, so that those which it would drop
/// at once need not be written.</param>
public sealed record StoreTraits(string Name, bool Durable, bool Shared, bool KeepsPrivateRecords);

/// <summary>Who asks for a lease, and for how long.</summary>
public readonly record struct LeaseRequest(string Owner, TimeSpan Ttl);

/// <summary>The right to append to one session. Fences of a session only rise.</summary>
public readonly record struct Lease(SessionId Session, long Fence, string Owner);

/// <summary>What a session is made of: its head before the first turn, and its first records.</summary>
public sealed record SessionSeed(SessionHead Head, ReadOnlyMemory<JournalEntry> Entries);

/// <summary>When an append may return.</summary>
public enum Flush : byte
{
    /// <summary>Once it is written; a crash may lose it.</summary>
    Written,

    /// <summary>Once it survives the process, where the store is durable.</summary>
    Durable,
}

/// <summary>How an append ended.</summary>
public enum AppendResult : byte
{
    /// <summary>The records are in the journal.</summary>
    Appended,

    /// <summary>The lease is lost: nothing was written.</summary>
    StaleFence,

    /// <summary>The seqs are not beyond the journal's last: nothing was written.</summary>
    SeqConflict,

    /// <summary>A cancel was accepted before: the commit did not happen.</summary>
    Cancelled,

    /// <summary>The session is gone, or what became of the append is not known.</summary>
    Unknown,
}

/// <summary>Why a session is gone.</summary>
public enum Tombstone : byte
{
    /// <summary>Nothing is known of it.</summary>
    None,

    /// <summary>It was deleted.</summary>
    Deleted,

    /// <summary>It ran out.</summary>
    Expired,
}

/// <summary>Something for whoever runs a session.</summary>
public abstract record Mail;

/// <summary>Ends the attempt that holds this fence.</summary>
public sealed record CancelMail(long Fence) : Mail;

/// <summary>A signal, appended to the journal without a lease.</summary>
/// <param name="Turn">The turn that the session waits since: a signal for an earlier wait is not accepted.</param>
/// <param name="Record">A record of <see cref="RecordKind.Signal"/>, numbered behind the journal's last.</param>
public sealed record SignalMail(long Turn, JournalEntry Record) : Mail;

/// <summary>Which sessions to list.</summary>
/// <param name="Status">Only this status; null for all.</param>
/// <param name="After">Only ids behind this one, in ordinal order; null from the first.</param>
/// <param name="Limit">At most this many.</param>
public sealed record ListQuery(SessionStatus? Status = null, string? After = null, int Limit = 100);

/// <summary>One row of a list.</summary>
public readonly record struct ListedSession(SessionId Id, SessionHead Head);
