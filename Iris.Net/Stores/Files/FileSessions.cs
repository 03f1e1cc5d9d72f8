using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Iris.Net.Journal;

namespace Iris.Net.Stores.Files;

/// <summary>The index of the log: every session by its id, what is due, and how much of the log is still needed.</summary>
internal sealed class FileSessions(HotSessions hot)
{
    private const int MaxIdChars = 1024;

    private readonly ConcurrentDictionary<string, FileSession> _byId = new(StringComparer.Ordinal);
    private long _live, _lastFence;

    public DueIndex Due { get; } = new();

    /// <summary>About so many bytes of the log are needed.</summary>
    public long Live => Volatile.Read(ref _live);

    public IEnumerable<FileSession> All => _byId.Select(pair => pair.Value);

    public long NextFence() => Interlocked.Increment(ref _lastFence);

    public bool TryGet(string id, [NotNullWhen(true)] out FileSession? session) => _byId.TryGetValue(id, out session);

    public FileSession GetOrAdd(string id) => _byId.GetOrAdd(id, static id => new FileSession(id));

    /// <summary>Takes a session out of the index; called under its lock.</summary>
    public void Forget(FileSession session)
    {
        session.IsForgotten = true;
        Interlocked.Add(ref _live, -session.Live);
        _byId.TryRemove(new KeyValuePair<string, FileSession>(session.Id, session));
    }

    /// <summary>Reads a frame at start; what is wrong with it where it does not fit the ones before.</summary>
    public string? Load(in RecordFrame frame, ReadOnlyMemory<byte> whole, long logStart)
    {
        Span<char> id = stackalloc char[MaxIdChars];
        if (!Encoding.UTF8.TryGetChars(frame.IdBytes(whole.Span), id, out int length))
            return "a session's id is too long";
        if (!_byId.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(id[..length], out FileSession? session))
            session = GetOrAdd(new string(id[..length]));
        if (session.Refuses(frame, logStart) is { } wrong)
            return wrong;
        Append(session, frame);
        Stand(session, frame);
        _lastFence = Math.Max(_lastFence, frame.Fence);
        return null;
    }

    /// <summary>A frame was appended; called under the session's lock.</summary>
    public void Append(FileSession session, in RecordFrame frame)
    {
        long before = session.Live;
        if (frame.Kind == FrameKind.Deleted && session.Hot is { } gone)
            hot.Grow(-gone.Size);
        session.Append(frame);
        Interlocked.Add(ref _live, session.Live - before);
    }

    /// <summary>The session stands now as the frame says; called under its lock.</summary>
    public void Stand(FileSession session, in RecordFrame frame)
    {
        Due before = session.LookAt;
        session.Stand(frame);
        Due.Move(session.Id, before, session.LookAt);
    }

    /// <summary>A session that the log does not have whole; null where there is none.</summary>
    public FileSession? FindOrphan() => All.FirstOrDefault(session => session.IsOrphan);

    /// <summary>What a session in use has in memory, read where it rested; called under its lock.</summary>
    public HotSession Warm(FileSession session, SegmentWriter log)
    {
        if (session.Hot is { } known)
        {
            known.WasUsed = true;
            return known;
        }

        FrameBytes last = Need(log, session.Last);
        FrameBytes head = session.HeadAt == session.Last ? last : Need(log, session.HeadAt);
        return Heat(session, new HotSession(head.Head(), last.Chain()));
    }

    /// <summary>Keeps a session in memory; called under its lock.</summary>
    public HotSession Heat(FileSession session, HotSession heated)
    {
        session.Hot = heated;
        hot.Add(session);
        return heated;
    }

    /// <summary>A commit is on disk: from now on claims are judged by its head. Called under the session's lock.</summary>
    public void Publish(FileSession session, in RecordFrame frame, SessionHead head)
    {
        Stand(session, frame);
        if (session.Hot is not { } now)
            return;
        long before = now.Size;
        (now.Head, now.Owner, now.IsCommitting) = (head, null, false);
        hot.Grow(now.Size - before);
    }

    private static FrameBytes Need(SegmentWriter log, long lsn) =>
        log.Read(lsn) ?? throw new InvalidDataException($"The log does not go back to {lsn}.");
}
