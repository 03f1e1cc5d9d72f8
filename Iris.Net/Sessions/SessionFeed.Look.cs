using Iris.Net.Journal;

namespace Iris.Net.Sessions;

/// <summary>What there is of a session at one moment: its head, its attempts, and what is remembered of them.</summary>
internal sealed partial class SessionFeed
{
    // Head, journal and running turn at one moment: again where a turn began meanwhile.
    private async ValueTask<AwaitedTurn> LookAsync(
        AwaitedTurn next, EventCursor? cursor, CancellationToken cancel, bool isLater = false)
    {
        while (true)
        {
            next = next.Latest;
            RunningTurn? running = host.Running.Of(id);   // before the head, see Receipts
            if (running is not null)
                host.Running.Attend(running);
            long until = running?.Events.PublishedSeq + 1 ?? long.MaxValue;   // what comes later comes from its events
            AttemptEvents? leaving = running?.Attended;
            SessionHead? head = await host.Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
            IsGone = head is null;
            if (head is null)
                return next;
            _head = head;
            if (running?.Head.Turn != _head.Turn)
                (running, until) = (null, long.MaxValue);
            _attempts = isLater ? await MapAsync(cursor!.Value.Seq + 1, until, cancel).ConfigureAwait(false)
                : await MapAsync(cursor, running, until, cancel).ConfigureAwait(false);
            if (isLater)
                _attempts.RemoveAll(attempt => attempt.StartSeq < cursor!.Value.Seq);   // told, and closed since
            foreach (AttemptEvents known in isLater ? RememberedBehind(cursor!.Value) : host.Deltas.Of(id))
                JournalledAttempt.Merge(_attempts, known, isLive: false, isAwaited: isLater);
            if (leaving is not null)
                JournalledAttempt.Merge(_attempts, leaving, isLive: running is not null);
            if (running is not null || !next.Begun.Task.IsCompleted)
                return next;
        }
    }

    // One that left no record stands where the next one begins, and is known by its order.
    private IEnumerable<AttemptEvents> RememberedBehind(EventCursor told)
    {
        AttemptEvents[] known = host.Deltas.Of(id);
        int last = Array.FindLastIndex(known, attempt => attempt.Name == told.Attempt);
        return known.Where((attempt, i) => attempt.StartSeq > told.Seq || (last >= 0 && i > last));
    }

    private async ValueTask<List<JournalledAttempt>> MapAsync(
        EventCursor? cursor, RunningTurn? running, long until, CancellationToken cancel)
    {
        if (cursor is { } at)
            return await MapAsync(
                at.Turn > _head.Turn ? _head.NextSeq : at.Turn >= _head.ClientTurn ? _head.RequestSeq : 0, until, cancel).ConfigureAwait(false);
        List<JournalledAttempt> open = await MapAsync(running?.FirstSeq ?? _head.NextSeq, until, cancel).ConfigureAwait(false);
        return open.Count > 0 || running is not null
            ? open
            : await MapAsync(_head.LastWake?.FirstSeq ?? _head.RequestSeq, until, cancel).ConfigureAwait(false);
    }

    private ValueTask<List<JournalledAttempt>> MapAsync(long from, long until, CancellationToken cancel) =>
        JournalledAttempt.ReadAsync(host.Settings.Store.ReadAsync(id, from, cancel), until, _head);
}
