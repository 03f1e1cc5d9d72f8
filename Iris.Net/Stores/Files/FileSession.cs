using System.Security.Cryptography;
using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>One session as the index knows it: small, so that a million of them fit; what a claim needs beside it is read when
/// somebody asks. Changed under its own lock, which is never held across a wait.</summary>
internal sealed class FileSession(string id)
{
    public string Id => id;

    /// <summary>The first frame that is still needed, the last one, and the one that has the head: LSNs.</summary>
    public long First { get; private set; } = RecordFrame.None;

    public long Last { get; private set; } = RecordFrame.None;

    public long HeadAt { get; private set; } = RecordFrame.None;

    public long NextSeq { get; private set; }

    /// <summary>When its timer is due, and when it was last used: UTC ticks.</summary>
    public long Due { get; private set; } = RecordFrame.NoTimer;

    public long Used { get; set; }

    /// <summary>About so many bytes of the log are needed for it.</summary>
    public long Live { get; private set; }

    public SessionStatus Status { get; private set; }

    public PendingWork Pending { get; private set; }

    public Tombstone Why { get; private set; }

    public bool IsDeleted => Why != Tombstone.None;

    /// <summary>While the log is read: frames before these are gone, so that a snapshot must follow.</summary>
    public bool IsOrphan { get; private set; }

    /// <summary>No longer in the index: whoever found it before looks again.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>What is in memory while the session is in use; null while it rests.</summary>
    public HotSession? Hot { get; set; }

    private int HeadLength { get; set; }

    /// <summary>When the session has to be looked at.</summary>
    public Due LookAt => new(Pending.WakesAt(Due), Pending.IsDue());

    /// <summary>Since when nobody used it or waited for its timer.</summary>
    public long IdleSince => Math.Max(Used, Due == RecordFrame.NoTimer ? 0 : Due);

    public bool IsLeased(long now) => Hot is { } hot && hot.IsLeased(now);

    /// <summary>Whether a frame may come next; what is wrong where it may not.</summary>
    public string? Refuses(in RecordFrame frame, long logStart)
    {
        if (frame.Kind == FrameKind.Snapshot)
            return frame.Previous == RecordFrame.None ? null : "a snapshot goes on from another frame";
        long expected = IsDeleted ? RecordFrame.None : Last;
        if (frame.Previous != expected && (expected != RecordFrame.None || frame.Previous >= logStart))
            return "a frame of the same session is missing before this one";
        return frame.Kind == FrameKind.Append && !IsDeleted && frame.Count > 0 && frame.FirstSeq < NextSeq
            ? "a record's seq is not beyond the one before it" : null;
    }

    /// <summary>A frame was appended: it is part of the journal, whoever judges by the head does not know of it yet.</summary>
    public void Append(in RecordFrame frame)
    {
        if (frame.Kind == FrameKind.Snapshot || Last == RecordFrame.None || IsDeleted)
        {
            First = frame.Lsn;
            Live = HeadLength = 0;
            IsOrphan = frame is { Kind: FrameKind.Append, Previous: not RecordFrame.None };
            Why = Tombstone.None;
        }

        Last = frame.Lsn;
        NextSeq = frame.NextSeq;
        Live += frame.Length - (frame.HeadLength > 0 ? HeadLength : 0);
        if (frame.HeadLength > 0)
            HeadLength = frame.HeadLength;
        if (frame.Kind != FrameKind.Deleted)
            return;
        (Why, First, Live, IsOrphan, Hot) = (frame.Why, frame.Lsn, frame.Length, false, null);
    }

    /// <summary>The session stands now as the frame says.</summary>
    public void Stand(in RecordFrame frame)
    {
        HeadAt = frame.Head;
        Status = frame.Status;
        Pending = frame.Pending;
        Due = frame.Due;
        Used = frame.Used;
    }
}

/// <summary>What a session in use has in memory.</summary>
internal sealed class HotSession(SessionHead head, HashChain chain)
{
    private const int FixedSize = 600;

    /// <summary>What claims are judged by: the last commit that is on disk.</summary>
    public SessionHead Head { get; set; } = head;

    /// <summary>The chain behind the last frame.</summary>
    public HashChain Chain { get; set; } = chain;

    public string? Owner { get; set; }

    public long Fence { get; set; }

    /// <summary>When the lease runs out: the store's clock in ticks.</summary>
    public long LeasedUntil { get; set; }

    public long CancelledFence { get; set; }

    /// <summary>A commit was appended and is not on disk yet: nobody else has the session before its fate is known.</summary>
    public bool IsCommitting { get; set; }

    /// <summary>Used since the last look for what can go from memory.</summary>
    public bool WasUsed { get; set; }

    /// <summary>About how much memory it takes.</summary>
    public long Size => FixedSize + Head.State.Length + Head.Reply.Length;

    public bool IsLeased(long now) => IsCommitting || (Owner is not null && now < LeasedUntil);

    public bool Holds(Lease lease) => Owner is not null && Fence == lease.Fence && !IsCommitting;

    public bool Matches(ReadOnlySpan<byte> guard) => CryptographicOperations.FixedTimeEquals(guard, Head.Guard.Span);
}
