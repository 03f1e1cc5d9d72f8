using Iris.Net.Journal;

namespace Iris.Net.Stores;

/// <summary>How a create ended.</summary>
public enum CreateStatus : byte
{
    /// <summary>The session exists now, leased to the caller.</summary>
    Created,

    /// <summary>The id is taken: nothing was changed.</summary>
    Exists,

    /// <summary>The store has no room left.</summary>
    Full,
}

/// <summary>What <see cref="IStateStore.CreateAsync"/> answers.</summary>
public readonly struct CreateResult
{
    private CreateResult(CreateStatus status, Lease lease, SessionHead? head) => (Status, Lease, Head) = (status, lease, head);

    /// <summary>How it ended.</summary>
    public CreateStatus Status { get; }

    /// <summary>The caller's lease, where the session was created.</summary>
    public Lease Lease { get; }

    /// <summary>The head of the session that has the id; null where the store is full.</summary>
    public SessionHead? Head { get; }

    /// <summary>The session exists now.</summary>
    public static CreateResult Created(Lease lease, SessionHead head) => new(CreateStatus.Created, lease, head);

    /// <summary>The id is taken.</summary>
    public static CreateResult Exists(SessionHead head) => new(CreateStatus.Exists, default, head);

    /// <summary>There is no room left.</summary>
    public static CreateResult Full() => new(CreateStatus.Full, default, null);
}

/// <summary>How a claim ended.</summary>
public enum BeginStatus : byte
{
    /// <summary>There is no such session.</summary>
    Unknown,

    /// <summary>The guard is not the current one.</summary>
    Stale,

    /// <summary>Somebody holds the lease.</summary>
    Held,

    /// <summary>The caller holds it now.</summary>
    Begun,
}

/// <summary>What <see cref="IStateStore.BeginAsync"/> answers.</summary>
public readonly struct BeginResult
{
    /// <summary>How it ended.</summary>
    public BeginStatus Status { get; private init; }

    /// <summary>The lease that the caller now has, or the one that somebody else holds.</summary>
    public Lease Lease { get; private init; }

    /// <summary>The session's head; null where there is no session.</summary>
    public SessionHead? Head { get; private init; }

    /// <summary>The seq that the next record takes.</summary>
    public long NextSeq { get; private init; }

    /// <summary>Why there is no session, while the store still knows.</summary>
    public Tombstone Why { get; private init; }

    /// <summary>Whose the session was that is gone; null where it was nobody's in particular.</summary>
    public string? Principal { get; private init; }

    /// <summary>There is no such session.</summary>
    /// <param name="why">Why it is gone.</param>
    /// <param name="principal">Whose it was, as its head said.</param>
    public static BeginResult Unknown(Tombstone why = Tombstone.None, string? principal = null) =>
        new() { Status = BeginStatus.Unknown, Why = why, Principal = principal };

    /// <summary>The guard is not the current one.</summary>
    public static BeginResult Stale(SessionHead head) => new() { Status = BeginStatus.Stale, Head = head };

    /// <summary>Somebody holds the lease.</summary>
    public static BeginResult Held(Lease holder, SessionHead head) =>
        new() { Status = BeginStatus.Held, Lease = holder, Head = head };

    /// <summary>The caller holds the lease.</summary>
    public static BeginResult Begun(Lease lease, SessionHead head, long nextSeq) =>
        new() { Status = BeginStatus.Begun, Lease = lease, Head = head, NextSeq = nextSeq };
}
