using System.Collections.Concurrent;

namespace Iris.Net.Stores.Files;

/// <summary>Bounds what sessions in use keep in memory: those that nobody used since the last look go, oldest first.</summary>
internal sealed class HotSessions(int limit, TimeProvider time)
{
    private const long MaxBytes = 64L << 20;

    private readonly ConcurrentQueue<FileSession> _sessions = new();
    private long _bytes;

    public int Count => _sessions.Count;

    /// <summary>A session became hot; called under its lock.</summary>
    public void Add(FileSession session)
    {
        Grow(session.Hot!.Size);
        long now = time.GetUtcNow().UtcTicks;
        for (int looks = 4; looks > 0 && IsFull && _sessions.TryDequeue(out FileSession? oldest); looks--)
            if (!TryDrop(oldest, now))
                _sessions.Enqueue(oldest);
        _sessions.Enqueue(session);   // behind the others: its caller still needs it
    }

    /// <summary>A session in memory takes so many bytes more.</summary>
    public void Grow(long bytes) => Interlocked.Add(ref _bytes, bytes);

    private bool IsFull => _sessions.Count > limit || Volatile.Read(ref _bytes) > MaxBytes;

    // Never waits for another session's lock: the caller holds one.
    private bool TryDrop(FileSession session, long now)
    {
        if (!Monitor.TryEnter(session))
            return false;
        try
        {
            if (session.Hot is not { } hot)
                return true;
            if (hot.IsLeased(now) || hot.WasUsed)
            {
                hot.WasUsed = false;
                return false;
            }

            Grow(-hot.Size);
            session.Hot = null;
            return true;
        }
        finally
        {
            Monitor.Exit(session);
        }
    }
}
