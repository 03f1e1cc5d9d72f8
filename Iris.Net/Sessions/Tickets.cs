using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Iris.Net.Diagnostics;
using Iris.Net.Journal;
using Iris.Net.Stores;

namespace Iris.Net.Sessions;

/// <summary>Keys that stand in URLs, where no header field can be sent: each opens one session's stream, or one WebSocket, for a
/// while and nothing else. A ticket is sealed with the channel's key and says whose it is, so that any process opens it; what was
/// opened with it is known where that happened.</summary>
internal sealed class Tickets(SessionHost host)
{
    /// <summary>How long a ticket waits to be used, and to be used again once its last stream has ended.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    /// <summary>Tickets of one session that are in use, or were a moment ago.</summary>
    public const int MostOfSession = 64;

    private const int Most = 65_536;   // of all sessions
    private const int NonceSize = 12, SaltSize = 16;
    private const int LongestTicket = 1024;

    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<Used>> _bySession = new(StringComparer.Ordinal);
    private int _count;
    private TimeSpan _swept;

    private TimeSpan Now => host.Settings.Time.GetElapsedTime(0);

    /// <summary>Makes a ticket for whoever presents the current token.</summary>
    public async ValueTask<IssuedTicket> IssueAsync(
        SessionId id, ReadOnlyMemory<byte> token, string? principal, CancellationToken cancel = default)
    {
        Presented presented = await host.Receipts.OpenAsync(id, token, principal, cancel).ConfigureAwait(false);
        if (presented.IsRefused)
            return new(presented.Refused, "");
        return presented.IsCurrent
            ? new(default, Write(id, presented.Head!))
            : new(((Admission)Refusal.StaleToken) with { CanRecover = true }, "");
    }

    /// <summary>Opens a session's stream. Whoever got in calls <see cref="Leave"/> once the stream has ended.</summary>
    public ValueTask<RedeemedTicket> TryRedeemForStreamAsync(SessionId id, string ticket, CancellationToken cancel = default) =>
        TryRedeemAsync(id, ticket, isOnce: false, cancel);

    /// <summary>Opens a session for one connection: a ticket does so once, and does not open what it opened a stream with.</summary>
    public ValueTask<RedeemedTicket> TryRedeemOnceAsync(SessionId id, string ticket, CancellationToken cancel = default) =>
        TryRedeemAsync(id, ticket, isOnce: true, cancel);

    /// <summary>A stream that a ticket opened has ended.</summary>
    public void Leave(in RedeemedTicket ticket)
    {
        if (ticket.Use is not { } use)
            return;
        lock (_gate)
        {
            use.Live--;
            use.Until = Later(use.Until, Now + Lifetime);
        }
    }

    /// <summary>Forgets what the tickets of a session were used for: it is gone, and they open nothing any more.</summary>
    public void Forget(SessionId id)
    {
        lock (_gate)
            if (_bySession.Remove(id.Value, out List<Used>? used))
                _count -= used.Count;
    }

    // When it was made, the session's own salt, and the session. The salt is that of this very session: one that gets the same id
    // later is another, and it has one principal.
    private string Write(SessionId id, SessionHead head)
    {
        byte[] content = new byte[sizeof(long) + SaltSize + Encoding.UTF8.GetByteCount(id.Value)];
        BinaryPrimitives.WriteInt64BigEndian(content, host.Settings.Time.GetUtcNow().ToUnixTimeMilliseconds());
        head.Salt.Span.CopyTo(content.AsSpan(sizeof(long), SaltSize));
        Encoding.UTF8.GetBytes(id.Value, content.AsSpan(sizeof(long) + SaltSize));
        return Base64Url.EncodeToString(host.Keys.Current.SealTicket(content));
    }

