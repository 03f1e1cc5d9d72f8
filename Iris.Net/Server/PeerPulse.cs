namespace Iris.Net.Server;

/// <summary>What is to be done about a peer that may be silent or gone.</summary>
internal enum PulseCheck
{
    Fine,
    Ping,
    Lost,
}

/// <summary>Whether the peer of a WebSocket still lives: anything that it sends shows it, and a ping makes it send.</summary>
internal struct PeerPulse
{
    private const long None = -1;

    private long _heardAt;
    private long _pingedAt;

    public PeerPulse(long now) => (_heardAt, _pingedAt) = (now, None);

    /// <summary>Something came.</summary>
    public void Hear(long now) => Volatile.Write(ref _heardAt, now);

    /// <summary>Looks once a second, in milliseconds.</summary>
    public PulseCheck Check(long now, bool isListening, WebSocketOptions options)
    {
        if (!isListening)
        {
            // Nobody could hear the pong.
            _pingedAt = None;
            Hear(now);
            return PulseCheck.Fine;
        }

        long heardAt = Volatile.Read(ref _heardAt);
        if (heardAt < _pingedAt)
            return now - _pingedAt < options.PongTimeout.TotalMilliseconds ? PulseCheck.Fine : PulseCheck.Lost;
        if (now - heardAt < options.PingInterval.TotalMilliseconds)
            return PulseCheck.Fine;
        _pingedAt = now;
        return PulseCheck.Ping;
    }
}
