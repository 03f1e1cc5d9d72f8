using System.Security.Cryptography;
using System.Text;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>The keys that wake sessions, and the signals that are sent with them.</summary>
internal sealed class Wakes(SessionHost host)
{
    /// <summary>So many keys that were used before are still known as such.</summary>
    private const int LookBack = 16;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private IStateStore Store => host.Settings.Store;

    /// <summary>What sends a session a signal, after some of the same name that it consumed.</summary>
    public WakeKey KeyOf(SessionId id, ReadOnlyMemory<byte> salt, string name, long consumed) =>
        new(WakeKey.PathOf(id.Value, name), host.Keys.Current.ForWake(id.Value, salt.Span, name, consumed));

    /// <summary>What a client is told of the wait of a head; null where it waits for no signal, or clients are not told.</summary>
    public WakeKey? KeyToTell(SessionId id, SessionHead head) => head.Wait is { Kind: WaitKind.Signal, Name: { } name }
        && !host.Settings.HidesWakeKey ? KeyOf(id, head.Salt, name, new SignalCounts(head.Signals).Of(name)) : null;

    /// <summary>The same of the last client turn's reply.</summary>
    public WakeKey? KeyOfReply(SessionId id, SessionHead head) =>
        head.LastWake is not { } wake ? KeyToTell(id, head)
        : !host.Settings.HidesWakeKey && TurnEnd.SignalOf(head.Reply) is { } name ? KeyOf(id, head.Salt, name, wake.ReplySignals)
        : null;

    /// <summary>Takes a signal for the current wait: durable once this returns without a refusal.</summary>
    /// <param name="id">The session.</param>
    /// <param name="name">The signal's name.</param>
    /// <param name="key">What it came with.</param>
    /// <param name="payload">One JSON value without white space.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async ValueTask<Refusal> SignalAsync(
        SessionId id, string name, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> payload, CancellationToken cancel = default)
    {
        try
        {
            long begun = host.Settings.Time.GetTimestamp();
            for (int looks = 0; ; looks++)
            {
                Verdict verdict = await JudgeAsync(id, name, key, payload, cancel).ConfigureAwait(false);
                TimeSpan left = LongestWait - host.Settings.Time.GetElapsedTime(begun);
                if (!verdict.HasToWait)
                    return verdict.Refusal;
                if (left <= TimeSpan.Zero)
                    return Refusal.InFlight;
                if (host.Running.Of(id) is { } turn)
                    await turn.EndWithinAsync(left, cancel).ConfigureAwait(false);
                else if (host.Due.LookingAt(id) is { } looking)
                    await looking.ConfigureAwait(false);
                else if (looks % 4 == 3)
                    await Task.Delay(Pause, host.Settings.Time, cancel).ConfigureAwait(false);   // somebody has the session for a moment
            }
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            host.StoreFailed(e);
            return Refusal.StoreUnavailable;
        }
    }

    private async ValueTask<Verdict> JudgeAsync(
        SessionId id, string name, ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> payload, CancellationToken cancel)
    {
        bool runs = host.Running.Of(id) is not null;   // before the head: one that commits in between is judged once more
        SessionHead? head = await Store.FindAsync(id, cancel).ConfigureAwait(false);
        SignalCounts counts = new(head?.Signals ?? default);
        if (Ahead(id, head, name, counts.Of(name), key.Span) is not { } ahead || head is null)
            return Refusal.UnknownSession;
        JournalTail tail = await host.ReadTailAsync(id, head, cancel).ConfigureAwait(false);
        byte[] digest = AcceptedSignal.DigestOf(payload);
        bool isPending = tail.Signal?.Name == name;
        if (ahead == 0 && isPending && AcceptedSignal.DigestOf(tail.Signal!.Payload).AsSpan().SequenceEqual(digest))
            return Refusal.None;
        if (ahead == -1 && tail.Signal is null && counts.WasLast(name, digest))
            return Refusal.None;
        if (runs)
            return Verdict.Wait;
        if (ahead != 0 || tail.Signal is not null || head.Wait?.Name != name)
            return head.Status == SessionStatus.Finished ? Refusal.Finished : Refusal.NotWaiting;
        if (!await PostAsync(id, head, tail, name, payload).ConfigureAwait(false))
            return Verdict.Wait;   // a turn or another signal was quicker
        host.Due.Nudge(id);
        return Refusal.None;
    }

    private async ValueTask<bool> PostAsync(SessionId id, SessionHead head, JournalTail tail, string name, ReadOnlyMemory<byte> payload)
    {
        RecordWriter records = host.RentRecords();
        try
        {
            JournalEntry signal = records.Signal(
                Math.Max(head.NextSeq, tail.NextSeq), host.Settings.Time.GetUtcNow().ToUnixTimeMilliseconds(), name, payload.Span);
            return await Store.PostAsync(id, new SignalMail(head.Turn, signal), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            host.ReturnRecords(records);
        }
    }

    // How many signals of the name come before the one that the key is for; null where it is no key of the session. A key of the turn
    // that runs is one ahead. A session that there is not is compared as often as one that there is.
    private int? Ahead(SessionId id, SessionHead? head, string name, long consumed, ReadOnlySpan<byte> key)
    {
        int? found = null;
        ReadOnlySpan<byte> salt = head is null ? stackalloc byte[16] : head.Salt.Span;
        foreach (ChannelKey channel in host.Keys.All)
            for (int ahead = 1; ahead >= -Math.Min(LookBack, consumed); ahead--)
            {
                byte[] expected = Encoding.ASCII.GetBytes(channel.ForWake(id.Value, salt, name, consumed + ahead));
                if (CryptographicOperations.FixedTimeEquals(expected, key))
                    found = ahead;
            }

        return head is null ? null : found;
    }

    private readonly record struct Verdict(Refusal Refusal, bool HasToWait)
    {
        public static Verdict Wait => new(Refusal.InFlight, true);

        public static implicit operator Verdict(Refusal refusal) => new(refusal, false);
    }
}
