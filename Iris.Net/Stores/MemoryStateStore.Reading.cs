using System.Runtime.CompilerServices;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net;

/// <content>What is read of many records or of many sessions.</content>
public sealed partial class MemoryStateStore
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<JournalEntry> ReadAsync(
        SessionId id, long from, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        if (!_sessions.TryGet(id.Value, out SessionCell? cell) || cell.Now is not { Deleted: false } state)
            yield break;
        int closed = 0, open = 0;
        bool hasClosed = state.Closed.TryRead(ref closed, out JournalEntry first), hasOpen = state.Open.TryRead(ref open, out JournalEntry second);
        while (hasClosed || hasOpen)
        {
            cancel.ThrowIfCancellationRequested();
            bool takesClosed = hasClosed && (!hasOpen || first.Seq < second.Seq);
            JournalEntry entry = takesClosed ? first : second;
            if (takesClosed)
                hasClosed = state.Closed.TryRead(ref closed, out first);
            else
                hasOpen = state.Open.TryRead(ref open, out second);
            if (entry.Seq >= from)
                yield return entry;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<SessionId> DueAsync(
        DateTimeOffset now, int limit, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        long clock = Now;
        foreach (string id in _sessions.Due.Find(
            now.UtcTicks, limit,
            id => _sessions.TryGet(id, out SessionCell? cell) && cell.Now is { Deleted: false } state && !state.IsLeased(clock)))
        {
            cancel.ThrowIfCancellationRequested();
            yield return new SessionId(id);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<SessionId> IdleAsync(
        DateTimeOffset since, int limit, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach ((string id, SessionCell cell) in _sessions)
        {
            cancel.ThrowIfCancellationRequested();
            SessionCell.State state = cell.Now;
            if (state.Deleted || state.IsLeased(Now) || state.Pending.KeepsSession() || state.IdleSince >= since.UtcTicks)
                continue;
            if (limit-- <= 0)
                yield break;
            yield return new SessionId(id);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ListedSession> ListAsync(
        ListQuery query, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        await Task.CompletedTask.ConfigureAwait(false);
        var found = from pair in _sessions
                    let state = pair.Value.Now
                    where !state.Deleted && (query.Status is null || state.Head.Status == query.Status)
                    where query.After is null || string.CompareOrdinal(pair.Key, query.After) > 0
                    select new ListedSession(new SessionId(pair.Key), state.Head);
        foreach (ListedSession session in found.OrderBy(s => s.Id.Value, StringComparer.Ordinal).Take(query.Limit))
        {
            cancel.ThrowIfCancellationRequested();
            yield return session;
        }
    }
}