    private async ValueTask<RedeemedTicket> TryRedeemAsync(SessionId id, string ticket, bool isOnce, CancellationToken cancel)
    {
        if (!TryOpen(ticket, id, out string nonce, out TimeSpan age, out ReadOnlyMemory<byte> salt))
            return new(Refusal.StaleToken);
        try
        {
            SessionHead? head = await host.Settings.Store.FindAsync(id, cancel).ConfigureAwait(false);
            if (head is null || !head.Salt.Span.SequenceEqual(salt.Span))
                return new(Refusal.StaleToken);
            Refusal refusal = TryUse(id, nonce, age, isOnce, out Used? use);
            return refusal == Refusal.None ? new(default) { Head = head, Use = use } : new(refusal);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return new(host.StoreFailed(e));
        }
    }

    // What opens was sealed by this channel: it has the form that it was given.
    private bool TryOpen(string ticket, SessionId id, out string nonce, out TimeSpan age, out ReadOnlyMemory<byte> salt)
    {
        (nonce, age, salt) = ("", default, default);
        if (ticket.Length > LongestTicket || !Base64Url.IsValid(ticket, out _))
            return false;
        byte[] box = Base64Url.DecodeFromChars(ticket);
        foreach (ChannelKey key in host.Keys.All)
        {
            if (key.OpenTicket(box) is not { } content)
                continue;
            nonce = Convert.ToHexString(box.AsSpan(0, NonceSize));
            age = host.Settings.Time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(content));
            salt = content.AsMemory(sizeof(long), SaltSize);
            return Encoding.UTF8.GetString(content.AsSpan(sizeof(long) + SaltSize)) == id.Value;
        }

        return false;
    }

    private Refusal TryUse(SessionId id, string nonce, TimeSpan age, bool isOnce, out Used? use)
    {
        use = null;
        lock (_gate)
        {
            TimeSpan now = Now;
            if (now - _swept >= (_count < Most ? Lifetime : SweepEvery))
                Sweep(now);
            List<Used> used = _bySession.TryGetValue(id.Value, out List<Used>? known) ? known : [];
            _count -= used.RemoveAll(u => u.IsOver(now));
            use = used.Find(u => u.Nonce == nonce);
            if (use is { } again)
            {
                if (isOnce || again.IsOnce)
                    return Refusal.StaleToken;
                again.Live++;
                return Refusal.None;
            }

            if (age.Duration() > Lifetime)   // another process's clock may be ahead a little
                return Refusal.StaleToken;
            if (used.Count >= MostOfSession || _count >= Most)
            {
                Telemetry.Breached("MaxTicketsPerSession");
                return Refusal.Overloaded;
            }

            use = isOnce
                ? new Used(nonce, isOnce) { Until = now + (2 * Lifetime) }   // remembered for as long as it might open again
                : new Used(nonce, isOnce) { Live = 1, Until = now + Lifetime - age };
            used.Add(use);
            _count++;
            _bySession[id.Value] = used;
            return Refusal.None;
        }
    }

    private void Sweep(TimeSpan now)
    {
        _swept = now;
        foreach ((string session, List<Used> used) in _bySession)
        {
            _count -= used.RemoveAll(u => u.IsOver(now));
            if (used.Count == 0)
                _bySession.Remove(session);
        }
    }

    private static TimeSpan Later(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>A ticket that was used; under the lock of the tickets.</summary>
    internal sealed class Used(string nonce, bool isOnce)
    {
        public string Nonce => nonce;

        public bool IsOnce => isOnce;

        /// <summary>Streams that it opened and that have not ended.</summary>
        public int Live { get; set; }

        /// <summary>How long it is good for where none lives.</summary>
        public TimeSpan Until { get; set; }

        public bool IsOver(TimeSpan now) => Live == 0 && now > Until;
    }
}

/// <summary>A new ticket; the refusal where there is none.</summary>
internal readonly record struct IssuedTicket(Admission Refused, string Ticket);

/// <summary>What a ticket opens.</summary>
/// <param name="Refused">The refusal, where it opens nothing.</param>
internal readonly record struct RedeemedTicket(Admission Refused)
{
    /// <summary>The session's head, which names its principal; null where nothing was opened.</summary>
    public SessionHead? Head { get; init; }

    /// <summary>What <see cref="Tickets.Leave"/> ends.</summary>
    internal Tickets.Used? Use { get; init; }

    public bool IsRefused => Head is null;
}
