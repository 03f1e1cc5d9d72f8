namespace Iris.Net.Stores;

/// <summary>Who uses the sessions of a store that drops some to make room.</summary>
internal interface IEvictionWatch
{
    /// <summary>Whether somebody reads the session, which then stays.</summary>
    bool IsRead(SessionId id);

    /// <summary>The session is gone. It may not wait.</summary>
    void Evicted(SessionId id);
}
